// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

var planRules = []Rule{
	{ID: planRefused, Family: "plans", Severity: Error, Title: "a plan or task is not valid", check: refused,
		Why: "The version is never Valid.",
		Fix: "correct the field that the message names"},
	{ID: expressionRefused, Family: "plans", Severity: Error, Title: "an expression is not valid", check: refused,
		Why: "It does not parse, reads something that does not exist, or yields the wrong type.",
		Fix: "correct the expression; docs/spec/cel.md lists what it may see"},
	{ID: unknownName, Family: "plans", Severity: Error, Title: "a task, template or plan does not exist", check: refused,
		Why: "The name is not declared in the version.",
		Fix: "declare it, or correct the name"},
	{ID: "KUDO063", Family: "plans", Severity: Warning, Title: "a task stands in no plan", check: unusedTask,
		Why: "It looks as if it were done, and never is.",
		Fix: "name it in a step, or remove it"},
	{ID: "KUDO064", Family: "plans", Severity: Warning, Title: "nothing runs a plan, and it does not say when to", check: strayPlan,
		Why: "It has no meaning of its own, no parameter triggers it, and no rule and no other plan runs it. So a person must, and nobody knows when.",
		Fix: "describe when to run it, have something run it, or remove it"},
	{ID: "KUDO065", Family: "plans", Severity: Info, Title: "a plan has no description", check: undescribedPlan,
		Why: "The description is what people read before they run or approve it.",
		Fix: "say what the plan does, and what it costs"},
	{ID: "KUDO066", Family: "plans", Severity: Info, Title: "a wait has the default time-out", check: timelessWait,
		Why: "It ends after an hour, which is rarely the time that the software needs.",
		Fix: "set the timeout of the step"},
	{ID: "KUDO067", Family: "plans", Severity: Warning, Title: "an approval does not say what is approved", check: dumbApproval,
		Why: "The message is all that a person sees before they let a plan go on.",
		Fix: "say in message what happens next and what can be lost"},
	{ID: "KUDO068", Family: "plans", Severity: Info, Title: "dependsOn says what is so anyway", check: idleDependsOn,
		Why: "Under Serial each child waits for the one before it. The reader takes the plan for a parallel one.",
		Fix: "remove dependsOn, or set strategy: Parallel"},
	{ID: "KUDO069", Family: "plans", Severity: Warning, Title: "maxParallel has no effect", check: idleMaxParallel,
		Why: "A phase with strategy Serial runs one step at a time whatever it says.",
		Fix: "set strategy: Parallel, or remove maxParallel"},
	{ID: "KUDO070", Family: "plans", Severity: Warning, Title: "a condition is constant", check: constantWhen,
		Why: "A step that always or never runs needs no condition; often a name was put in quotes by mistake.",
		Fix: "remove the condition, or the step"},
	{ID: "KUDO071", Family: "plans", Severity: Warning, Title: "a step ends before its Job may", check: shortStep, compiled: true,
		Why: "The time-out of the step is shorter than activeDeadlineSeconds of the Job. The step fails while the Job goes on.",
		Fix: "give the step more time than the Job"},
	{ID: "KUDO072", Family: "plans", Severity: Info, Title: "a Job has no deadline", check: endlessJob, compiled: true,
		Why: "A Job that hangs is ended by nothing but the time-out of the step, an hour where none is set.",
		Fix: "set spec.activeDeadlineSeconds of the Job, or the timeout of the step"},
	{ID: "KUDO087", Family: "plans", Severity: Info, Title: "a Job says what Kudo decides", check: decidedJob, compiled: true,
		Why: "Kudo sets backoffLimit: 0, restartPolicy: Never and podReplacementPolicy: Failed and removes ttlSecondsAfterFinished: what the template says there is not done.",
		Fix: "remove the field, and set retry of the step"},
	{ID: "KUDO073", Family: "plans", Severity: Warning, Title: "a deploy can be undone to nothing only", check: rollbackOfDeploy,
		Why: "Before the first success there is no version to roll back to.",
		Fix: "use undo or fail in onFailure of deploy"},
	{ID: "KUDO074", Family: "plans", Severity: Warning, Title: "a plan that a machine starts waits for a person", check: unattendedApproval,
		Why: "A recovery or a triggered plan at night holds the lock of the Instance until somebody approves.",
		Fix: "leave the approval to plans that people start, or give it a timeout and onTimeout: Fail"},
	{ID: "KUDO075", Family: "plans", Severity: Warning, Title: "a recovery rule acts at once", check: hastyRecovery,
		Why: "Without for a restart of one pod or a slow node is enough to start the plan.",
		Fix: "set for to the time that the software heals by itself in"},
}

