// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"fmt"
	"slices"
	"strings"
)

// namedFields is how many fields of one object a message names.
const namedFields = 3

// Describe says what happened to an object, for example
// `StatefulSet prod/zk: .spec.replicas was changed by kubectl-edit`.
func (f *Finding) Describe() string {
	name := f.Object.Kind + " " + f.Object.Name
	if f.Object.Namespace != "" {
		name = f.Object.Kind + " " + f.Object.Namespace + "/" + f.Object.Name
	}
	if f.Gone {
		return name + " was deleted"
	}
	return name + ": " + f.changes()
}

func (f *Finding) changes() string {
	var parts []string
	for _, manager := range f.managers() {
		var paths []string
		for _, l := range f.Losses {
			if l.Manager == manager {
				paths = append(paths, l.Path)
			}
		}
		verb := "was"
		if len(paths) > 1 {
			verb = "were"
		}
		text := strings.Join(paths, ", ")
		if len(paths) > namedFields {
			text = fmt.Sprintf("%s and %d more", strings.Join(paths[:namedFields], ", "), len(paths)-namedFields)
		}
		if manager == "" {
			parts = append(parts, fmt.Sprintf("%s %s removed", text, verb))
		} else {
			parts = append(parts, fmt.Sprintf("%s %s changed by %s", text, verb, manager))
		}
	}
	return strings.Join(parts, "; ")
}

func (f *Finding) managers() []string {
	var out []string
	for _, l := range f.Losses {
		if !slices.Contains(out, l.Manager) {
			out = append(out, l.Manager)
		}
	}
	return out
}

// Fields names what was lost, each as something that can be fought for.
func (f *Finding) Fields() []string {
	if f.Gone {
		return []string{""}
	}
	out := make([]string, 0, len(f.Losses))
	for _, l := range f.Losses {
		out = append(out, l.Path)
	}
	return out
}
