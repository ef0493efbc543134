// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Run is an execution of an Instance as Choose sees it.
type Run struct {
	Name, UID string
	Plan      string
	Trigger   string
	State     v1alpha1.RunState
	Reason    string
	Epoch     int64
	Started   bool
	Created   time.Time
	// ByUser says that a person created it, not Kudo.
	ByUser bool
	// Preempt lets it take over from a stalled run.
	Preempt bool
	// Lifecycle says that the plan applies or deletes objects.
	Lifecycle bool
	// Shared says that the plan runs beside others.
	Shared bool
	// Version of the framework that it runs.
	Version string
	// Desired is the digest of what the Instance wanted when the run was pinned.
	Desired string
	// Account as which it applies.
	Account string
	// Deployed says, of a completed run, that a deploy had completed by then.
	Deployed bool
	// FollowedBy names the plan that runs because this one failed.
	FollowedBy string
	// Generation of the Instance when the run was pinned.
	Generation string
	// Message says how it ended.
	Message string
	// Finished is when it ended.
	Finished time.Time
}

// Waits says whether it was made and nothing has admitted it.
func (r Run) Waits() bool { return r.Epoch == 0 && !r.State.Terminal() }

// InstanceFacts are what Choose decides from.
type InstanceFacts struct {
	Deleting bool
	// SkipCleanup says that no cleanup plan can or should run.
	SkipCleanup bool
	Suspended   bool
	// Desired is nil while something that the Instance refers to is missing or wrong.
	Desired *Desired
	// Active is the UID of the execution that holds the Instance; empty for none.
	Active string
	// Beside are the UIDs of the executions that run beside it.
	Beside []string
	// Completed is the digest and version of the last lifecycle run that succeeded.
	Completed *Run
	Runs      []Run
	// Incidents are the recovery rules whose condition holds, in the order of the version.
	Incidents []Incident
	// Unsure says that they may not hold any more, and that others may: nothing starts
	// because of them, and nothing that did is discarded.
	Unsure bool
	// Now is the time that incidents are judged by.
	Now time.Time
}

// Choice is what an Instance does next. At most one of Stop, Admit and Start is set.
type Choice struct {
	// Share are the existing executions that run beside others from now on, or go on to.
	Share []Run
	// StopShared asks all of these to end, with this reason.
	StopShared string
	// Stop asks the active execution to end, with this reason.
	Stop string
	// Admit is an existing execution to admit.
	Admit *Run
	// Start is an execution to create and admit.
	Start *Start
	// Discard lists executions that Kudo created and that nothing waits for any more.
	Discard []Run
	// Blocked says why nothing starts although something should; a condition reason.
	Blocked, Message string
	// Undecided says that nothing starts before it is known whether a recovery rule holds:
	// what starts now would only have to give way again.
	Undecided bool
	// Wake is when to choose again although nothing happened; zero for never.
	Wake time.Time
	// Done says, of an Instance being deleted, that no plan is left to run.
	Done bool
}

// Start is an execution to create.
type Start struct {
	Plan, Trigger string
}

// Triggers of executions that Kudo creates.
const (
	triggerSpec   = "spec/"
	triggerAgain  = "again/"
	triggerDelete = "delete"
	// TriggerOnFailure is the beginning of the trigger of a run that follows a failure.
	TriggerOnFailure = "onFailure/"
)

// Choose decides which execution holds the Instance next, and which run beside it. It is
// deterministic and total.
func Choose(f InstanceFacts) Choice {
	share := f.share()
	rest := f
	rest.Runs = slices.DeleteFunc(slices.Clone(f.Runs), func(r Run) bool { return r.Shared })
	c := rest.choose()
	c.Share = share
	if f.Deleting && len(share) > 0 && !f.SkipCleanup {
		// The cleanup waits for their end: it may remove what they use.
		return Choice{Stop: c.Stop, Share: share, StopShared: v1alpha1.ReasonDeleted}
	}
	return c
}

// choose is Choose for exclusive runs alone.
func (f InstanceFacts) choose() Choice {
	if f.Deleting && f.SkipCleanup {
		return Choice{Done: true}
	}
	if active := f.active(); active != nil {
		return f.whileRunning(active)
	}
	if lost := f.lostActive(); lost != nil {
		return Choice{Admit: lost}
	}
	if f.Deleting {
		return f.chooseCleanup()
	}
	if f.Desired == nil {
		return Choice{} // what waits may be wanted once it is known again
	}
	if f.Suspended {
		return Choice{Blocked: v1alpha1.ReasonSuspended, Message: "spec.suspend is true: no execution starts"}
	}
	if mine := f.oldestUserRun(true); mine != nil && f.preempted() {
		return Choice{Admit: mine, Discard: f.stale(nil)}
	}
	if first := f.recovery(true); first.Start != nil || first.Admit != nil || first.Undecided {
		return first
	}
	return f.repairAtRest(f.chooseForSpec())
}

