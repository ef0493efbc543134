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
// that were there before. The one that was there first is right, and a sealed one before one
// that may still be edited. versions are all of one
// Framework, in any order.
func Conflicts(versions []*v1alpha1.FrameworkVersion) map[string]error {
	_, _, conflicts := fit(versions)
	return conflicts
}

// fit gives the versions that fit together, newest first by number, and the schemas of their
// parameters. What is sealed comes before what may still be edited.
func fit(versions []*v1alpha1.FrameworkVersion) (fitting []*v1alpha1.FrameworkVersion, merged map[string]known, conflicts map[string]error) {
	byAge := slices.Clone(versions)
	slices.SortFunc(byAge, func(a, b *v1alpha1.FrameworkVersion) int {
		if a.Spec.Development != b.Spec.Development {
			if b.Spec.Development {
				return -1
			}
			return 1
		}
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	conflicts = map[string]error{}
	merged = map[string]known{}
	for _, v := range byAge {
		next, err := join(merged, v)
		if err != nil {
			conflicts[v.Name] = err
			continue
		}
		merged, fitting = next, append(fitting, v)
	}
	slices.SortFunc(fitting, func(a, b *v1alpha1.FrameworkVersion) int { return Newer(a.Spec.Version, b.Spec.Version) })
	return fitting, merged, conflicts
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

// Newer orders versions, newest first; what is no version comes last.
func Newer(a, b string) int {
	va, errA := semver.NewVersion(a)
	vb, errB := semver.NewVersion(b)
	if errA != nil || errB != nil {
		return strings.Compare(b, a)
	}
	return vb.Compare(va)
}
