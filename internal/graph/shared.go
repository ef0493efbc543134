// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// shared checks a plan that is to run beside others: whatever it holds must be harmless
// there, and nothing about the Instance may depend on it.
func (c *compiler) shared(out *Plan, p *v1alpha1.Plan, path *field.Path) {
	if p.Concurrency != v1alpha1.Shared {
		return
	}
	out.Shared = true
	if out.Lifecycle {
		c.add(field.Invalid(path.Child("concurrency"), p.Concurrency, "a plan that makes or changes the Instance can not run beside others"))
		return
	}
	if of := p.OnFailure; of != nil && (of.Plan != "" || of.Rollback) {
		c.add(field.Forbidden(path.Child("onFailure"), "nothing follows a plan that runs beside others: set undo or fail"))
	}
	check := func(n *engine.Node) {
		switch n.Task.Kind {
		case engine.TaskJob, engine.TaskWait, engine.TaskApprove, engine.TaskManual:
		default:
			c.add(field.Invalid(path.Child("concurrency"), p.Concurrency, "task "+n.Name+" at "+n.Path+" changes objects: only job, wait and approve tasks run beside others"))
		}
	}
	out.Program.Root.Leaves(check)
	out.Program.Root.Undoes(check)
}
