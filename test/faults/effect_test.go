// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"net/http"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// tasks visits the tasks of a status, then those that take steps back. Ready says whether
// all steps that come first are done.
func tasks(s *v1alpha1.PlanExecutionStatus, visit func(path string, t *v1alpha1.TaskStatus, ready bool)) {
	ready := true
	for i := range s.Phases {
		for j := range s.Phases[i].Steps {
			step := &s.Phases[i].Steps[j]
			for k := range step.Tasks {
				visit(s.Phases[i].Name+"/"+step.Name+"/"+step.Tasks[k].Name, &step.Tasks[k], ready)
			}
			ready = ready && ended(step.State)
		}
	}
	ready = true
	for _, phase := range slices.Backward(s.Phases) {
		for _, step := range slices.Backward(phase.Steps) {
			undone := step.StartedAt == nil || len(step.Undo) > 0
			for k := range step.Undo {
				visit(phase.Name+"/"+step.Name+undo+step.Undo[k].Name, &step.Undo[k], ready)
				undone = undone && ended(step.Undo[k].State)
			}
			ready = ready && undone
		}
	}
}

// undo stands in the path of a task that takes its step back.
const undo = "/undo/"

func ended(s v1alpha1.RunState) bool { return s == v1alpha1.RunSucceeded || s == v1alpha1.RunSkipped }

// makes and removes say what a task of the framework does to its objects, by its name.
// What takes a step back may do both.
func makes(path string) bool { return strings.Contains(path, undo) || !removing(path) }

func removes(path string) bool { return strings.Contains(path, undo) || removing(path) }

func removing(path string) bool {
	task := path[strings.LastIndex(path, "/")+1:]
	return strings.HasPrefix(task, "remove-") || strings.HasPrefix(task, "stop-")
}

// remember keeps what a status announces.
func (s *safety) remember(status *v1alpha1.PlanExecutionStatus) {
	add := func(announces bool, verb string, objects []v1alpha1.ObjectReference) {
		for _, o := range objects {
			if announces {
				s.once[verb+targetOf(o)] = true
			}
		}
	}
	tasks(status, func(path string, t *v1alpha1.TaskStatus, ready bool) {
		add(ready && t.State == v1alpha1.RunRunning && makes(path), "make ", t.Objects)
		add(ready && t.State == v1alpha1.RunRunning && removes(path), "remove ", t.Objects)
	})
	add(true, "remove ", status.Pruned)
}

// effect checks that a write as the account was announced: by the run that holds the
// Instance, in the task whose turn it is. Before the user's move, what others changed may
// be put back.
func (s *safety) effect(r *record) {
	target, err := r.target()
	if err != nil {
		s.fail("%v", err)
		return
	}
	if r.method == http.MethodPatch && r.began.Before(s.run.acted) {
		return
	}
	names := func(objects []v1alpha1.ObjectReference) bool {
		return slices.ContainsFunc(objects, func(o v1alpha1.ObjectReference) bool { return targetOf(o) == target })
	}
	does, verb := makes, "make "
	if r.method == http.MethodDelete {
		does, verb = removes, "remove "
	}
	announced, early := false, false
	for name, status := range s.runs {
		if status.State.Terminal() || !s.mayAct(name, status) {
			continue
		}
		done := true
		tasks(status, func(path string, t *v1alpha1.TaskStatus, ready bool) {
			done = done && t.State.Terminal()
			if t.State == v1alpha1.RunRunning && does(path) && names(t.Objects) {
				announced, early = true, early || !ready
			}
		})
		if r.method == http.MethodDelete && names(status.Pruned) {
			announced, early = true, early || !done
		}
	}
	switch {
	// What it does to the end shows in the state; so does what it puts back as drift, while it
	// does not know of the run.
	case !announced && s.run.stale && (s.once[verb+target] || r.method == http.MethodPatch):
	case !announced:
		s.fail("%s was announced by no status", r.write)
	case early:
		s.fail("%s came before its turn", r.write)
	}
}
