// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/internal/forecast"
)

// signs of changes in a list.
var signs = map[forecast.Verb]string{forecast.Create: "+", forecast.Update: "~", forecast.Remove: "-", forecast.Keep: " "}

// PrintChanges writes what becomes of objects, with the differences, and a line that sums up.
func PrintChanges(e *Env, changes []forecast.Change) {
	counts := map[forecast.Verb]int{}
	for _, c := range changes {
		counts[c.Verb]++
		if c.Verb == forecast.Keep && !c.Remade {
			continue
		}
		e.Printf("%s %s %s/%s", signs[c.Verb], c.Verb, strings.ToLower(c.Object.GetKind()), c.Object.GetName())
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
	return "    " + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n    "), "    ")
}