// repairAtRest is what a recovery rule runs where nothing follows from the spec.
func (f InstanceFacts) repairAtRest(next Choice) Choice {
	if next.Start != nil || next.Admit != nil {
		return next
	}
	repair := f.recovery(false)
	next.wakeAt(repair.Wake)
	switch {
	case repair.Start != nil || repair.Admit != nil:
		return repair
	case next.Blocked == "" && !repair.Undecided:
		next.Blocked, next.Message = repair.Blocked, repair.Message
	}
	return next
}

// chooseForSpec is what follows from the spec and from what ran because of it.
func (f InstanceFacts) chooseForSpec() Choice {
	for _, rule := range []func() *Choice{f.afterFailure, f.rolledBack, f.contentFailed} {
		if next := rule(); next != nil {
			return *next
		}
	}
	plan, needed := f.plan()
	if !needed {
		if next := f.contentChanged(); next != nil {
			return *next
		}
		return Choice{Admit: f.oldestUserRun(false), Discard: f.stale(nil)}
	}
	if plan == "" {
		return Choice{Blocked: v1alpha1.ReasonNoPlan, Message: "version " + f.Desired.Version + " has no deploy plan"}
	}
	return f.startSpec(plan)
}

// active is the execution that holds the Instance, unless it has ended or is gone.
func (f InstanceFacts) active() *Run {
	for i := range f.Runs {
		if r := &f.Runs[i]; f.Active != "" && r.UID == f.Active && !r.State.Terminal() {
			return r
		}
	}
	return nil
}

// lostActive is the execution that holds the Instance although status was wiped:
// the one that was admitted and has not ended.
func (f InstanceFacts) lostActive() *Run {
	for i := range f.Runs {
		if r := &f.Runs[i]; r.Epoch > 0 && !r.State.Terminal() {
			return r
		}
	}
	return nil
}

// whileRunning says whether the active execution goes on.
func (f InstanceFacts) whileRunning(active *Run) Choice {
	if stop := f.stopFor(active); stop != "" || f.Deleting || f.Suspended || f.Desired == nil {
		return Choice{Stop: stop}
	}
	preempted, wake := f.preemptedBy(active)
	if preempted {
		return Choice{Stop: v1alpha1.ReasonPreempted}
	}
	return Choice{Wake: wake}
}

// stopFor says why the active execution should end; empty if it should go on.
func (f InstanceFacts) stopFor(active *Run) string {
	switch {
	case f.Deleting && active.Trigger != triggerDelete:
		return v1alpha1.ReasonDeleted
	case f.Deleting || f.Suspended || f.Desired == nil || active.Trigger == triggerDelete:
		return ""
	case active.forRecovery() && active.State != v1alpha1.RunStalled:
		return "" // it is about what runs, not about what is wanted
	case active.Desired != "" && active.Desired != f.Desired.Digest,
		active.Plan == v1alpha1.PlanRollback && active.Generation != "" && active.Generation != f.Desired.Generation:
		return v1alpha1.ReasonSuperseded
	case active.State != v1alpha1.RunStalled:
		return ""
	case active.Account != "" && active.Account != f.Desired.Account:
		return v1alpha1.ReasonSuperseded
	case f.oldestUserRun(true) != nil:
		return v1alpha1.ReasonPreempted
	}
	return ""
}

// oldestUserRun is the oldest execution of a person that waits.
func (f InstanceFacts) oldestUserRun(preempt bool) *Run {
	var oldest *Run
	for i := range f.Runs {
		r := &f.Runs[i]
		if !r.ByUser || !r.Waits() || (preempt && !r.Preempt) {
			continue
		}
		if oldest == nil || r.Created.Before(oldest.Created) || (r.Created.Equal(oldest.Created) && r.Name < oldest.Name) {
			oldest = r
		}
	}
	return oldest
}

// stale are executions that Kudo created but never admitted, but for the one wanted now.
func (f InstanceFacts) stale(wanted *Start) []Run {
	var out []Run
	for _, r := range f.Runs {
		if r.ByUser || !r.Waits() || f.Unsure && r.forRecovery() {
			continue
		}
		if wanted == nil || r.Plan != wanted.Plan || r.Trigger != wanted.Trigger {
			out = append(out, r)
		}
	}
	return out
}

