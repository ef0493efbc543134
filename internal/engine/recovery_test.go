// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// noon is when incidents are judged; runs of the fixture were created before.
var noon = epoch0.Add(time.Hour)

// broken is a rule whose condition has held for five minutes and needs four of them.
func broken(rule, plan string, options ...func(*Incident)) Incident {
	i := Incident{Rule: rule, Plan: plan, When: "it is broken", Since: noon.Add(-5 * time.Minute), For: 4 * time.Minute, Attempts: 2, Window: time.Hour}
	for _, o := range options {
		o(&i)
	}
	return i
}

func preempting(i *Incident) { i.Preempt = true }
func fresh(i *Incident)      { i.Since = noon.Add(-time.Minute) }

// repair is a run of the rule "dead", that was created and ended some time before noon.
func repair(trigger string, epoch int64, state v1alpha1.RunState, created, finished time.Duration) Run {
	r := ran("r"+trigger, "reindex", epoch, state, triggered(TriggerRecovery+trigger), at("7"), desiring("A"))
	r.Created = noon.Add(-created)
	if finished > 0 {
		r.Finished = noon.Add(-finished)
	}
	return r
}

func TestChooseForRecovery(t *testing.T) {
	deployed := ran("d", "deploy", 1, v1alpha1.RunSucceeded)
	updating := ran("u", "update", 2, v1alpha1.RunRunning, desiring("B"))
	first, second := repair("dead/1", 3, v1alpha1.RunSucceeded, 40*time.Minute, 30*time.Minute), repair("dead/2", 4, v1alpha1.RunSucceeded, 20*time.Minute, 10*time.Minute)
	facts := func(incidents []Incident, runs ...Run) InstanceFacts {
		return InstanceFacts{Desired: want("A"), Completed: &deployed, Runs: append([]Run{deployed}, runs...), Incidents: incidents, Now: noon}
	}
	wanting := func(f InstanceFacts, digest string) InstanceFacts {
		f.Desired = want(digest)
		return f
	}
	holding := func(f InstanceFacts, name string) InstanceFacts {
		f.Active = name
		return f
	}
	dead := []Incident{broken("dead", "reindex")}
	urgent := []Incident{broken("dead", "reindex", preempting)}
	tests := map[string]struct {
		facts InstanceFacts
		want  Choice
	}{
		"what is broken for long enough is repaired": {facts(dead), Choice{Start: &Start{"reindex", "recovery/dead/1"}}},
		"not before that": {
			facts([]Incident{broken("dead", "reindex", fresh)}),
			Choice{Wake: noon.Add(3 * time.Minute)},
		},
		"the first that has held for long enough acts": {
			facts([]Incident{broken("worse", "scale", fresh), broken("dead", "reindex"), broken("third", "update")}),
			Choice{Start: &Start{"reindex", "recovery/dead/1"}},
		},
		"an execution that exists already is admitted": {
			facts(dead, repair("dead/1", 0, "", time.Minute, 0)),
			Choice{Admit: new(repair("dead/1", 0, "", time.Minute, 0))},
		},
		"one that nobody needs any more is discarded": {
			facts(nil, repair("dead/1", 0, "", time.Minute, 0)),
			Choice{Discard: []Run{repair("dead/1", 0, "", time.Minute, 0)}},
		},
		"but not before it is known what is broken": {
			func() InstanceFacts {
				f := facts(nil, repair("dead/1", 0, "", time.Minute, 0))
				f.Unsure = true
				return f
			}(),
			Choice{},
		},
		"its time counts from the end of the last run": {
			facts(dead, repair("dead/1", 2, v1alpha1.RunSucceeded, 3*time.Minute, time.Minute)),
			Choice{Wake: noon.Add(3 * time.Minute)},
		},
		"it runs again, as often as it may": {facts(dead, first), Choice{Start: &Start{"reindex", "recovery/dead/2"}}},
		"then it says so, and how to go on": {
			facts(dead, first, second),
			Choice{
				Blocked: v1alpha1.ReasonRecoveryLimit, Wake: noon.Add(20 * time.Minute),
				Message: "recovery rule dead: 2 runs of plan reindex within 1h0m0s did not help, its condition still holds (it is broken). " +
					"Repair it, or run a plan by hand; the rule tries again after " + noon.Add(20*time.Minute).UTC().Format(time.RFC3339),
			},
		},
		"runs before the window do not count": {
			facts(dead, repair("dead/6", 3, v1alpha1.RunSucceeded, 90*time.Minute, 80*time.Minute), second),
			Choice{Start: &Start{"reindex", "recovery/dead/7"}},
		},
		"another rule's runs do not count": {
			facts(dead, repair("dead-too/1", 3, v1alpha1.RunSucceeded, 40*time.Minute, 30*time.Minute), repair("dead-too/2", 4, v1alpha1.RunSucceeded, 30*time.Minute, 20*time.Minute)),
			Choice{Start: &Start{"reindex", "recovery/dead/1"}},
		},
		"what is not known to hold now starts nothing": {
			func() InstanceFacts { f := facts(dead); f.Unsure = true; return f }(),
			Choice{},
		},
		"what gave way to a repair waits until it is known whether that is still needed": {
			func() InstanceFacts { f := wanting(facts(urgent), "B"); f.Unsure = true; return f }(),
			Choice{Undecided: true, Message: "looking whether the recovery rule dead still holds (it is broken)"},
		},
		"what gives way to the spec holds it up for no moment": {
			func() InstanceFacts { f := wanting(facts(dead), "B"); f.Unsure = true; return f }(),
			Choice{Start: &Start{"update", "spec/7/B"}},
		},
		"before the first deploy has succeeded nothing is repaired": {
			InstanceFacts{Desired: want("A"), Incidents: urgent, Now: noon},
			Choice{Start: &Start{"deploy", "spec/7/A"}},
		},
		"nothing starts while it is suspended": {
			func() InstanceFacts { f := facts(dead); f.Suspended = true; return f }(),
			Choice{Blocked: v1alpha1.ReasonSuspended, Message: "spec.suspend is true: no execution starts"},
		},
		"the spec comes first": {wanting(facts(dead), "B"), Choice{Start: &Start{"update", "spec/7/B"}}},
		"but not before a rule that preempts": {
			wanting(facts(urgent), "B"),
			Choice{Start: &Start{"reindex", "recovery/dead/1"}},
		},
		"a person's run comes first": {
			facts(dead, ran("mine", "scale", 0, "", byUser(false))),
			Choice{Admit: new(ran("mine", "scale", 0, "", byUser(false)))},
		},
		"a plan that runs goes on": {holding(wanting(facts(dead, updating), "B"), "u"), Choice{}},
		"unless the rule preempts": {
			holding(wanting(facts(urgent, updating), "B"), "u"),
			Choice{Stop: v1alpha1.ReasonPreempted},
		},
		"and has held for long enough": {
			holding(wanting(facts([]Incident{broken("dead", "reindex", preempting, fresh)}, updating), "B"), "u"),
			Choice{Wake: noon.Add(3 * time.Minute)},
		},
		"and has not acted as often as it may": {
			holding(wanting(facts(urgent, first, second, ran("u", "update", 5, v1alpha1.RunRunning, desiring("B"))), "B"), "u"),
			Choice{Wake: noon.Add(20 * time.Minute)},
		},
		"what gave way runs again": {
			wanting(facts(nil, ran("u", "update", 2, v1alpha1.RunCancelled, desiring("B"), triggered("spec/7/B"), because(v1alpha1.ReasonPreempted)), first), "B"),
			Choice{Start: &Start{"update", "again/u"}},
		},
		"also where its spec was that of before": {
			facts(nil, ran("u", "update", 2, v1alpha1.RunCancelled, triggered("spec/7/A"), because(v1alpha1.ReasonPreempted)), first),
			Choice{Start: &Start{"update", "again/u"}},
		},
		"a person's run that makes progress goes on": {
			holding(facts(urgent, ran("mine", "scale", 2, v1alpha1.RunRunning, byUser(false))), "mine"),
			Choice{},
		},
		"a person's run that is stalled does not": {
			holding(facts(urgent, ran("mine", "scale", 2, v1alpha1.RunStalled, byUser(false))), "mine"),
			Choice{Stop: v1alpha1.ReasonPreempted},
		},
		"a rollback is never preempted": {
			holding(facts(urgent, ran("b", "rollback", 2, v1alpha1.RunRunning, at("7"))), "b"),
			Choice{},
		},
		"a repair goes on when the spec changes": {
			holding(wanting(facts(nil, repair("dead/1", 2, v1alpha1.RunRunning, time.Minute, 0)), "B"), "rdead/1"),
			Choice{},
		},
		"but one that is stalled yields to it": {
			holding(wanting(facts(nil, repair("dead/1", 2, v1alpha1.RunStalled, time.Minute, 0)), "B"), "rdead/1"),
			Choice{Stop: v1alpha1.ReasonSuperseded},
		},
		"what a person has to look at does not keep it from being repaired": {
			wanting(facts(dead, ran("u", "update", 2, v1alpha1.RunFailed, desiring("B"), triggered("spec/7/B"))), "B"),
			Choice{Start: &Start{"reindex", "recovery/dead/1"}},
		},
		"and is still said afterwards": {
			wanting(facts(nil, ran("u", "update", 2, v1alpha1.RunFailed, desiring("B"), triggered("spec/7/B")), first), "B"),
			Choice{Blocked: v1alpha1.ReasonPlanFailed, Message: "plan update failed (PlanExecution u): change the spec, or run a plan by hand"},
		},
		"a repair that failed half way is followed by an update": {
			facts(nil, repair("dead/1", 3, v1alpha1.RunFailed, 20*time.Minute, 10*time.Minute)),
			Choice{Start: &Start{"update", "spec/7/A"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Choose(tc.facts)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An Instance that was rolled back stays so when something of it is repaired.
func TestARepairKeepsARollback(t *testing.T) {
	rolledBack := ran("b", "rollback", 3, v1alpha1.RunSucceeded, at("7"))
	f := InstanceFacts{Desired: want("B"), Completed: &rolledBack, Now: noon, Runs: []Run{
		ran("d", "deploy", 1, v1alpha1.RunSucceeded), rolledBack, repair("dead/1", 4, v1alpha1.RunSucceeded, 20*time.Minute, 10*time.Minute),
	}}
	if c := Choose(f); c.Start != nil || c.Blocked != v1alpha1.ReasonRolledBack {
		t.Errorf("%+v", c)
	}
	f.Incidents = []Incident{broken("dead", "reindex")}
	if c := Choose(f); c.Start == nil || !strings.HasPrefix(c.Start.Trigger, TriggerRecovery) {
		t.Errorf("%+v", c)
	}
}
