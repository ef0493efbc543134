// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// safety follows a run write by write, as the API server committed them, and says what
// must never be, whatever the end.
type safety struct {
	ledger *ledger
	run    *run
	// runs are the last committed statuses by name, active the lock as it was last written,
	// beside the runs that need not hold it.
	runs   map[string]*v1alpha1.PlanExecutionStatus
	active *v1alpha1.ActiveExecution
	beside map[string]bool
	// once are the effects that were announced at any time.
	once map[string]bool
	// epoch is the highest so far.
	epoch int64
	found []string
}

// unsafe are the moments of a run in which something was wrong.
func (h *harness) unsafe(l *ledger, r *run) []string {
	s := &safety{ledger: l, run: r, runs: map[string]*v1alpha1.PlanExecutionStatus{}, once: map[string]bool{}}
	// In the order in which the API server answered: what was sent later may come first.
	log := slices.Clone(r.log)
	slices.SortStableFunc(log, func(a, b record) int { return a.at().Compare(b.at()) })
	for i := range log {
		s.follow(&log[i])
	}
	s.found = append(s.found, h.outOfScope(l, r)...)
	return s.found[:min(len(s.found), maxLines)]
}

// at is when a write counts: a note once it is committed, an effect when it is made.
func (r *record) at() time.Time {
	if strings.HasSuffix(r.resource, "/status") && !r.ended.IsZero() {
		return r.ended
	}
	return r.began
}

func (s *safety) fail(format string, args ...any) {
	s.found = append(s.found, fmt.Sprintf(format, args...))
}

func (s *safety) follow(r *record) {
	if r.method == http.MethodDelete && r.precondition() == "" {
		s.fail("%s names no UID", r.write)
	}
	switch {
	case r.account != "":
		s.effect(r)
	case !r.committed():
	case r.resource == "planexecutions/status":
		pe, err := decode[v1alpha1.PlanExecution](r)
		if err != nil {
			s.fail("%v", err)
			return
		}
		s.note(r, &pe.Status)
	case r.resource == "instances/status":
		inst, err := decode[v1alpha1.Instance](r)
		if err != nil {
			s.fail("%v", err)
			return
		}
		s.lock(r, &inst.Status)
	}
}

// lock takes in who holds the Instance: at most one, and only who has ended lets go; and
// who runs beside it.
func (s *safety) lock(r *record, next *v1alpha1.InstanceStatus) {
	was, beside := s.active, s.beside
	s.active, s.beside = next.Active, map[string]bool{}
	if was != nil && (next.Active == nil || next.Active.UID != was.UID) {
		s.letsGo(r, was.Name)
	}
	if next.Active != nil && (was == nil || next.Active.UID != was.UID) {
		s.admits(r, next.Active)
	}
	for i := range next.Shared {
		name := next.Shared[i].Name
		if s.beside[name] = true; !beside[name] {
			s.admits(r, &next.Shared[i])
		}
	}
	for name := range beside {
		if !s.beside[name] {
			s.letsGo(r, name)
		}
	}
}

// letsGo checks that a run has ended that loses its place.
func (s *safety) letsGo(r *record, name string) {
	if old := s.runs[name]; old == nil || !old.State.Terminal() {
		s.fail("%s takes the lock from %s, which had not ended", r.write, stable(name))
	}
}

// admits checks that a run is told from all before it.
func (s *safety) admits(r *record, a *v1alpha1.ActiveExecution) {
	known := s.runs[a.Name]
	if a.Epoch <= s.epoch && (known == nil || known.Epoch != a.Epoch) {
		s.fail("%s admits %s with the epoch %d, after one of %d", r.write, stable(a.Name), a.Epoch, s.epoch)
	}
	s.epoch = max(s.epoch, a.Epoch)
}

// mayAct says whether a run may have effects now.
func (s *safety) mayAct(name string, status *v1alpha1.PlanExecutionStatus) bool {
	if status.Program != nil && status.Program.Shared {
		return s.beside[name]
	}
	return s.active == nil || s.active.Name == name
}

// note takes in a status of a run. What has ended in it stays so, and attempts only grow.
func (s *safety) note(r *record, next *v1alpha1.PlanExecutionStatus) {
	old := s.runs[r.name]
	s.runs[r.name] = next
	s.remember(next)
	before := map[string]v1alpha1.TaskStatus{}
	if old != nil {
		if old.State.Terminal() && old.State != next.State {
			s.fail("%s: %s after it was %s", r.write, next.State, old.State)
		}
		tasks(old, func(path string, t *v1alpha1.TaskStatus, _ bool) { before[path] = *t })
	}
	tasks(next, func(path string, t *v1alpha1.TaskStatus, ready bool) {
		was := before[path]
		switch {
		case t.Attempt < was.Attempt:
			s.fail("%s: attempt %d of %s after attempt %d", r.write, t.Attempt, path, was.Attempt)
		case t.Attempt == was.Attempt && was.State == v1alpha1.RunSucceeded && t.State != was.State:
			s.fail("%s: %s is %s after it had succeeded", r.write, path, t.State)
		}
		if t.State != v1alpha1.RunPending && t.State != v1alpha1.RunSkipped && !ready {
			s.fail("%s: %s has begun before what comes before it had succeeded", r.write, path)
		}
		if t.State == v1alpha1.RunSucceeded && was.State != t.State {
			s.readiness(r, path, t)
		}
	})
}

// readiness checks that what a task made was ready in the cluster before it was said to
// be: Jobs, and workloads that were made in this run.
func (s *safety) readiness(r *record, path string, t *v1alpha1.TaskStatus) {
	for _, ref := range t.Objects {
		resource := strings.Split(targetOf(ref), "/")[0]
		if resource != "jobs" && resource != "statefulsets" {
			continue
		}
		made := slices.ContainsFunc(s.run.log, func(w record) bool {
			target, err := w.target()
			return err == nil && w.account != "" && target == targetOf(ref) && w.code == http.StatusCreated && w.ended.Before(r.at())
		})
		if !made {
			continue
		}
		told := false
		for _, w := range s.ledger.others[s.run.namespace] {
			told = told || (w.Resource == resource+"/status" && w.Name == ref.Name && w.Code == http.StatusOK && w.At.Before(r.at()))
		}
		if !told {
			s.fail("%s: %s succeeded before %s was ready", r.write, path, stable(targetOf(ref)))
		}
	}
}
