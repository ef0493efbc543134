// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/testing/workload"
)

// until runs the plugin until it answers in these words.
func (n *ward) until(words string, args ...string) string {
	n.Helper()
	var out string
	n.w.Await(n, strings.Join(args, " ")+" says "+words, func(context.Context) (bool, string) {
		_, out = n.kudo(args...)
		return strings.Contains(out, words), out
	})
	return out
}

// A person lets a step go on that waits for one, and the record says who and why.
func TestApprove(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.instance("ask")
	n.until("It waits for you: kubectl kudo -n "+n.ns+" approve one", "status", "one")
	n.fails(2, "no phase, step or task \"main/askk\"", "approve", "one", "main/askk")
	n.fails(1, "refused: ", "approve", "one", "main/config")
	n.says("approved", "approve", "instance/one", "main/ask", "--reason", "the disks are empty")
	n.says("one is Ready", "status", "one", "--until", "ready", "--timeout", "30s")
	out := n.says("deploy   Succeeded", "history", "one")
	for _, want := range []string{"approve main/ask by ", ": the disks are empty -> Done", "approve main/config by ", "-> Refused"} {
		if !strings.Contains(out, want) {
			t.Errorf("history lacks %q:\n%s", want, out)
		}
	}
	n.fails(1, "no plan of one is under way, so there is nothing to approve. The last plan, deploy, is Succeeded", "approve", "one")
}

// A paused run starts nothing more until it is resumed.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.instance("ask")
	n.until("It waits for you", "status", "one")
	n.says("paused", "pause", "one", "--reason", "change freeze")
	n.until("paused: all of it", "status", "one")
	n.until("change freeze", "diagnose", "one")
	n.says("Cause: Paused", "diagnose", "one")
	n.says("kubectl kudo -n "+n.ns+" resume one", "diagnose", "one")
	n.says("resumed", "resume", "one")
	n.fails(1, "refused: ", "resume", "one")
	n.says("approved", "approve", "one")
	n.says("one is Ready", "status", "one", "--until", "settled", "--timeout", "30s")
}

// What failed is tried again once its cause is gone.
func TestRetry(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.play("Job", workload.Fail)
	n.instance("work")
	n.says("one is Stalled: plan deploy is stalled", "status", "one", "--until", "stalled", "--timeout", "30s")
	n.fails(1, "it is stalled", "status", "one", "--until", "ready", "--timeout", "30s")
	n.play("Job", workload.Play)
	n.says("plan deploy: ", "retry", "one")
	n.says("one is Ready", "status", "one", "--until", "ready", "--timeout", "30s")
}

// What can not be done is skipped, or taken for done.
func TestSkipAndForceComplete(t *testing.T) {
	t.Parallel()
	for command, args := range map[string][]string{"skip": {"one", "main/work"}, "force-complete": {"one", "main"}} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			n := newWard(t)
			n.play("Job", workload.Fail)
			n.instance("work")
			n.until("Stalled", "get")
			if command == "skip" {
				n.fails(2, "an argument is missing", "skip", "one")
			}
			n.says(args[1]+": ", append([]string{command}, args...)...)
			n.says("one is Ready", "status", "one", "--until", "ready", "--timeout", "30s")
		})
	}
}

// A run is ended, taken back, or ended at once.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"plain": nil, "undo": {"--undo"}, "force": {"--force"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newWard(t)
			n.instance("ask")
			n.until("It waits for you", "status", "one")
			n.fails(2, "use one of them", "cancel", "one", "--undo", "--force")
			n.says("plan deploy: ", append([]string{"cancel", "one", "--reason", "wrong cluster"}, flags...)...)
			n.until("Cancelled", "history", "one")
			n.until("Cause: PlanEnded", "diagnose", "one")
			n.says("kubectl kudo -n "+n.ns+" run deploy one", "diagnose", "one")
		})
	}
}

// A plan is run by hand; who waits for it sees what it does.
func TestRun(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.play("Job", workload.Play)
	n.instance("none")
	n.until("Ready", "get", "one")
	n.fails(2, `version 1.0.0 of ward has no plan "audits"; did you mean audit? It has: deploy, audit, rollback`, "run", "audits", "one")
	out := n.says("created", "run", "audit", "one", "--wait", "--timeout", "40s")
	for _, want := range []string{"audit/main/work", "audit/main/config", "Succeeded"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	n.says("a person ran it", "history", "one")
	n.play("Job", workload.Fail)
	n.fails(1, "plan audit is stalled", "run", "audit", "one", "--wait", "--timeout", "40s")
	n.play("Job", workload.Play)
	n.says("created", "run", "audit", "one", "--preempt", "--wait", "--timeout", "40s")
}

// Names are found, completed, and what is wrong with one is said.
func TestNames(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.instance("ask")
	n.until("It waits for you", "status", "one")
	n.fails(1, "there is no Instance two in the namespace "+n.ns+". There are: one", "status", "two")
	n.fails(1, "there is no kind teapot in packages.kudo.dev", "status", "teapot/one")
	n.fails(2, "is of the group apps", "status", "deployment.apps/one")
	n.fails(2, "is no name", "status", "/one")
	n.says("instance.kudo.dev/one", "get", "-o", "name")
	n.says("one in "+n.ns, "status", "inst/one")
	n.says("one\tward -> 1.0.0, Running", "__complete", "status", "")
	n.says("main/ask\n", "__complete", "approve", "one", "main/a")
	n.says("audit\n", "__complete", "run", "a")
	n.says("one\t", "__complete", "run", "audit", "")
}

// An Instance is called by the object that it was made from, by kind and by its own name.
func TestNamesOfTypedObjects(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.w.Await(t, "the kind is served", func(ctx context.Context) (bool, string) {
		o := parse("{apiVersion: packages.kudo.dev/v1alpha1, kind: Ward, metadata: {name: two}, spec: {version: 1.0.0, serviceAccountName: deployer, parameters: {what: ask}}}")
		o.SetNamespace(n.ns)
		err := n.admin().Create(ctx, o)
		return err == nil, fmt.Sprint(err)
	})
	n.until("ward/two", "get")
	for _, name := range []string{"two", "ward/two", "wards/two", "Ward/two", "ward.packages.kudo.dev/two", "ward-two", "instance/ward-two"} {
		n.until("ward/two in "+n.ns, "status", name)
	}
	n.until("It waits for you: kubectl kudo -n "+n.ns+" approve ward-two", "status", "two")
	n.says("ward/two\tward", "__complete", "status", "")
	n.fails(1, "there is no Instance ward/three in the namespace "+n.ns+". There are: ward/two", "status", "ward/three")
	n.create("{apiVersion: kudo.dev/v1alpha1, kind: Instance, metadata: {name: two}, spec: {framework: ward, version: 1.0.0, serviceAccountName: deployer}}")
	n.until(`"two" is ambiguous: say which of`, "status", "two")
	n.until("Ready", "status", "instance/two")
	n.says("approve ward-two main/ask", "diagnose", "ward/two")

	// An object whose Instance can not be made says why.
	n.create("{apiVersion: kudo.dev/v1alpha1, kind: Instance, metadata: {name: ward-four}, spec: {framework: ward, version: 1.0.0, serviceAccountName: deployer}}")
	n.create("{apiVersion: packages.kudo.dev/v1alpha1, kind: Ward, metadata: {name: four}, spec: {version: 1.0.0, serviceAccountName: deployer}}")
	n.until("ward/four has no Instance. NotOwned: ", "status", "ward/four")
}