func unusedTask(s *subject, r *reporter) {
	used := map[string]bool{}
	for i := range s.spec.Plans {
		eachStep(&s.spec.Plans[i], func(_ *v1alpha1.Phase, st *v1alpha1.Step, _ string) {
			for _, t := range slices.Concat(st.Tasks, st.Undo) {
				used[t.Task] = true
			}
		})
	}
	for _, t := range s.pkg.Version.Spec.Tasks {
		if !used[t.Name] {
			r.field("version.tasks["+t.Name+"]", "no step names the task %s", t.Name)
		}
	}
}

// reserved are the plans that Kudo runs by their names.
var reserved = []string{v1alpha1.PlanDeploy, v1alpha1.PlanUpdate, v1alpha1.PlanUpgrade, v1alpha1.PlanCleanup}

// started says what starts a plan by itself; empty if only people do.
func (s *subject) started(name string) string {
	for _, p := range s.spec.Parameters {
		if p.Trigger == name {
			return "the parameter " + p.Name
		}
	}
	for _, rule := range s.spec.Recovery {
		if rule.Plan == name {
			return "the recovery rule " + rule.Name
		}
	}
	for _, p := range s.spec.Plans {
		if p.OnFailure != nil && p.OnFailure.Plan == name {
			return "the plan " + p.Name
		}
	}
	if s.spec.OnContentChange == name {
		return "a change of content"
	}
	return ""
}

func strayPlan(s *subject, r *reporter) {
	for _, p := range s.spec.Plans {
		if !slices.Contains(reserved, p.Name) && s.started(p.Name) == "" && strings.TrimSpace(p.Description) == "" {
			r.field("version.plans["+p.Name+"]", "nothing runs the plan %s", p.Name)
		}
	}
}

func undescribedPlan(s *subject, r *reporter) {
	for _, p := range s.pkg.Version.Spec.Plans {
		known := slices.Contains(reserved, p.Name) || s.started(p.Name) != ""
		if known && strings.TrimSpace(p.Description) == "" {
			r.field("version.plans["+p.Name+"]", "the plan %s has no description", p.Name)
		}
	}
}

// written calls a function for the steps as they were written, without defaults.
func (s *subject) written(do func(p *v1alpha1.Plan, ph *v1alpha1.Phase, st *v1alpha1.Step, path string)) {
	for i := range s.pkg.Version.Spec.Plans {
		p := &s.pkg.Version.Spec.Plans[i]
		eachStep(p, func(ph *v1alpha1.Phase, st *v1alpha1.Step, path string) { do(p, ph, st, path) })
	}
}

func timelessWait(s *subject, r *reporter) {
	s.written(func(_ *v1alpha1.Plan, _ *v1alpha1.Phase, st *v1alpha1.Step, path string) {
		waits := st.Wait != nil && st.Wait.Until != ""
		for _, ref := range st.Tasks {
			t := s.task(ref.Task)
			waits = waits || t != nil && t.Wait != nil && t.Wait.Until != ""
		}
		if waits && st.Timeout == nil {
			r.field(path, "step %s waits without a timeout of its own", st.Name)
		}
	})
}

const shortMessage = 12

// approvals calls a function for every approval.
func (s *subject) approvals(do func(p *v1alpha1.Plan, a *v1alpha1.ApproveTask, timed bool, path string)) {
	s.written(func(p *v1alpha1.Plan, _ *v1alpha1.Phase, st *v1alpha1.Step, path string) {
		if st.Approve != nil {
			do(p, st.Approve, st.Timeout != nil, path+".approve")
		}
		for _, ref := range st.Tasks {
			if t := s.task(ref.Task); t != nil && t.Approve != nil {
				do(p, t.Approve, st.Timeout != nil, "version.tasks["+t.Name+"].approve")
			}
		}
	})
}

func dumbApproval(s *subject, r *reporter) {
	s.approvals(func(_ *v1alpha1.Plan, a *v1alpha1.ApproveTask, _ bool, path string) {
		if len(strings.TrimSpace(a.Message)) < shortMessage {
			r.field(path, "the message %q says too little", a.Message)
		}
	})
}

