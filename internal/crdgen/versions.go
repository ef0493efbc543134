// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Conflicts says of each version, by the name of its object, why it does not fit to those
// that were there before. The one that was there first is right. versions are all of one
// Framework, in any order.
func Conflicts(versions []*v1alpha1.FrameworkVersion) map[string]error {
	_, conflicts := fit(versions)
	return conflicts
}

// fit gives the versions that fit together, newest first by number.
func fit(versions []*v1alpha1.FrameworkVersion) (fitting []*v1alpha1.FrameworkVersion, conflicts map[string]error) {
	byAge := slices.Clone(versions)
	slices.SortFunc(byAge, func(a, b *v1alpha1.FrameworkVersion) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	conflicts = map[string]error{}
	merged := map[string]known{}
	for _, v := range byAge {
		next, err := join(merged, v)
		if err != nil {
			conflicts[v.Name] = err
			continue
		}
		merged, fitting = next, append(fitting, v)
	}
	slices.SortFunc(fitting, func(a, b *v1alpha1.FrameworkVersion) int { return newer(a.Spec.Version, b.Spec.Version) })
	return fitting, conflicts
}

// known is what is known about a parameter so far, and the version that said it last.
type known struct {
	schema *props
	from   string
}

func join(merged map[string]known, v *v1alpha1.FrameworkVersion) (map[string]known, error) {
	next := map[string]known{}
	for name, k := range merged {
		next[name] = k
	}
	for i := range v.Spec.Parameters {
		p := &v.Spec.Parameters[i]
		s, err := schemaOf(p)
		if err != nil {
			return nil, err
		}
		if have, ok := merged[p.Name]; ok {
			if s, err = merge(have.schema, s, p.Name); err != nil {
				return nil, fmt.Errorf("parameter %s does not have the type that it has in version %s: %w; one kind serves all versions, so give it another name", p.Name, have.from, err)
			}
		}
		next[p.Name] = known{s, v.Spec.Version}
	}
	return next, nil
}

// newer orders versions, newest first; what is no version comes last.
func newer(a, b string) int {
	va, errA := semver.NewVersion(a)
	vb, errB := semver.NewVersion(b)
	if errA != nil || errB != nil {
		return strings.Compare(b, a)
	}
	return vb.Compare(va)
}
