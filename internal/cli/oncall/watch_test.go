// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clocktesting "k8s.io/utils/clock/testing"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/golden"
)

// A watch draws the Instance again on a terminal, and else prints what changed, once.
func TestWatch(t *testing.T) {
	before := execution(v1alpha1.RunSucceeded, "", "")
	before.UID, before.Name, before.Status.Epoch, before.Status.FinishedAt = "before-uid", "zk-deploy", 1, at(-10)
	over := execution(v1alpha1.RunSucceeded, "", "")
	over.Status.FinishedAt = at(80)
	moments := []struct {
		inst *v1alpha1.Instance
		run  *v1alpha1.PlanExecution
	}{
		{instance("zk", v1alpha1.ReasonReady, "version 3.8.4 is rolled out"), nil},
		{active(instance("zk", v1alpha1.ReasonPlanRunning, "plan update is running", v1alpha1.ConditionReconciling)), execution(v1alpha1.RunRunning, "", pods)},
		{active(instance("zk", v1alpha1.ReasonPlanRunning, "plan update is running", v1alpha1.ConditionReconciling)), execution(v1alpha1.RunRunning, "", pods)},
		{active(instance("zk", v1alpha1.ReasonPlanStalled, "plan update is stalled: "+pods, v1alpha1.ConditionStalled)), execution(v1alpha1.RunStalled, v1alpha1.ReasonTimeout, pods)},
		{instance("zk", v1alpha1.ReasonReady, "version 3.9.3 is rolled out"), over},
	}
	for name, terminal := range map[string]bool{"plain": false, "tty": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			env := command.New(genericiooptions.IOStreams{Out: &out, ErrOut: &out})
			env.Clock, env.Terminal = clocktesting.NewFakePassiveClock(today), terminal
			v := &viewer{env: env, screen: screen.Of(&out, terminal), seen: map[types.UID]*v1alpha1.PlanExecution{}}
			for i, m := range moments {
				v.inst, v.runs = m.inst, []v1alpha1.PlanExecution{*before}
				if m.run != nil {
					v.runs = append(v.runs, *m.run)
				}
				env.Clock = clocktesting.NewFakePassiveClock(today.Add(time.Duration(i) * time.Second))
				v.draw()
			}
			golden.Compare(t, "testdata/watch."+name+".golden", strings.ReplaceAll(out.String(), "\x1b", "ESC"))
		})
	}
}
