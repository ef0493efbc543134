// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

// undoes lists what takes the steps of a plan back, as "<path> <kind>".
func undoes(p *Plan) []string {
	var out []string
	p.Program.Root.Undoes(func(n *engine.Node) { out = append(out, n.Path+" "+string(n.Task.Kind)) })
	return out
}

// Objects are taken back by themselves, a job by a person, a wait not at all.
func TestWhatTakesAStepBack(t *testing.T) {
	tests := map[string]struct {
		change func(*spec)
		want   []string
	}{
		"by itself": {
			func(*spec) {},
			[]string{"main/config/undo/revert revert", "main/work/undo/manual manual"},
		},
		"a job and objects in one step": {
			func(s *spec) { firstStep(s).Tasks = append(firstStep(s).Tasks, v1alpha1.StepTask{Task: "work"}) },
			[]string{"main/config/undo/manual manual", "main/config/undo/revert revert", "main/work/undo/manual manual"},
		},
		"as the author says, also with a task of the step itself": {
			func(s *spec) {
				firstStep(s).Undo = []v1alpha1.StepTask{{Task: "remove"}, {Task: "config"}}
				s.Plans[0].Phases[0].Steps[1].Undo = []v1alpha1.StepTask{{Task: "work"}}
			},
			[]string{"main/config/undo/remove delete", "main/config/undo/config apply", "main/work/undo/work job"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustCompile(t, changedApp(t, tc.change)).Plans["deploy"]
			if diff := cmp.Diff(tc.want, undoes(p)); diff != "" {
				t.Errorf("undo (-want +got):\n%s", diff)
			}
			p.Program.Root.Leaves(func(n *engine.Node) {
				if p.Tasks[n.Path] == nil {
					t.Errorf("no task at %s", n.Path)
				}
			})
			p.Program.Root.Undoes(func(n *engine.Node) {
				if step, undo := UndoneStep(n.Path); p.Tasks[n.Path] == nil || !undo || len(p.StepTasks(step)) == 0 {
					t.Errorf("%s: task %v, step %q", n.Path, p.Tasks[n.Path], step)
				}
			})
		})
	}
}

func TestWhatFollowsAFailure(t *testing.T) {
	more := func(of v1alpha1.OnFailure) func(*spec) {
		return func(s *spec) {
			rescue := s.Plans[0].DeepCopy()
			rescue.Name = "rescue"
			s.Plans = append(s.Plans, *rescue)
			deployPlan(s).OnFailure = &of
		}
	}
	for of, want := range map[v1alpha1.OnFailure]engine.OnFailure{
		{Fail: true}:                 {},
		{Undo: true}:                 {Undo: true},
		{Plan: "rescue", Undo: true}: {Undo: true, Plan: "rescue"},
		{Rollback: true}:             {Plan: v1alpha1.PlanRollback},
	} {
		got := mustCompile(t, changedApp(t, more(of))).Plans["deploy"].Program.OnFailure
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", of, diff)
		}
	}
	refused := map[string]func(*spec){
		`onFailure.plan: Invalid value: "rescu": there is no such plan; did you mean "rescue"?`: more(v1alpha1.OnFailure{Plan: "rescu"}),
		`plans[0].onFailure: Forbidden: set plan or rollback, not both`:                         more(v1alpha1.OnFailure{Plan: "rescue", Rollback: true}),
		`plans[0].onFailure: Required value: set at least one of undo, plan, rollback and fail`: more(v1alpha1.OnFailure{}),
		`onFailure.plan: Invalid value: "deploy": a plan can not follow itself`:                 more(v1alpha1.OnFailure{Plan: "deploy"}),
		`onFailure.plan: Invalid value: "cleanup": cleanup runs on deletion only`:               more(v1alpha1.OnFailure{Plan: "cleanup"}),
		`plans[1].onFailure: Forbidden: nothing follows cleanup`:                                func(s *spec) { s.Plans[1].OnFailure = &v1alpha1.OnFailure{Rollback: true} },
		`plans[1].name: Forbidden: rollback is built in`:                                        func(s *spec) { s.Plans[1].Name = "rollback" },
		`undo[0].task: Invalid value: "remov": there is no such task; did you mean "remove"?`:   func(s *spec) { firstStep(s).Undo = []v1alpha1.StepTask{{Task: "remov"}} },
		`undo[0].dependsOn: Forbidden`: func(s *spec) {
			firstStep(s).Undo = []v1alpha1.StepTask{{Task: "remove", DependsOn: []string{"config"}}}
		},
	}
	for sentence, change := range refused {
		t.Run(sentence, func(t *testing.T) {
			_, errs := Compile(changedApp(t, change))
			wantErrors(t, errs, sentence)
		})
	}
}