func idleDependsOn(s *subject, r *reporter) {
	say := func(path string, strategy v1alpha1.Strategy, dependsOn []string) {
		if strategy != v1alpha1.Parallel && len(dependsOn) > 0 {
			r.field(path+".dependsOn", "dependsOn under strategy Serial")
		}
	}
	for _, p := range s.spec.Plans {
		for _, ph := range p.Phases {
			path := "version.plans[" + p.Name + "].phases[" + ph.Name + "]"
			say(path, p.Strategy, ph.DependsOn)
			for _, st := range ph.Steps {
				at := path + ".steps[" + st.Name + "]"
				say(at, ph.Strategy, st.DependsOn)
				for _, t := range st.Tasks {
					say(at+".tasks["+t.Task+"]", st.Strategy, t.DependsOn)
				}
			}
		}
	}
}

func idleMaxParallel(s *subject, r *reporter) {
	for _, p := range s.spec.Plans {
		for _, ph := range p.Phases {
			if ph.MaxParallel > 0 && ph.Strategy != v1alpha1.Parallel {
				r.field("version.plans["+p.Name+"].phases["+ph.Name+"].maxParallel", "phase %s is Serial", ph.Name)
			}
		}
	}
}

var literal = regexp.MustCompile(`^\s*(true|false|"[^"]*"|'[^']*')(\s*==\s*(true|false|"[^"]*"|'[^']*'))?\s*$`)

func constantWhen(s *subject, r *reporter) {
	for _, e := range s.expressions() {
		if (strings.HasSuffix(e.path, ".when") || strings.HasSuffix(e.path, ".until") || strings.HasSuffix(e.path, ".rule")) && literal.MatchString(e.text) {
			r.field(e.path, "the expression is always the same")
		}
	}
}

// jobs calls a function for every job task in a step, with the Job as it renders.
func (s *subject) jobs(do func(st *v1alpha1.Step, job *object, path string)) {
	if len(s.renderings) == 0 {
		return
	}
	s.written(func(_ *v1alpha1.Plan, _ *v1alpha1.Phase, st *v1alpha1.Step, path string) {
		for _, ref := range st.Tasks {
			t := s.task(ref.Task)
			if t == nil || t.Job == nil {
				continue
			}
			for _, o := range s.renderings[0].objects {
				if o.task == t.Name {
					do(st, o, path)
				}
			}
		}
	})
}

// defaultJobTime is the time-out of a step with a job where none is set.
const defaultJobTime = time.Hour

func shortStep(s *subject, r *reporter) {
	s.jobs(func(st *v1alpha1.Step, job *object, path string) {
		deadline, ok := job.number("spec", "activeDeadlineSeconds")
		timeout := defaultJobTime
		if st.Timeout != nil {
			timeout = st.Timeout.Duration
		}
		if ok && time.Duration(deadline)*time.Second > timeout {
			r.field(path, "step %s ends after %s, its Job after %s", st.Name, timeout, time.Duration(deadline)*time.Second)
		}
	})
}

func endlessJob(s *subject, r *reporter) {
	s.jobs(func(st *v1alpha1.Step, job *object, path string) {
		if _, ok := job.number("spec", "activeDeadlineSeconds"); !ok && st.Timeout == nil {
			r.field(path, "step %s has no timeout, and its Job no activeDeadlineSeconds", st.Name)
		}
	})
}

var decidedJob = eachObject(func(o *object, r *reporter) {
	if o.kind != engine.TaskJob {
		return
	}
	for _, d := range []struct {
		path []string
		kudo any
	}{
		{[]string{"spec", "backoffLimit"}, int64(0)}, {[]string{"spec", "ttlSecondsAfterFinished"}, nil},
		{[]string{"spec", "podReplacementPolicy"}, "Failed"}, {[]string{"spec", "template", "spec", "restartPolicy"}, "Never"},
	} {
		if v := o.get(d.path...); v != nil && v != d.kudo {
			r.object(o, d.path, "%s is set by Kudo", strings.Join(d.path, "."))
		}
	}
})

func rollbackOfDeploy(s *subject, r *reporter) {
	if p := s.plan(v1alpha1.PlanDeploy); p != nil && p.OnFailure != nil && p.OnFailure.Rollback {
		r.field("version.plans[deploy].onFailure.rollback", "deploy rolls back")
	}
}

func unattendedApproval(s *subject, r *reporter) {
	s.approvals(func(p *v1alpha1.Plan, a *v1alpha1.ApproveTask, timed bool, path string) {
		if by := s.started(p.Name); by != "" && !(timed && a.OnTimeout == "Fail") {
			r.field(path, "%s starts the plan %s, which waits here for a person", by, p.Name)
		}
	})
}

func hastyRecovery(s *subject, r *reporter) {
	for _, rule := range s.spec.Recovery {
		if rule.For == nil || rule.For.Duration == 0 {
			r.field(fmt.Sprintf("version.recovery[%s]", rule.Name), "the rule %s has no for", rule.Name)
		}
	}
}
