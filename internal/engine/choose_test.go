// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var allPlans = []string{"deploy", "scale", "reindex", "update", "upgrade", "cleanup"}

func want(digest string, options ...func(*Desired)) *Desired {
	d := &Desired{
		Digest: digest, Version: "1.0.0", Account: "sa", Generation: "7", Plans: allPlans,
		Triggers: map[string]string{"nodes": "scale", "index": "reindex"},
	}
	for _, o := range options {
		o(d)
	}
	return d
}

func changed(names ...string) func(*Desired) { return func(d *Desired) { d.Changed = names } }
func version(v string) func(*Desired)        { return func(d *Desired) { d.Version = v } }
func plans(names ...string) func(*Desired)   { return func(d *Desired) { d.Plans = names } }

// ran is a lifecycle run; its UID is its name.
func ran(name, plan string, epoch int64, state v1alpha1.RunState, options ...func(*Run)) Run {
	r := Run{
		Name: name, UID: name, Plan: plan, Trigger: "spec/1/" + name, State: state, Epoch: epoch, Started: true,
		Lifecycle: true, Version: "1.0.0", Desired: "A", Account: "sa", Created: epoch0.Add(time.Duration(epoch) * time.Minute),
	}
	for _, o := range options {
		o(&r)
	}
	return r
}

func desiring(digest string) func(*Run) { return func(r *Run) { r.Desired = digest } }
func of(v string) func(*Run)            { return func(r *Run) { r.Version = v } }
func because(reason string) func(*Run)  { return func(r *Run) { r.Reason = reason } }
func triggered(by string) func(*Run)    { return func(r *Run) { r.Trigger = by } }

func followed(by string) func(*Run)   { return func(r *Run) { r.FollowedBy = by } }
func at(generation string) func(*Run) { return func(r *Run) { r.Generation = generation } }

// beside is a person's run of a shared plan, admitted if it has an epoch.
func beside(name string, epoch int64, options ...func(*Run)) Run {
	r := ran(name, "backup", epoch, v1alpha1.RunPending, byUser(false), func(r *Run) { r.Shared, r.Lifecycle = true, false })
	r.Created = epoch0.Add(time.Duration(10-epoch) * time.Minute)
	for _, o := range options {
		o(&r)
	}
	return r
}

func byUser(preempt bool) func(*Run) {
	return func(r *Run) { r.ByUser, r.Preempt, r.Trigger, r.Started, r.Desired = true, preempt, "", false, "" }
}

