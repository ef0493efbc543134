// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/projection"
)

// kudo is a command of the plugin for this Instance.
func (d *diagnosis) kudo(command, rest, why string) Command {
	run := fmt.Sprintf("kubectl kudo -n %s %s %s %s", d.Instance.Namespace, command, d.Instance.Name, rest)
	return Command{Run: strings.TrimSpace(run), Why: why}
}

// kubectl is a command in the Instance's namespace.
func (d *diagnosis) kubectl(why, format string, args ...any) Command {
	return Command{Run: "kubectl -n " + d.Instance.Namespace + " " + fmt.Sprintf(format, args...), Why: why}
}

// anywhere is a command for what has no namespace, or another one.
func anywhere(why, format string, args ...any) Command {
	return Command{Run: "kubectl " + fmt.Sprintf(format, args...), Why: why}
}

// edited is what a user edits to change the Instance.
func (d *diagnosis) edited() string {
	if owner := projection.Owner(d.Instance); owner != nil {
		return strings.ToLower(owner.Kind) + "/" + owner.Name
	}
	return "instance/" + d.Instance.Name
}

func (d *diagnosis) edit(why string) Command { return d.kubectl(why, "edit %s", d.edited()) }

// again is the retry that a stalled part needs once its cause is gone.
func (d *diagnosis) again(pe *v1alpha1.PlanExecution, path string, next ...Command) []Command {
	if pe.Status.State != v1alpha1.RunStalled {
		return next
	}
	return append(next, d.kudo("retry", path, "once that is done: try again"))
}

// resource is how kubectl names an object.
func resource(kind, name string) string { return strings.ToLower(kind) + "/" + name }
