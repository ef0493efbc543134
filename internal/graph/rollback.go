// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// rollback is the plan that every version has: one step that puts the objects back as
// the last completed run left them.
var rollback = newRollback()

func newRollback() *Plan {
	const phase, step, task = "restore", "objects", "restore"
	leaf := &engine.Node{Name: task, Path: phase + "/" + step + "/" + task, Task: &engine.Task{
		Kind: engine.TaskRestore, Timeout: defaultWorkTimeout,
		Retry: engine.Retry{Limit: defaultRetries, Backoff: defaultBackoff, Factor: defaultFactor},
	}}
	root := &engine.Node{Strategy: v1alpha1.Serial, Children: []*engine.Node{{
		Name: phase, Path: phase, Strategy: v1alpha1.Serial, Children: []*engine.Node{{
			Name: step, Path: phase + "/" + step, Strategy: v1alpha1.Serial, Children: []*engine.Node{leaf},
		}},
	}}}
	return &Plan{
		Program: &engine.Program{Plan: v1alpha1.PlanRollback, Root: root}, Lifecycle: true,
		Tasks: map[string]*Task{leaf.Path: {Name: task, builtin: engine.TaskRestore}},
	}
}

// Plan returns the plan with a name, the built-in rollback among them; nil if there is none.
func (v *Version) Plan(name string) *Plan {
	if name == v1alpha1.PlanRollback {
		return rollback
	}
	return v.Plans[name]
}

// Shared names the plans that run beside others, in declared order.
func (v *Version) Shared() []string {
	var out []string
	for _, name := range v.PlanNames {
		if v.Plans[name].Shared {
			out = append(out, name)
		}
	}
	return out
}

// Task returns the task with a name, or nil.
func (v *Version) Task(name string) *Task { return v.tasks[name] }