func TestChoose(t *testing.T) {
	deployed := ran("d", "deploy", 1, v1alpha1.RunSucceeded)
	rolledBack := ran("r", "rollback", 3, v1alpha1.RunSucceeded, at("7"))
	stalled := ran("u", "update", 2, v1alpha1.RunStalled, desiring("B"))
	tests := map[string]struct {
		facts InstanceFacts
		want  Choice
	}{
		"new instance deploys": {
			InstanceFacts{Desired: want("A")},
			Choice{Start: &Start{"deploy", "spec/7/A"}},
		},
		"nothing to do": {
			InstanceFacts{Desired: want("A"), Completed: &deployed, Runs: []Run{deployed}},
			Choice{},
		},
		"waits for its version": {InstanceFacts{}, Choice{}},
		"what a person cancelled is not started again": {
			InstanceFacts{Desired: want("A"), Runs: []Run{
				ran("d", "deploy", 1, v1alpha1.RunCancelled, because(v1alpha1.ReasonCancelled), triggered("spec/7/A"), func(r *Run) { r.Message = "cancelled by alice" }),
			}},
			Choice{
				Blocked: v1alpha1.ReasonPlanCancelled,
				Message: "plan deploy was cancelled by alice (PlanExecution d): change the spec, or run a plan by hand",
			},
		},
		"what a failed plan names follows it": {
			InstanceFacts{Desired: want("B"), Completed: &deployed, Runs: []Run{
				deployed, ran("u", "update", 2, v1alpha1.RunFailed, desiring("B"), triggered("spec/7/B"), followed("reindex"), at("7")),
			}},
			Choice{Start: &Start{"reindex", "onFailure/u"}},
		},
		"it follows once": {
			InstanceFacts{Desired: want("B"), Completed: &deployed, Runs: []Run{
				deployed, ran("u", "update", 2, v1alpha1.RunFailed, desiring("B"), triggered("spec/7/B"), followed("reindex"), at("7")),
				ran("r", "reindex", 3, v1alpha1.RunFailed, desiring("B"), triggered("onFailure/u"), at("7")),
			}},
			Choice{Blocked: v1alpha1.ReasonPlanFailed, Message: "plan update failed (PlanExecution u): change the spec, or run a plan by hand"},
		},
		"a changed spec comes before what follows": {
			InstanceFacts{Desired: want("C"), Completed: &deployed, Runs: []Run{
				deployed, ran("u", "update", 2, v1alpha1.RunFailed, desiring("B"), triggered("spec/6/B"), followed("reindex"), at("6")),
			}},
			Choice{Start: &Start{"update", "spec/7/C"}},
		},
		"nothing to roll back to": {
			InstanceFacts{Desired: want("A"), Runs: []Run{
				ran("d", "deploy", 1, v1alpha1.RunFailed, triggered("spec/7/A"), followed("rollback"), at("7")),
			}},
			Choice{Blocked: v1alpha1.ReasonPlanFailed, Message: "plan deploy failed (PlanExecution d): change the spec, or run a plan by hand"},
		},
		"rolled back until the spec changes": {
			InstanceFacts{Desired: want("B"), Completed: &rolledBack, Runs: []Run{
				deployed, ran("u", "update", 2, v1alpha1.RunCancelled, desiring("B"), because(v1alpha1.ReasonPreempted)), rolledBack,
			}},
			Choice{
				Blocked: v1alpha1.ReasonRolledBack,
				Message: "rolled back to what ran before, version 1.0.0 (PlanExecution r): change the spec, or run a plan by hand",
			},
		},
		"rolled back and the spec changed": {
			InstanceFacts{Desired: want("C", func(d *Desired) { d.Generation = "8" }), Completed: &rolledBack, Runs: []Run{deployed, rolledBack}},
			Choice{Start: &Start{"update", "spec/8/C"}},
		},
		"rolled back to what is wanted": {
			InstanceFacts{Desired: want("A"), Completed: &rolledBack, Runs: []Run{deployed, rolledBack}},
			Choice{},
		},
		"a changed spec ends a rollback": {
			InstanceFacts{Desired: want("C"), Active: "r", Completed: &deployed, Runs: []Run{
				deployed, ran("r", "rollback", 3, v1alpha1.RunRunning, desiring(""), at("6")),
			}},
			Choice{Stop: v1alpha1.ReasonSuperseded},
		},
		"a shared run starts beside what runs": {
			InstanceFacts{Desired: want("B"), Active: "u", Completed: &deployed, Runs: []Run{
				deployed, ran("u", "update", 2, v1alpha1.RunRunning, desiring("B")), beside("b", 0), beside("c", 3),
			}},
			Choice{Share: []Run{beside("c", 3), beside("b", 0)}},
		},
		"a shared run goes on where status was wiped, and ends with its own": {
			InstanceFacts{Desired: want("A"), Completed: &deployed, Runs: []Run{
				deployed, beside("b", 2), beside("c", 3, func(r *Run) { r.State = v1alpha1.RunSucceeded }),
			}},
			Choice{Share: []Run{beside("b", 2)}},
		},
		"no shared run starts before the first deploy has succeeded": {
			InstanceFacts{Desired: want("A"), Runs: []Run{beside("b", 0)}},
			Choice{Start: &Start{"deploy", "spec/7/A"}},
		},
		"the cleanup waits for the end of shared runs": {
			InstanceFacts{Deleting: true, Desired: want("A"), Beside: []string{"b"}, Completed: &deployed, Runs: []Run{deployed, beside("b", 2)}},
			Choice{Share: []Run{beside("b", 2)}, StopShared: v1alpha1.ReasonDeleted},
		},
		"suspended": {
			InstanceFacts{Desired: want("A"), Suspended: true},
			Choice{Blocked: v1alpha1.ReasonSuspended, Message: "spec.suspend is true: no execution starts"},
		},
		"parameter without trigger updates": {
			InstanceFacts{Desired: want("B", changed("memory")), Completed: &deployed, Runs: []Run{deployed}},
			Choice{Start: &Start{"update", "spec/7/B"}},
		},
		"triggered plans run in declared order, before update": {
			InstanceFacts{Desired: want("B", changed("index", "memory", "nodes")), Completed: &deployed, Runs: []Run{deployed}},
			Choice{Start: &Start{"scale", "spec/7/B"}},
		},
		"no update plan falls back to deploy": {
			InstanceFacts{Desired: want("B", changed("memory"), plans("deploy")), Completed: &deployed, Runs: []Run{deployed}},
			Choice{Start: &Start{"deploy", "spec/7/B"}},
		},
		"new version upgrades": {
			InstanceFacts{Desired: want("B", version("2.0.0"), changed("nodes")), Completed: &deployed, Runs: []Run{deployed}},
			Choice{Start: &Start{"upgrade", "spec/7/B"}},
		},
		"interrupted upgrade goes back by upgrade": {
			InstanceFacts{
				Desired: want("A"), Completed: &deployed,
				Runs: []Run{deployed, ran("u", "upgrade", 2, v1alpha1.RunCancelled, of("2.0.0"), desiring("B"), because("Superseded"))},
			},
			Choice{Start: &Start{"upgrade", "spec/7/A"}},
		},
		"A to half of B to A converges by update": {
			InstanceFacts{
				Desired: want("A"), Completed: &deployed,
				Runs: []Run{deployed, ran("u", "update", 2, v1alpha1.RunCancelled, desiring("B"), because("Superseded"))},
			},
			Choice{Start: &Start{"update", "spec/7/A"}},
		},
		"running execution goes on": {
			InstanceFacts{Desired: want("A"), Active: "d", Runs: []Run{ran("d", "deploy", 1, v1alpha1.RunRunning)}},
			Choice{},
		},
		"newer desired state supersedes": {
			InstanceFacts{Desired: want("B"), Active: "d", Runs: []Run{ran("d", "deploy", 1, v1alpha1.RunRunning)}},
			Choice{Stop: v1alpha1.ReasonSuperseded},
		},
		"another account supersedes what is stalled only": {
			InstanceFacts{
				Desired: want("B", func(d *Desired) { d.Account = "other" }), Active: "u", Completed: &deployed, Runs: []Run{deployed, stalled},
			},
			Choice{Stop: v1alpha1.ReasonSuperseded},
		},
		"a person's run preempts what is stalled": {
			InstanceFacts{
				Desired: want("B", changed("memory")), Active: "u", Completed: &deployed,
				Runs: []Run{deployed, stalled, ran("mine", "deploy", 0, "", byUser(true))},
			},
			Choice{Stop: v1alpha1.ReasonPreempted},
		},
		"a person's run does not preempt unless it says so": {
			InstanceFacts{
				Desired: want("B", changed("memory")), Active: "u", Completed: &deployed,
				Runs: []Run{deployed, stalled, ran("mine", "deploy", 0, "", byUser(false))},
			},
			Choice{},
		},
		"suspended: what runs goes on although the spec changed": {
			InstanceFacts{Desired: want("B"), Suspended: true, Active: "d", Runs: []Run{ran("d", "deploy", 1, v1alpha1.RunRunning)}},
			Choice{},
		},
		"history deleted by hand does not deploy again": {
			InstanceFacts{
				Desired:   want("B", changed("memory")),
				Completed: &Run{UID: "gone", Version: "1.0.0", Desired: "A", Deployed: true, State: v1alpha1.RunSucceeded},
			},
			Choice{Start: &Start{"update", "spec/7/B"}},
		},
		"the lock is found again after status was wiped": {
			InstanceFacts{Desired: want("B", changed("memory")), Completed: &deployed, Runs: []Run{deployed, stalled}},
			Choice{Admit: &stalled},
		},
		"what was created but not admitted is admitted": {
			InstanceFacts{
				Desired: want("A"),
				Runs:    []Run{ran("d", "deploy", 0, "", triggered("spec/7/A"), func(r *Run) { r.Started = false })},
			},
			Choice{Admit: &Run{
				Name: "d", UID: "d", Plan: "deploy", Trigger: "spec/7/A", Lifecycle: true, Version: "1.0.0", Desired: "A",
				Account: "sa", Created: epoch0,
			}},
		},
		"deleting stops what runs": {
			InstanceFacts{Deleting: true, Active: "u", Runs: []Run{deployed, stalled}},
			Choice{Stop: v1alpha1.ReasonDeleted},
		},
		"deleting cleans up": {
			InstanceFacts{Deleting: true, Desired: want("A"), Runs: []Run{deployed}},
			Choice{Start: &Start{"cleanup", "delete"}},
		},
		"deleting what was never started needs no cleanup": {
			InstanceFacts{Deleting: true, Desired: want("A")}, Choice{Done: true},
		},
		"cleaned up": {
			InstanceFacts{
				Deleting: true, Desired: want("A"),
				Runs: []Run{deployed, ran("c", "cleanup", 2, v1alpha1.RunSucceeded, triggered("delete"))},
			},
			Choice{Done: true},
		},
		"cleanup takes too long": {
			InstanceFacts{
				Deleting: true, SkipCleanup: true, Active: "c",
				Runs: []Run{deployed, ran("c", "cleanup", 2, v1alpha1.RunStalled, triggered("delete"))},
			},
			Choice{Done: true},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Choose(test.facts)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPreemptedRunComesAgain(t *testing.T) {
	deployed := ran("d", "deploy", 1, v1alpha1.RunSucceeded)
	mine := ran("mine", "scale", 3, v1alpha1.RunSucceeded, byUser(true), desiring("B"))
	got := Choose(InstanceFacts{Desired: want("B"), Completed: &mine, Runs: []Run{
		deployed, ran("u", "update", 2, v1alpha1.RunCancelled, desiring("B"), because("Preempted"), triggered("spec/7/B")), mine,
	}})
	if diff := cmp.Diff(Choice{Start: &Start{"update", "again/u"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// While it is not known what is wanted, it is not known either what nobody waits for.
func TestStaleExecutionsAreDiscarded(t *testing.T) {
	old := ran("old", "update", 0, "", triggered("spec/6/B"))
	if diff := cmp.Diff(Choice{}, Choose(InstanceFacts{Runs: []Run{old}})); diff != "" {
		t.Errorf("without a desired state (-want +got):\n%s", diff)
	}
	got := Choose(InstanceFacts{Desired: want("A"), Runs: []Run{old}})
	if diff := cmp.Diff(Choice{Start: &Start{"deploy", "spec/7/A"}, Discard: []Run{old}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOwnedBy(t *testing.T) {
	d := *want("B", changed("nodes", "memory"))
	tests := map[string]struct {
		plan     string
		deployed bool
		want     map[string]bool
	}{
		"a triggered plan owns its parameters only": {"scale", true, map[string]bool{"nodes": true, "memory": false, "index": false}},
		"update owns all":                     {"update", true, map[string]bool{"nodes": true, "memory": true, "index": true}},
		"upgrade leaves triggered ones alone": {"upgrade", true, map[string]bool{"nodes": false, "memory": true, "index": false}},
		"before the first deploy all are new": {"scale", false, map[string]bool{"nodes": true, "memory": true, "index": true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			owns := OwnedBy(test.plan, d, test.deployed)
			for parameter, want := range test.want {
				if got := owns(parameter); got != want {
					t.Errorf("%s: got %v, want %v", parameter, got, want)
				}
			}
		})
	}
}

func TestPreemptingRunIsAdmittedBeforeThePreemptedOneComesAgain(t *testing.T) {
	deployed := ran("d", "deploy", 1, v1alpha1.RunSucceeded)
	mine := ran("mine", "scale", 0, "", byUser(true))
	got := Choose(InstanceFacts{Desired: want("B", changed("memory")), Completed: &deployed, Runs: []Run{
		deployed, ran("u", "update", 2, v1alpha1.RunCancelled, desiring("B"), because("Preempted"), triggered("spec/7/B")), mine,
	}})
	if diff := cmp.Diff(Choice{Admit: &mine}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSucceededRunSettles: whatever the plan does, a run for the spec that succeeded is
// not followed by another one for the same spec.
func TestSucceededRunSettles(t *testing.T) {
	deployed := ran("d", "deploy", 1, v1alpha1.RunSucceeded)
	for _, plan := range []string{"deploy", "update", "upgrade", "reindex"} {
		newest := ran("n", plan, 2, v1alpha1.RunSucceeded, desiring("B"))
		got := Choose(InstanceFacts{Desired: want("B"), Completed: &newest, Runs: []Run{deployed, newest}})
		if diff := cmp.Diff(Choice{}, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", plan, diff)
		}
	}
}
