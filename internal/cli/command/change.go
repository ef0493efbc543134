// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/internal/forecast"
)

// Title is what people call an object: its kind in small letters, and its name.
func Title(kind, name string) string { return strings.ToLower(kind) + "/" + name }

// signs of changes in a list.
var signs = map[forecast.Verb]string{forecast.Create: "+", forecast.Update: "~", forecast.Remove: "-", forecast.Keep: " "}

// Sign of what becomes of an object.
func Sign(v forecast.Verb) string { return signs[v] }

// PrintChanges writes what becomes of objects, with the differences, and a line that sums up.
func PrintChanges(e *Env, changes []forecast.Change) {
	counts := map[forecast.Verb]int{}
	for _, c := range changes {
		counts[c.Verb]++
		if c.Verb == forecast.Keep {
			continue
		}
		e.Printf("%s %s %s", signs[c.Verb], c.Verb, Title(c.Object.GetKind(), c.Object.GetName()))
		switch {
		case c.Remade:
			e.Printf(", deleted and made again")
		case c.Restarts:
			e.Printf(", its pods are replaced")
		}
		e.Printf("\n")
		if c.Verb == forecast.Update {
			e.Printf("%s", indent(c.Diff))
		}
	}
	e.Printf("%s\n", Sum(counts))
}

// Sum says how many objects become what.
func Sum(counts map[forecast.Verb]int) string {
	return fmt.Sprintf("%d to create, %d to update, %d to remove, %d unchanged",
		counts[forecast.Create], counts[forecast.Update], counts[forecast.Remove], counts[forecast.Keep])
}

func indent(text string) string {
	if text == "" {
		return "" // a Secret, whose content is not on record
	}
	return "    " + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n    "), "    ")
}
