// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

func TestCompile(t *testing.T) {
	v := mustCompile(t, changedApp(t, func(s *spec) { s.Parameters[0].Trigger = "deploy" }))
	if diff := cmp.Diff([]string{"deploy", "cleanup"}, v.PlanNames); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"size": "deploy"}, v.Triggers); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
	var kinds []string
	v.Plans["deploy"].Program.Root.Leaves(func(n *engine.Node) {
		kinds = append(kinds, fmt.Sprintf("%s %s %s retry %d", n.Path, n.Task.Kind, n.Task.Timeout, n.Task.Retry.Limit))
	})
	want := []string{
		fmt.Sprintf("main/config/config %s 10m0s retry 3", engine.TaskApply),
		fmt.Sprintf("main/work/work %s 1h0m0s retry 0", engine.TaskJob),
		fmt.Sprintf("main/rest/wait %s 1h0m0s retry 0", engine.TaskWait),
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("tasks of the program (-want +got):\n%s", diff)
	}
	if !v.Plans["deploy"].Lifecycle || !v.Plans["cleanup"].Lifecycle {
		t.Error("a plan that applies or deletes is no lifecycle plan")
	}
}

func TestAPlanWithoutObjectsIsNoLifecyclePlan(t *testing.T) {
	v := mustCompile(t, changedApp(t, func(s *spec) {
		s.Plans = append(s.Plans, v1alpha1.Plan{Name: "check", Phases: []v1alpha1.Phase{{
			Name: "main", Steps: []v1alpha1.Step{{Name: "work", Tasks: []v1alpha1.StepTask{{Task: "work"}, {Task: "pause"}}}},
		}}})
	}))
	if v.Plans["check"].Lifecycle {
		t.Error("a plan of jobs and waits is a lifecycle plan")
	}
}

func TestAWaitForATimeOutlastsItsTimeout(t *testing.T) {
	v := mustCompile(t, changedApp(t, func(s *spec) {
		s.Plans[0].Phases[0].Steps[2].Wait.For = duration(3 * time.Hour)
		s.Plans[0].Phases[0].Steps[2].Timeout = duration(time.Second)
	}))
	v.Plans["deploy"].Program.Root.Leaves(func(n *engine.Node) {
		if n.Path == "main/rest/wait" && n.Task.Timeout <= 3*time.Hour {
			t.Errorf("the time-out %s comes before the end of the wait", n.Task.Timeout)
		}
	})
}

