// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/diagnose"
)

const pods = "StatefulSet zk: 1 of 3 pods ready; Pod zk-1: container zk: ImagePullBackOff"

// Each state of an Instance is told in a word, and those of one kind line up.
func TestGet(t *testing.T) {
	deleting := instance("old", v1alpha1.ReasonDeleting, "the Instance is being deleted", v1alpha1.ConditionReconciling)
	deleting.DeletionTimestamp = &metav1.Time{Time: began}
	fresh := &v1alpha1.Instance{}
	fresh.Namespace, fresh.Name, fresh.Generation = "prod", "fresh", 1
	fresh.Spec = v1alpha1.InstanceSpec{Framework: "kafka", Version: "4.1.0"}
	fresh.CreationTimestamp, fresh.Status.ObservedGeneration = metav1.NewTime(today), -1
	all := []v1alpha1.Instance{
		*typed(instance("zookeeper-zk", v1alpha1.ReasonReady, "version 3.9.3 is rolled out"), "zk"),
		*instance("a", v1alpha1.ReasonPlanRunning, "plan update is running", v1alpha1.ConditionReconciling),
		*instance("b", v1alpha1.ReasonPlanStalled, "plan update is stalled: no", v1alpha1.ConditionStalled),
		*instance("c", v1alpha1.ReasonVersionMissing, "there is no 3.9.9", v1alpha1.ConditionReconciling, v1alpha1.ConditionWaiting),
		*instance("d", v1alpha1.ReasonSuspended, "suspended"),
		*deleting, *fresh,
	}
	looks(t, "get", func(l screen.Look) []string { return instanceTable(l, all, today, false, false) })
	looks(t, "get-wide", func(l screen.Look) []string { return instanceTable(l, all, today, true, true) })
}

func TestStatus(t *testing.T) {
	paused := execution(v1alpha1.RunRunning, v1alpha1.ReasonPaused, "a person lets nothing more start")
	paused.Status.Paused = []string{"servers"}
	waiting := execution(v1alpha1.RunRunning, v1alpha1.ReasonAwaitingApproval, "waiting for approval: the memory changes")
	for name, tt := range map[string]struct {
		inst *v1alpha1.Instance
		run  *v1alpha1.PlanExecution
	}{
		"running": {active(instance("zk", v1alpha1.ReasonPlanRunning, "plan update is running", v1alpha1.ConditionReconciling)), execution(v1alpha1.RunRunning, "", pods)},
		"stalled": {active(typed(instance("zookeeper-zk", v1alpha1.ReasonPlanStalled, "plan update is stalled: "+pods, v1alpha1.ConditionStalled), "zk")), execution(v1alpha1.RunStalled, v1alpha1.ReasonTimeout, pods)},
		"paused":  {active(instance("zk", v1alpha1.ReasonPlanRunning, "plan update is held: paused", v1alpha1.ConditionReconciling)), paused},
		"approve": {active(instance("zk", v1alpha1.ReasonPlanRunning, "plan update is held: waiting", v1alpha1.ConditionReconciling)), waiting},
		"invalid": {instance("zk", v1alpha1.ReasonParametersInvalid, "spec.parameters.nodes: Invalid value: 0: must be at least 1", v1alpha1.ConditionStalled), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var runs []v1alpha1.PlanExecution
			if tt.run != nil {
				runs = append(runs, *tt.run)
			}
			looks(t, "status-"+name, func(l screen.Look) []string { return statusLines(l, tt.inst, runs, today) })
		})
	}
}