// plan says which plan the newest desired state needs, and whether it needs one.
func (f InstanceFacts) plan() (plan string, needed bool) {
	d := f.Desired
	dirty, upgrading := f.unfinished()
	switch {
	case f.Completed == nil || !f.deployed():
		return d.first(v1alpha1.PlanDeploy), true
	case f.Completed.Version != d.Version || upgrading:
		return d.first(v1alpha1.PlanUpgrade, v1alpha1.PlanUpdate, v1alpha1.PlanDeploy), true
	case len(d.Changed) > 0:
		return d.first(append(d.triggered(), v1alpha1.PlanUpdate, v1alpha1.PlanDeploy)...), true
	case f.Completed.Desired != d.Digest, dirty:
		return d.first(v1alpha1.PlanUpdate, v1alpha1.PlanDeploy), true
	case f.preempted():
		return d.first(v1alpha1.PlanUpdate, v1alpha1.PlanDeploy), true
	}
	return "", false
}

// deployed says whether a lifecycle run that makes a whole instance ever succeeded.
func (f InstanceFacts) deployed() bool {
	if slices.ContainsFunc(f.Runs, func(r Run) bool {
		return r.State == v1alpha1.RunSucceeded && r.Plan == v1alpha1.PlanDeploy
	}) {
		return true
	}
	// People may delete the history; the state at rest is remembered beside it.
	return f.Completed != nil && f.Completed.Deployed
}

// unfinished says whether a lifecycle run has started since the last completed one,
// and whether one of those was of another version.
func (f InstanceFacts) unfinished() (dirty, upgrading bool) {
	if f.Completed == nil {
		return false, false
	}
	for _, r := range f.Runs {
		if r.Lifecycle && r.Started && r.Epoch > f.Completed.Epoch && r.State != v1alpha1.RunSucceeded {
			dirty = true
			upgrading = upgrading || r.Version != f.Completed.Version
		}
	}
	return dirty, upgrading
}

// preempted says whether the newest run for a spec or a content gave way to a person's run.
func (f InstanceFacts) preempted() bool {
	newest := f.newest(Run.forSpec)
	return newest != nil && newest.State == v1alpha1.RunCancelled && newest.Reason == v1alpha1.ReasonPreempted
}

func (r Run) forSpec() bool {
	return strings.HasPrefix(r.Trigger, triggerSpec) || strings.HasPrefix(r.Trigger, triggerAgain) || strings.HasPrefix(r.Trigger, triggerContent)
}

// newest is the run that was admitted last, of those that match.
func (f InstanceFacts) newest(match func(Run) bool) *Run {
	var newest *Run
	for i := range f.Runs {
		if r := &f.Runs[i]; r.Epoch > 0 && match(*r) && (newest == nil || r.Epoch > newest.Epoch) {
			newest = r
		}
	}
	return newest
}

// startSpec names the execution that the spec needs. One that ended without
// success and was not told to stop needs a person; one that was told to stop
// is followed by another.
func (f InstanceFacts) startSpec(plan string) Choice {
	start := &Start{Plan: plan, Trigger: triggerSpec + f.Desired.Generation + "/" + f.Desired.Digest}
	for range len(f.Runs) + 1 {
		old := f.find(start)
		if old == nil {
			return Choice{Start: start, Discard: f.stale(start)}
		}
		if !old.State.Terminal() {
			return Choice{Admit: old, Discard: f.stale(start)}
		}
		if reason, message := old.needsPerson(); reason != "" {
			return Choice{Admit: f.oldestUserRun(false), Blocked: reason, Message: message}
		}
		start = &Start{Plan: plan, Trigger: triggerAgain + old.UID}
	}
	return Choice{}
}

func (f InstanceFacts) find(s *Start) *Run {
	for i := range f.Runs {
		if f.Runs[i].Plan == s.Plan && f.Runs[i].Trigger == s.Trigger {
			return &f.Runs[i]
		}
	}
	return nil
}

// chooseCleanup runs the cleanup plan once, if there is anything to clean up.
func (f InstanceFacts) chooseCleanup() Choice {
	start := &Start{Plan: v1alpha1.PlanCleanup, Trigger: triggerDelete}
	nothing := f.Completed == nil && !slices.ContainsFunc(f.Runs, func(r Run) bool { return r.Started && r.Lifecycle })
	if nothing || f.Desired == nil || f.Desired.first(v1alpha1.PlanCleanup) == "" {
		return Choice{Done: true}
	}
	switch old := f.find(start); {
	case old == nil:
		return Choice{Start: start, Discard: f.stale(start)}
	case !old.State.Terminal():
		return Choice{Admit: old, Discard: f.stale(start)}
	}
	return Choice{Done: true}
}