func TestCompileDoesNotChangeItsInput(t *testing.T) {
	s := parse(t, app)
	before := s.DeepCopy()
	mustCompile(t, s)
	if diff := cmp.Diff(before, s); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

// Cases 1, 2, 38, 39, 43, 52 and 54 of the abuse table, and the rest of what only the compiler sees.
func TestCompileRefusesReferencesAndOrder(t *testing.T) {
	two := func(s *spec, strategy v1alpha1.Strategy) []v1alpha1.Step {
		mainPhase(s).Strategy = strategy
		return mainPhase(s).Steps
	}
	tests := map[string]struct {
		change func(*spec)
		want   []string
	}{
		"version is none": {func(s *spec) { s.Version = "latest" }, []string{`spec.version: Invalid value: "latest": must be a semantic version`}},
		"constraint is none": {
			func(s *spec) { s.UpgradableFrom = []string{"~1.0", "newest"} },
			[]string{`spec.upgradableFrom[1]: Invalid value: "newest": must be a semantic version constraint`},
		},
		"39 unknown task": {
			func(s *spec) { firstStep(s).Tasks[0].Task = "confg" },
			[]string{`spec.plans[0].phases[0].steps[0].tasks[0].task: Invalid value: "confg": there is no such task; did you mean "config"?`},
		},
		"39 unknown template": {
			func(s *spec) { applyTask(s).Apply.Templates = []string{"conf.yaml"} },
			[]string{`spec.tasks[0].apply.templates[0]: Invalid value: "conf.yaml": there is no such template; did you mean "config.yaml"?`},
		},
		"39 unknown template of a job": {
			func(s *spec) { s.Tasks[1].Job.Template = "jb.yaml" },
			[]string{`spec.tasks[1].job.template[0]: Invalid value: "jb.yaml": there is no such template`},
		},
		"39 unknown plan of a trigger": {
			func(s *spec) { s.Parameters[0].Trigger = "deplyo" },
			[]string{`spec.parameters[0].trigger: Invalid value: "deplyo": there is no such plan; did you mean "deploy"?`},
		},
		"cleanup is no trigger": {
			func(s *spec) { s.Parameters[0].Trigger = "cleanup" },
			[]string{`spec.parameters[0].trigger: Invalid value: "cleanup": cleanup runs on deletion only`},
		},
		"39 no deploy plan": {
			func(s *spec) { s.Plans = s.Plans[1:] },
			[]string{"spec.plans: Required value: there is no plan named deploy"},
		},
		"39 neither plan nor template": {
			func(s *spec) { s.Plans, s.Tasks, s.Templates = nil, nil, nil },
			[]string{"spec.plans: Required value: there is neither a plan nor a template"},
		},
		"25 duplicate template":  {func(s *spec) { s.Templates = append(s.Templates, s.Templates[0]) }, []string{`spec.templates[2].name: Duplicate value: "config.yaml"`}},
		"25 duplicate task":      {func(s *spec) { s.Tasks = append(s.Tasks, s.Tasks[0]) }, []string{`spec.tasks[4].name: Duplicate value: "config"`}},
		"25 duplicate plan":      {func(s *spec) { s.Plans = append(s.Plans, s.Plans[0]) }, []string{`spec.plans[2].name: Duplicate value: "deploy"`}},
		"25 duplicate parameter": {func(s *spec) { s.Parameters = append(s.Parameters, s.Parameters[0]) }, []string{`spec.parameters[2].name: Duplicate value: "size"`}},
		"25 duplicate phase": {
			func(s *spec) { deployPlan(s).Phases = append(deployPlan(s).Phases, *mainPhase(s)) },
			[]string{`spec.plans[0].phases[1].name: Duplicate value: "main"`},
		},
		"25 duplicate step": {
			func(s *spec) { mainPhase(s).Steps = append(mainPhase(s).Steps, *firstStep(s)) },
			[]string{`spec.plans[0].phases[0].steps[3].name: Duplicate value: "config"`},
		},
		"25 duplicate task of a step": {
			func(s *spec) { firstStep(s).Tasks = append(firstStep(s).Tasks, firstStep(s).Tasks[0]) },
			[]string{`spec.plans[0].phases[0].steps[0].tasks[1].task: Duplicate value: "config"`},
		},
		"38 step depends on itself": {
			func(s *spec) { firstStep(s).DependsOn = []string{"config"} },
			[]string{`steps[0].dependsOn[0]: Invalid value: "config": depends on itself`},
		},
		"38 circle of steps": {
			func(s *spec) {
				steps := two(s, v1alpha1.Parallel)
				steps[0].DependsOn, steps[1].DependsOn = []string{"work"}, []string{"config"}
			},
			[]string{`spec.plans[0].phases[0].steps: Invalid value: "config -> work -> config": depends on itself in a circle`},
		},
		"38 circle of phases": {
			func(s *spec) {
				p := deployPlan(s)
				p.Strategy = v1alpha1.Parallel
				second := *p.Phases[0].DeepCopy()
				second.Name, second.DependsOn = "second", []string{"main"}
				p.Phases = append(p.Phases, second)
				p.Phases[0].DependsOn = []string{"second"}
			},
			[]string{`spec.plans[0].phases: Invalid value: "main -> second -> main"`},
		},
		"38 circle of tasks": {
			func(s *spec) {
				firstStep(s).Strategy = v1alpha1.Parallel
				firstStep(s).Tasks = []v1alpha1.StepTask{
					{Task: "config", DependsOn: []string{"pause"}}, {Task: "pause", DependsOn: []string{"config"}},
				}
			},
			[]string{`steps[0].tasks: Invalid value: "config -> pause -> config"`},
		},
		"39 unknown sibling": {
			func(s *spec) { firstStep(s).DependsOn = []string{"wrk"} },
			[]string{`steps[0].dependsOn[0]: Invalid value: "wrk": there is no such sibling; did you mean "work"?`},
		},
		"38 serial step waits for a later one": {
			func(s *spec) { two(s, v1alpha1.Serial)[0].DependsOn = []string{"rest"} },
			[]string{`steps[0].dependsOn[0]: Invalid value: "rest": comes later, and the strategy is Serial: it would wait forever`},
		},
		"serial step may name an earlier one":    {func(s *spec) { two(s, v1alpha1.Serial)[2].DependsOn = []string{"config"} }, nil},
		"parallel step may wait for a later one": {func(s *spec) { two(s, v1alpha1.Parallel)[0].DependsOn = []string{"rest"} }, nil},
		"54 too many nodes": {
			func(s *spec) {
				for i := range 30 {
					p := v1alpha1.Phase{Name: fmt.Sprintf("p%d", i)}
					for j := range 100 {
						p.Steps = append(p.Steps, v1alpha1.Step{Name: fmt.Sprintf("s%d", j), Tasks: []v1alpha1.StepTask{{Task: "config"}}})
					}
					deployPlan(s).Phases = append(deployPlan(s).Phases, p)
				}
			},
			[]string{"spec.plans[0].phases: Too many: 9039: must have at most 2000 items"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, errs := Compile(changedApp(t, tc.change))
			wantErrors(t, errs, tc.want...)
		})
	}
}

func TestCompileRefusesStepsAndTasks(t *testing.T) {
	wait := func(w v1alpha1.WaitTask) func(*spec) {
		return func(s *spec) { s.Tasks[3].Wait = &w }
	}
	tests := map[string]struct {
		change func(*spec)
		want   []string
	}{
		"52 time-out 0":        {func(s *spec) { firstStep(s).Timeout = duration(0) }, []string{`spec.plans[0].phases[0].steps[0].timeout: Invalid value: "0s": must be more than 0 and at most 720h0m0s`}},
		"52 negative time-out": {func(s *spec) { firstStep(s).Timeout = duration(-time.Second) }, []string{`steps[0].timeout: Invalid value: "-1s"`}},
		"52 time-out of ages":  {func(s *spec) { firstStep(s).Timeout = duration(math.MaxInt64) }, []string{`steps[0].timeout: Invalid value: "2562047h47m16.854775807s"`}},
		"52 negative back-off": {
			func(s *spec) { firstStep(s).Retry = &v1alpha1.Retry{Backoff: duration(-1)} },
			[]string{`steps[0].retry.backoff: Invalid value: "-1ns": must be more than 0`},
		},
		"52 back-off of ages": {
			func(s *spec) { firstStep(s).Retry = &v1alpha1.Retry{Backoff: duration(math.MaxInt64)} },
			[]string{"steps[0].retry.backoff: Invalid value"},
		},
		"52 wait for 0":        {wait(v1alpha1.WaitTask{For: duration(0)}), []string{`spec.tasks[3].wait.for: Invalid value: "0s": must be more than 0`}},
		"52 wait for ages":     {wait(v1alpha1.WaitTask{For: duration(math.MaxInt64)}), []string{"spec.tasks[3].wait.for"}},
		"wait for nothing":     {wait(v1alpha1.WaitTask{}), []string{"spec.tasks[3].wait: Invalid value: set exactly one of until and for"}},
		"wait until and for":   {wait(v1alpha1.WaitTask{Until: "true", For: duration(1)}), []string{"set exactly one of until and for"}},
		"wait until is no CEL": {wait(v1alpha1.WaitTask{Until: "true &&"}), []string{"spec.tasks[3].wait.until"}},
		"step with tasks and wait": {
			func(s *spec) { firstStep(s).Wait = &v1alpha1.WaitTask{For: duration(1)} },
			[]string{"spec.plans[0].phases[0].steps[0]: Invalid value: a step has either tasks, or a wait, or an approve"},
		},
		"step with nothing":  {func(s *spec) { firstStep(s).Tasks = nil }, []string{"steps[0]: Invalid value: a step has either tasks, or a wait, or an approve"}},
		"phase without step": {func(s *spec) { mainPhase(s).Steps = nil }, []string{"spec.plans[0].phases[0].steps: Required value: a phase has at least one step"}},
		"task of no kind": {
			func(s *spec) { applyTask(s).Apply = nil },
			[]string{`spec.tasks[0]: Invalid value: task "config" sets 0 of apply, delete, job, wait and approve: set exactly one`},
		},
		"task of two kinds": {
			func(s *spec) { applyTask(s).Wait = &v1alpha1.WaitTask{For: duration(1)} },
			[]string{`task "config" sets 2 of apply, delete, job, wait and approve: set exactly one`},
		},
		"delete of nothing": {
			func(s *spec) { s.Tasks[2].Delete.Templates = nil },
			[]string{"spec.tasks[2].delete.templates: Required value: name the templates whose objects are to be deleted"},
		},
		"when is no CEL":            {func(s *spec) { firstStep(s).When = "params.size >" }, []string{"spec.plans[0].phases[0].steps[0].when"}},
		"when is no truth":          {func(s *spec) { mainPhase(s).When = "params.size" }, []string{"spec.plans[0].phases[0].when", "must yield true or false, not int"}},
		"when of unknown parameter": {func(s *spec) { firstStep(s).When = "params.sise > 1" }, []string{"steps[0].when", "sise"}},
		"readyWhen is no CEL":       {func(s *spec) { applyTask(s).Apply.ReadyWhen = "self.." }, []string{"spec.tasks[0].apply.readyWhen"}},
		"validation is no CEL": {
			func(s *spec) { s.Validations = []v1alpha1.Rule{{Rule: "params.size === 1", Message: "m"}} },
			[]string{"spec.validations[0].rule"},
		},
		"require is no CEL": {
			func(s *spec) { deployPlan(s).Require = []v1alpha1.Rule{{Rule: "nobody", Message: "m"}} },
			[]string{"spec.plans[0].require[0].rule"},
		},
		"43 default does not fit": {func(s *spec) { s.Parameters[0].Default = jsonOf("8") }, []string{"spec.parameters[size].default: Invalid value: 8: must be at most 7"}},
		"43 schema is none":       {func(s *spec) { s.Parameters[0].Schema = jsonOf(`{"type":"int"}`) }, []string{`spec.parameters[size].schema.type: Invalid value: "int": unknown type`}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, errs := Compile(changedApp(t, tc.change))
			wantErrors(t, errs, tc.want...)
		})
	}
}

func TestCompileNamesEveryError(t *testing.T) {
	_, errs := Compile(changedApp(t, func(s *spec) {
		s.Version = "x"
		firstStep(s).Tasks[0].Task = "nobody"
		s.Parameters[1].Trigger = "none"
	}))
	wantErrors(t, errs, "spec.version", "steps[0].tasks[0].task", "spec.parameters[1].trigger")
	if len(errs) != 3 {
		t.Errorf("%d errors, want 3: %s", len(errs), strings.ReplaceAll(errs.ToAggregate().Error(), ", ", "\n"))
	}
}