func TestHistory(t *testing.T) {
	first := execution(v1alpha1.RunSucceeded, "", "")
	first.Spec.Plan, first.Spec.Trigger, first.Status.Epoch, first.Status.FinishedAt = "deploy", "spec/1/abc", 1, at(40)
	second := execution(v1alpha1.RunStalled, v1alpha1.ReasonJobFailed, "Job zk-check: exit code 2")
	second.Spec.Requests = []v1alpha1.Request{
		{ID: "a", Action: v1alpha1.ActionRetry, Path: "servers/roll", By: "alice", Reason: "the disk is back"},
		{ID: "b", Action: v1alpha1.ActionSkip, Path: "servers/roll", By: "bob"},
		{ID: "c", Action: v1alpha1.ActionCancel, Mode: v1alpha1.CancelUndo, By: "bob"},
	}
	second.Status.Requests = []v1alpha1.RequestStatus{{ID: "a", State: "Done", Message: "next attempt"}, {ID: "b", State: "Refused", Message: "its job runs"}}
	third := execution("", "", "")
	third.Spec.Trigger, third.Spec.Plan, third.Status = "", "backup", v1alpha1.PlanExecutionStatus{}
	runs := []v1alpha1.PlanExecution{*first, *second, *third}
	looks(t, "history", func(l screen.Look) []string { return historyLines(l, runs, today, false) })
	looks(t, "history-wide", func(l screen.Look) []string { return historyLines(l, runs, today, true) })
}

func TestDiagnoseShows(t *testing.T) {
	report := diagnose.Report{
		Cause: diagnose.ImageMissing, Summary: "the image zk:nope of container zk in Pod zk-1 can not be pulled (ImagePullBackOff)",
		Chain: []diagnose.Link{
			{Object: "Instance zk", State: "PlanStalled", Message: "plan update is stalled"},
			{Object: "PlanExecution zk-update-0123456789", State: "Stalled", Message: "plan update, 1/3 steps"},
			{Object: "step servers/roll/servers", State: "Stalled, Timeout", Message: "attempt 1, for 80s"},
			{Object: "StatefulSet zk", State: "Progressing", Message: "1 of 3 pods ready"},
			{Object: "Pod zk-1", State: "Pending", Message: "container zk: ImagePullBackOff"},
		},
		Next:   []diagnose.Command{{Run: "kubectl -n prod edit instance/zk", Why: "correct the image"}, {Run: "kubectl kudo -n prod retry zk servers/roll/servers", Why: "once that is done: try again"}},
		Others: []string{"servers/other/x is Running: waits"},
		Gaps:   []diagnose.Gap{{What: "events in the namespace prod", Right: "list events"}, {What: "pods", Message: "connection refused"}},
	}
	looks(t, "diagnose", func(l screen.Look) []string { return reportLines(l, &report) })
	fine := diagnose.Report{Cause: diagnose.None, Summary: "nothing is stuck: version 3.9.3 is rolled out", Chain: []diagnose.Link{{Object: "Instance zk", State: "Ready", Message: "version 3.9.3 is rolled out"}}}
	looks(t, "diagnose-fine", func(l screen.Look) []string { return reportLines(l, &fine) })
}

// The end of a watch decides its exit code.
func TestUntil(t *testing.T) {
	ready := instance("zk", v1alpha1.ReasonReady, "rolled out")
	stalled := instance("zk", v1alpha1.ReasonPlanStalled, "plan update is stalled", v1alpha1.ConditionStalled)
	running := instance("zk", v1alpha1.ReasonPlanRunning, "plan update is running", v1alpha1.ConditionReconciling)
	old := instance("zk", v1alpha1.ReasonReady, "rolled out")
	old.Generation = 4
	for name, tt := range map[string]struct {
		until string
		inst  *v1alpha1.Instance
		over  bool
		err   error
	}{
		"ready is ready":           {untilReady, ready, true, nil},
		"stalled is not ready":     {untilReady, stalled, true, errStalled},
		"running goes on":          {untilReady, running, false, nil},
		"an older spec is nothing": {untilReady, old, false, nil},
		"settled by ready":         {untilSettled, ready, true, nil},
		"settled by stalled":       {untilSettled, stalled, true, nil},
		"stalled":                  {untilStalled, stalled, true, nil},
		"ready is not stalled":     {untilStalled, ready, false, nil},
		"no end":                   {"", ready, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := &statusOptions{until: tt.until}
			if over, err := o.reached(tt.inst); over != tt.over || !errors.Is(err, tt.err) {
				t.Errorf("over %t, %v", over, err)
			}
		})
	}
}

