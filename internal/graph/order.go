// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
)

// sibling is a phase, step or task as the order sees it.
type sibling struct {
	name      string
	dependsOn []string
}

// checkOrder refuses dependencies on what does not exist, on itself, in a circle,
// or, where children run one after another, on a later one.
func checkOrder(siblings []sibling, strategy v1alpha1.Strategy, path *field.Path, key string) field.ErrorList {
	var errs field.ErrorList
	index := map[string]int{}
	names := make([]string, 0, len(siblings))
	for i, s := range siblings {
		at := path.Index(i)
		if _, twice := index[s.name]; twice {
			errs = append(errs, field.Duplicate(at.Child(key), s.name))
			continue
		}
		index[s.name] = i
		names = append(names, s.name)
	}
	for i, s := range siblings {
		for j, dep := range s.dependsOn {
			at := path.Index(i).Child("dependsOn").Index(j)
			target, found := index[dep]
			switch {
			case dep == s.name:
				errs = append(errs, field.Invalid(at, dep, "depends on itself"))
			case !found:
				errs = append(errs, field.Invalid(at, dep, "there is no such sibling"+params.Hint(dep, names)))
			case strategy != v1alpha1.Parallel && target > i:
				errs = append(errs, field.Invalid(at, dep, "comes later, and the strategy is Serial: it would wait forever"))
			}
		}
	}
	if len(errs) == 0 {
		if circle := findCircle(siblings, index); len(circle) > 0 {
			errs = append(errs, field.Invalid(path, strings.Join(circle, " -> "), "depends on itself in a circle"))
		}
	}
	return errs
}

// findCircle returns the names along a circle of dependencies, or nil.
func findCircle(siblings []sibling, index map[string]int) []string {
	const open, closed = 1, 2
	mark := make([]int, len(siblings))
	var trail []string
	var visit func(i int) []string
	visit = func(i int) []string {
		trail = append(trail, siblings[i].name)
		mark[i] = open
		for _, dep := range siblings[i].dependsOn {
			j := index[dep]
			if mark[j] == open {
				return append(trail, dep)
			}
			if mark[j] == 0 {
				if circle := visit(j); circle != nil {
					return circle
				}
			}
		}
		mark[i] = closed
		trail = trail[:len(trail)-1]
		return nil
	}
	for i := range siblings {
		if mark[i] == 0 {
			if circle := visit(i); circle != nil {
				return circle
			}
		}
	}
	return nil
}
