// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// steeredRuns are those in which people ask for something or a failure is followed.
func steeredRuns() map[string]goldenRun {
	const services, set, quorum = "network/services/services", "nodes/statefulset/statefulset", "verify/quorum/quorum"
	stuck := becomes(set, Outcome{Class: OutcomeFailed, Reason: v1alpha1.ReasonUnhealthy, Message: "pod zk-0 crashes"})
	return map[string]goldenRun{
		"paused before it starts": {zookeeper(), []event{
			ask("2", "resume", ""), done(services), done(set), done(quorum),
		}},
		"paused while rolling out then resumed": {zookeeper(), []event{
			done(services), ask("1", "pause", ""), done(set), passes(time.Hour), ask("2", "resume", ""), done(quorum),
		}},
		"a paused phase": {zookeeper(), []event{
			ask("1", "pause", "verify"), ask("2", "pause", "network/services"), done(services), done(set),
			ask("3", "resume", "network"), ask("4", "resume", "verify"), done(quorum), ask("5", "pause", ""),
		}},
		"a pause keeps the next attempt from starting": {zookeeper(), []event{
			done(services), stuck, ask("1", "pause", "nodes"), passes(10 * time.Second), ask("2", "retry", ""),
			ask("3", "resume", "nodes"), done(set), done(quorum),
		}},
		"cancelled while rolling out": {zookeeper(), []event{done(services), cancel("1", "")}},
		"cancelled while a job runs":  {zookeeper(), []event{done(services), done(set), cancel("1", ""), passes(time.Minute), done(quorum)}},
		"cancelled by force while a job runs": {zookeeper(), []event{
			done(services), done(set), cancel("1", ""), cancel("2", v1alpha1.CancelForce),
		}},
		"cancelled with undo": {undoable(), []event{
			done(services), done(set), passes(time.Second), cancel("1", v1alpha1.CancelUndo), done(quorum),
			becomes("verify/quorum/undo/forget", Outcome{Class: OutcomeDone}), passes(time.Second),
			becomes("nodes/statefulset/undo/revert", Outcome{Class: OutcomeDone}), passes(time.Second),
			becomes("network/services/undo/revert", Outcome{Class: OutcomeDone}),
		}},
		"undo that needs a person": {program(children(
			node("a", children(step("copy", TaskJob, undoneBy(node("manual", task(TaskManual, 0), says("take it back by hand")))))),
			node("b", children(step("x", TaskApply))),
		)), []event{
			done("a/copy/copy"), cancel("1", v1alpha1.CancelUndo), ask("2", "skip", "a/copy/undo/manual"),
		}},
		"undo of a step that was to run again": {undoable(), []event{
			done(services), stuck, ask("1", "retry", "network"), ask("2", "pause", "nodes"), done(services),
			cancel("3", v1alpha1.CancelUndo),
			becomes("network/services/undo/revert", Outcome{Class: OutcomeDone}), ask("4", "resume", ""),
			becomes("nodes/statefulset/undo/revert", Outcome{Class: OutcomeDone}),
		}},
		"undo superseded": {undoable(), []event{
			done(services), cancel("1", v1alpha1.CancelUndo), stop(v1alpha1.ReasonSuperseded),
		}},
		"undo that stalls is taken for done": {undoable(), []event{
			done(services), done(set), failed(quorum, "exit code 1"), passes(10 * time.Second), failed(quorum, "exit code 1"),
			cancel("1", v1alpha1.CancelUndo),
			becomes("verify/quorum/undo/forget", Outcome{Class: OutcomeUser, Reason: v1alpha1.ReasonRefused, Message: "forbidden"}),
			ask("2", "forceComplete", "verify/quorum/undo/forget"),
			becomes("nodes/statefulset/undo/revert", Outcome{Class: OutcomeDone}), becomes("network/services/undo/revert", Outcome{Class: OutcomeDone}),
		}},
		"a failure is taken back and followed by a plan": {onFailure(undoable(), OnFailure{Undo: true, Plan: "rescue"}), []event{
			done(services), stuck, passes(10 * time.Second), stuck,
			becomes("nodes/statefulset/undo/revert", Outcome{Class: OutcomeDone}), becomes("network/services/undo/revert", Outcome{Class: OutcomeDone}),
		}},
		"a failure fails": {onFailure(zookeeper(), OnFailure{}), []event{
			becomes(services, Outcome{Class: OutcomeUser, Reason: v1alpha1.ReasonRefused, Message: "forbidden"}),
		}},
		"approved": {program(children(node("ask", children(step("consent", TaskApprove), step("x", TaskApply))))), []event{
			passes(30 * time.Second), ask("1", "approve", "ask/x"), ask("2", "approve", "ask"), done("ask/x/x"),
		}},
		"approved too late": {program(children(node("ask", children(step("consent", TaskApprove))))), []event{
			passes(time.Minute), ask("1", "approve", ""),
		}},
		"a stalled step skipped": {zookeeper(), []event{
			done(services), stuck, passes(10 * time.Second), stuck, ask("1", "skip", ""), ask("2", "skip", "nodes/statefulset"), done(quorum),
		}},
		"a step skipped before its turn": {zookeeper(), []event{ask("1", "skip", "verify"), done(services), done(set), ask("2", "skip", "network")}},
		"a rollout taken for done":       {zookeeper(), []event{done(services), ask("1", "forceComplete", "nodes"), done(quorum)}},
		"a job that runs is not taken for done": {zookeeper(), []event{
			done(services), done(set), ask("1", "forceComplete", ""), ask("2", "skip", "verify"), done(quorum),
		}},
		"the run taken for done": {zookeeper(), []event{done(services), ask("1", "forceComplete", "")}},
		"run again from a step that ended": {zookeeper(), []event{
			done(services), done(set), failed(quorum, "exit code 1"), passes(10 * time.Second), failed(quorum, "exit code 1"),
			ask("1", "retry", "nodes"), done(set), done(quorum),
		}},
		"the next attempt at once": {zookeeper(), []event{done(services), stuck, ask("1", "retry", "nodes"), done(set), ask("2", "retry", "verify"), done(quorum)}},
	}
}

// undoable is zookeeper with what takes its steps back.
func undoable() *Program {
	return program(children(
		node("network", children(step("services", TaskApply, undoneBy(node("revert", task(TaskRevert, 0)))))),
		node("nodes", children(step("statefulset", TaskApply, undoneBy(node("revert", task(TaskRevert, 0)))))),
		node("verify", children(step("quorum", TaskJob, undoneBy(node("forget", task(TaskApply, 0)))))),
	))
}