// A path that is misspelt is refused with those that there are, before it stands in the record.
func TestPathsAreChecked(t *testing.T) {
	pe := execution(v1alpha1.RunRunning, "", "")
	want := []string{"network", "network/services", "servers", "servers/roll", "servers/roll/servers", "servers/verify"}
	if diff := cmp.Diff(want, paths(pe)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := knownPath(pe, "servers/rol"); err == nil || !strings.Contains(err.Error(), "It has: network, network/services") {
		t.Errorf("%v", err)
	}
	for _, fine := range []string{"", "servers", "servers/roll/servers"} {
		if err := knownPath(pe, fine); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
	}
}

// A request goes to what holds the Instance; else it must be clear what is meant.
func TestWhichExecutionIsSteered(t *testing.T) {
	held := execution(v1alpha1.RunRunning, "", "")
	beside := execution(v1alpha1.RunRunning, "", "")
	beside.Name, beside.UID, beside.Spec.Plan = "zk-backup", "other-uid", "backup"
	over := execution(v1alpha1.RunSucceeded, "", "")
	over.Name, over.UID = "zk-over", "over-uid"
	rest := instance("zk", v1alpha1.ReasonReady, "")
	for name, tt := range map[string]struct {
		inst      *v1alpha1.Instance
		runs      []v1alpha1.PlanExecution
		execution string
		want, err string
	}{
		"the active one":   {active(instance("zk", "", "")), []v1alpha1.PlanExecution{*beside, *held, *over}, "", held.Name, ""},
		"the only one":     {rest, []v1alpha1.PlanExecution{*beside, *over}, "", "zk-backup", ""},
		"by name":          {active(instance("zk", "", "")), []v1alpha1.PlanExecution{*beside, *held}, "zk-backup", "zk-backup", ""},
		"nothing runs":     {rest, []v1alpha1.PlanExecution{*over}, "", "", "nothing to pause. The last plan, update, is Succeeded"},
		"nothing ever ran": {rest, nil, "", "", "Nothing ever ran"},
		"several":          {rest, []v1alpha1.PlanExecution{*beside, *held}, "", "", "name one with --execution: zk-backup (plan backup), zk-update-0123456789 (plan update)"},
		"no such":          {rest, nil, "nope", "", "has no PlanExecution nope"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &steering{action: "pause", execution: tt.execution}
			pe, err := s.choose(tt.inst, tt.runs)
			switch {
			case tt.err == "" && (err != nil || pe.Name != tt.want):
				t.Errorf("%v, %v, want %s", pe, err, tt.want)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%v, want %q", err, tt.err)
			}
		})
	}
}

// The name of a run fits where names of Jobs derive from it.
func TestNamesOfRunsFit(t *testing.T) {
	inst := instance(strings.Repeat("a", 40), "", "")
	pe := newExecution(inst, strings.Repeat("b", 40), true)
	if len(pe.Name) > 63 || !pe.Spec.Preempt || !strings.HasPrefix(pe.Name, inst.Name+"-b") {
		t.Errorf("%d: %+v", len(pe.Name), pe)
	}
	if pe.Name == newExecution(inst, "x", false).Name {
		t.Error("two runs have the same name")
	}
}

func TestRunsThatEnd(t *testing.T) {
	for state, want := range map[v1alpha1.RunState]string{
		v1alpha1.RunSucceeded: "", v1alpha1.RunStalled: "diagnose zk", v1alpha1.RunFailed: "ended Failed (JobFailed)", v1alpha1.RunCancelled: "ended Cancelled",
	} {
		over, err := evidence.Ended(execution(state, "JobFailed", "m"))
		if !over || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %t, %v", state, over, err)
		}
	}
	if over, err := evidence.Ended(execution(v1alpha1.RunRunning, "", "")); over || err != nil {
		t.Errorf("running: %t, %v", over, err)
	}
}

// A time-out tells why the watch ended; Ctrl-C does not.
func TestEndOfAWatch(t *testing.T) {
	v, s := &viewer{}, &subject{inst: instance("zk", "", "")}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Nanosecond, errTimeout)
	defer cancel()
	<-ctx.Done()
	if err := v.end(ctx, s, false, nil); !errors.Is(err, errTimeout) || !strings.Contains(err.Error(), "diagnose zk") {
		t.Errorf("%v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := v.end(ctx, s, false, context.Canceled); err != nil {
		t.Errorf("%v", err)
	}
}