func TestApprove(t *testing.T) {
	p := mustCompile(t, changedApp(t, func(s *spec) {
		step := &s.Plans[0].Phases[0].Steps[2]
		step.Wait, step.Approve = nil, &v1alpha1.ApproveTask{Message: "sure?", OnTimeout: "Fail"}
		s.Tasks[3].Wait, s.Tasks[3].Approve = nil, &v1alpha1.ApproveTask{Message: "really?"}
		firstStep(s).Tasks = append(firstStep(s).Tasks, v1alpha1.StepTask{Task: "pause"})
	})).Plans["deploy"]
	for path, want := range map[string]engine.Task{
		"main/rest/approve": {Kind: engine.TaskApprove, Timeout: 24 * time.Hour, Message: "sure?", FailLate: true},
		"main/config/pause": {Kind: engine.TaskApprove, Timeout: 24 * time.Hour, Message: "really?"},
	} {
		got := *p.Program.Find(path).Task
		got.Retry = engine.Retry{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	_, errs := Compile(changedApp(t, func(s *spec) {
		s.Tasks[3].Wait, s.Tasks[3].Approve = nil, &v1alpha1.ApproveTask{Message: "${params.size}?"}
	}))
	wantErrors(t, errs, "spec.tasks[3].approve.message: Forbidden: ${CEL} is not yet supported")
}

// A plan that runs beside others holds nothing that changes objects.
func TestSharedPlans(t *testing.T) {
	backup := func(change func(*spec, *v1alpha1.Plan)) func(*spec) {
		return func(s *spec) {
			p := v1alpha1.Plan{Name: "backup", Concurrency: v1alpha1.Shared, Phases: []v1alpha1.Phase{{
				Name: "main", Steps: []v1alpha1.Step{{Name: "work", Tasks: []v1alpha1.StepTask{{Task: "work"}, {Task: "pause"}}}},
			}}}
			change(s, &p)
			s.Plans = append(s.Plans, p)
		}
	}
	v := mustCompile(t, changedApp(t, backup(func(*spec, *v1alpha1.Plan) {})))
	if p := v.Plans["backup"]; !p.Shared || p.Lifecycle {
		t.Errorf("shared %t, lifecycle %t", p.Shared, p.Lifecycle)
	}
	if diff := cmp.Diff([]string{"backup"}, v.Shared()); diff != "" {
		t.Errorf("shared plans (-want +got):\n%s", diff)
	}
	refused := map[string]func(*spec){
		"plans[2].concurrency: Invalid value: \"Shared\": a plan that makes or changes": backup(func(_ *spec, p *v1alpha1.Plan) {
			p.Phases[0].Steps[0].Tasks = append(p.Phases[0].Steps[0].Tasks, v1alpha1.StepTask{Task: "config"})
		}),
		"plans[0].concurrency: Invalid value: \"Shared\": a plan that makes or changes": func(s *spec) { s.Plans[0].Concurrency = v1alpha1.Shared },
		"plans[2].onFailure: Forbidden: nothing follows a plan that runs beside others": backup(func(_ *spec, p *v1alpha1.Plan) {
			p.OnFailure = &v1alpha1.OnFailure{Rollback: true}
		}),
		"trigger: Invalid value: \"backup\": a plan that runs beside others takes no parameter over": backup(func(s *spec, _ *v1alpha1.Plan) {
			s.Parameters[0].Trigger = "backup"
		}),
	}
	for sentence, change := range refused {
		t.Run(sentence, func(t *testing.T) {
			_, errs := Compile(changedApp(t, change))
			wantErrors(t, errs, sentence)
		})
	}
}
