// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// content says what pods consume now, and whether that differs from the last completed run.
func content(digest string, changed bool) func(*Desired) {
	return func(d *Desired) { d.ContentPlan, d.Content, d.ContentChanged = "reindex", digest, changed }
}

func TestChooseForContents(t *testing.T) {
	deployed := ran("d", "deploy", 1, v1alpha1.RunSucceeded)
	reindex := func(epoch int64, state v1alpha1.RunState, options ...func(*Run)) Run {
		return ran("c", "reindex", epoch, state, append(options, triggered("content/X"), at("7"))...)
	}
	succeeded := reindex(2, v1alpha1.RunSucceeded)
	failed := "plan reindex failed (PlanExecution c): change the spec, or run a plan by hand"
	tests := map[string]struct {
		facts InstanceFacts
		want  Choice
	}{
		"a change runs the plan that is named": {
			InstanceFacts{Desired: want("A", content("X", true)), Completed: &deployed, Runs: []Run{deployed}},
			Choice{Start: &Start{"reindex", "content/X"}},
		},
		"the same content runs nothing": {
			InstanceFacts{Desired: want("A", content("X", false)), Completed: &deployed, Runs: []Run{deployed}},
			Choice{},
		},
		"a content that is not known runs nothing": {
			InstanceFacts{Desired: want("A", content("", true)), Completed: &deployed, Runs: []Run{deployed}},
			Choice{},
		},
		"no plan is named": {
			InstanceFacts{Desired: want("A", func(d *Desired) { d.Content, d.ContentChanged = "X", true }), Completed: &deployed, Runs: []Run{deployed}},
			Choice{},
		},
		"the spec comes first": {
			InstanceFacts{Desired: want("B", content("X", true), changed("nodes")), Completed: &deployed, Runs: []Run{deployed}},
			Choice{Start: &Start{"scale", "spec/7/B"}},
		},
		"nothing starts while it is suspended": {
			InstanceFacts{Desired: want("A", content("X", true)), Suspended: true, Completed: &deployed, Runs: []Run{deployed}},
			Choice{Blocked: v1alpha1.ReasonSuspended, Message: "spec.suspend is true: no execution starts"},
		},
		"what runs goes on": {
			InstanceFacts{Desired: want("A", content("X", true)), Active: "d", Runs: []Run{ran("d", "deploy", 1, v1alpha1.RunRunning)}},
			Choice{},
		},
		"it comes before people's own runs": {
			InstanceFacts{Desired: want("A", content("X", true)), Completed: &deployed, Runs: []Run{deployed, ran("mine", "scale", 0, "", byUser(false))}},
			Choice{Start: &Start{"reindex", "content/X"}},
		},
		"an execution that exists already is admitted": {
			InstanceFacts{Desired: want("A", content("X", true)), Completed: &deployed, Runs: []Run{deployed, reindex(0, "")}},
			Choice{Admit: new(reindex(0, ""))},
		},
		"what it could not take over does not run again": {
			InstanceFacts{Desired: want("A", content("X", true)), Completed: &succeeded, Runs: []Run{deployed, succeeded}},
			Choice{},
		},
		"a content that came back runs again": {
			InstanceFacts{
				Desired: want("A", content("X", true)), Completed: new(ran("e", "reindex", 3, v1alpha1.RunSucceeded, triggered("content/Y"))),
				Runs: []Run{deployed, succeeded, ran("e", "reindex", 3, v1alpha1.RunSucceeded, triggered("content/Y"))},
			},
			Choice{Start: &Start{"reindex", "again/c"}},
		},
		"a run that failed is not repeated": {
			InstanceFacts{Desired: want("A", content("X", true)), Completed: &deployed, Runs: []Run{deployed, reindex(2, v1alpha1.RunFailed)}},
			Choice{Blocked: v1alpha1.ReasonPlanFailed, Message: failed},
		},
		"nor by a manager that does not know the content yet": {
			InstanceFacts{Desired: want("A", content("", false)), Completed: &deployed, Runs: []Run{deployed, reindex(2, v1alpha1.RunFailed)}},
			Choice{Blocked: v1alpha1.ReasonPlanFailed, Message: failed},
		},
		"a content that went back after a failure is rolled out": {
			InstanceFacts{Desired: want("A", content("W", false)), Completed: &deployed, Runs: []Run{deployed, reindex(2, v1alpha1.RunFailed)}},
			Choice{Start: &Start{"update", "spec/7/A"}},
		},
		"a changed spec after a failure": {
			InstanceFacts{
				Desired: want("B", content("X", true), func(d *Desired) { d.Generation = "8" }), Completed: &deployed,
				Runs: []Run{deployed, reindex(2, v1alpha1.RunFailed)},
			},
			Choice{Start: &Start{"update", "spec/8/B"}},
		},
		"a run that gave way to a person's waits for it": {
			InstanceFacts{Desired: want("A", content("X", true)), Completed: &deployed, Runs: []Run{
				deployed, reindex(2, v1alpha1.RunCancelled, because(v1alpha1.ReasonPreempted)), ran("mine", "scale", 0, "", byUser(true)),
			}},
			Choice{Admit: new(ran("mine", "scale", 0, "", byUser(true)))},
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

// A plan that does not roll a content out must not take it over: the change would be lost.
func TestWhoTakesContentsOver(t *testing.T) {
	for plan, takes := range map[string]bool{"deploy": true, "update": true, "upgrade": true, "reload": true, "scale": false, "inspect": false} {
		if got := TakesContent(plan, "reload", true); got != takes {
			t.Errorf("%s: %v", plan, got)
		}
		if !TakesContent(plan, "", true) || !TakesContent(plan, "reload", false) {
			t.Errorf("%s leaves a content to nobody", plan)
		}
	}
}
