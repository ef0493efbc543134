// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// patience is the time of a step. KUDO waited without end.
const patience = time.Hour

// convertPlans makes tasks and plans of those of KUDO.
func (im *importer) convertPlans() {
	im.build = newBuilder(im.operator.name.text, im.operator.version.text)
	im.nameOperator()
	im.findLabels()
	im.findDeleted()
	for _, p := range im.operator.plans {
		name := identifierOf(p.name, "plan")
		if name == v1alpha1.PlanRollback {
			name = "rollback-plan"
		}
		name = unique(im.build.names.plans, name)
		if im.build.renamed[p.name] = name; name != p.name {
			im.changed(operatorFile, p.line, "the plan "+p.name, "it is named "+name+" now", "")
		}
	}
	for _, p := range im.operator.plans {
		im.build.plans = append(im.build.plans, im.plan(p))
	}
	for _, t := range im.operator.tasks {
		if !t.taken {
			im.lost(operatorFile, t.line, "the task "+t.name, "no plan uses it", "")
		}
	}
	im.triggers()
}

// findDeleted notes the templates that a step of a plan deletes.
func (im *importer) findDeleted() {
	deletes := map[string]bool{}
	for _, p := range im.operator.plans {
		for _, ph := range p.phases {
			for _, s := range ph.steps {
				for _, name := range s.tasks {
					deletes[name.text] = deletes[name.text] || s.del
				}
			}
		}
	}
	for _, t := range im.operator.tasks {
		if t.kind != kindDelete && !deletes[t.name] {
			continue
		}
		for _, r := range t.resources {
			im.build.deleted[r.text] = true
		}
	}
}

func (im *importer) nameOperator() {
	o, b := im.operator, im.build
	if b.name != o.name.text {
		im.changed(operatorFile, o.name.line, "the name "+o.name.text, "names are at most 40 lower-case letters, digits and -; it is now "+b.name, "")
	}
	if b.version != o.version.text {
		im.changed(operatorFile, o.version.line, "the version "+o.version.text, "versions are semantic versions in lower case; it is now "+b.version, "")
	}
	if o.kubernetesVersion.text != "" {
		im.lost(operatorFile, o.kubernetesVersion.line, "kubernetesVersion "+o.kubernetesVersion.text, "a version has no such field", "")
	}
}

var versionPattern = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9a-z]+([.-][0-9a-z]+)*)?$`)

// versionOf is the semantic version that an old one stands for.
func versionOf(old string) string {
	v, err := semver.NewVersion(strings.ToLower(strings.ReplaceAll(old, "+", "-")))
	if err == nil && versionPattern.MatchString(v.String()) && len(v.String()) <= maxName {
		return v.String()
	}
	return "0.1.0"
}

// plan converts a plan: its phases, and something to do where nothing is left.
func (im *importer) plan(p *plan) v1alpha1.Plan {
	out := v1alpha1.Plan{Name: im.build.renamed[p.name]}
	if p.parallel {
		out.Strategy = v1alpha1.Parallel
	}
	taken, never := map[string]bool{}, true
	for _, ph := range p.phases {
		converted, refuses := im.phase(p, ph)
		if len(converted.Steps) == 0 {
			continue
		}
		never = never && refuses
		converted.Name = unique(taken, identifierOf(ph.name, "phase"))
		out.Phases = append(out.Phases, converted)
	}
	switch {
	case len(out.Phases) == 0:
		im.changed(operatorFile, p.line, "the plan "+p.name, "nothing is left to do in it; it waits a second", "")
		out.Phases = []v1alpha1.Phase{{Name: "nothing", Steps: []v1alpha1.Step{{
			Name: "nothing", Wait: &v1alpha1.WaitTask{For: &metav1.Duration{Duration: time.Second}},
		}}}}
	case never && !special(out.Name):
		im.refuse(p, &out)
	}
	return out
}

func special(plan string) bool {
	switch plan {
	case v1alpha1.PlanDeploy, v1alpha1.PlanUpdate, v1alpha1.PlanUpgrade, v1alpha1.PlanCleanup:
		return true
	}
	return false
}

// refuse is for plans that never succeeded: authors used them for what must not be changed.
func (im *importer) refuse(p *plan, out *v1alpha1.Plan) {
	out.Require = []v1alpha1.Rule{{Rule: "false", Message: "what the plan " + out.Name + " stands for is not allowed"}}
	for _, param := range im.params {
		if param.trigger.text == p.name {
			param.immutable = true
			im.changed(paramsFile, param.trigger.line, "the trigger "+p.name+" of "+param.old, "that plan never succeeds; the parameter is immutable, so a change is refused at once", "")
		}
	}
}

// phase converts a phase. Steps that became several run beside each other, as the tasks of
// an old step did.
func (im *importer) phase(p *plan, ph phase) (out v1alpha1.Phase, never bool) {
	never = true
	taken := map[string]bool{}
	var groups [][]v1alpha1.Step
	for i, s := range ph.steps {
		sc := scope{plan: p.name, phase: ph.name, step: s.name, number: i}
		steps, refuses := im.step(s, sc, taken)
		if len(steps) > 0 {
			groups = append(groups, steps)
			never = never && refuses
		}
	}
	split := slices.ContainsFunc(groups, func(g []v1alpha1.Step) bool { return len(g) > 1 })
	if ph.parallel || split {
		out.Strategy = v1alpha1.Parallel
	}
	var before []string
	for _, g := range groups {
		var names []string
		for _, s := range g {
			if split && !ph.parallel {
				s.DependsOn = before
			}
			names = append(names, s.Name)
			out.Steps = append(out.Steps, s)
		}
		before = names
	}
	return out, never
}

// step converts a step: its tasks, grouped by the condition under which they run.
func (im *importer) step(s step, sc scope, taken map[string]bool) (out []v1alpha1.Step, never bool) {
	var conditions []string
	byCondition := map[string][]unit{}
	never = true
	for _, named := range s.tasks {
		i := slices.IndexFunc(im.operator.tasks, func(t *task) bool { return t.name == named.text })
		if i < 0 {
			im.lost(operatorFile, named.line, "the task "+named.text+" of the step "+s.name, "there is no such task", "add the task, or remove it from the step")
			continue
		}
		t := im.operator.tasks[i]
		t.taken = true
		for _, u := range im.units(t, sc, s.del) {
			never = never && u.never
			if _, known := byCondition[u.when]; !known {
				conditions = append(conditions, u.when)
			}
			byCondition[u.when] = append(byCondition[u.when], u)
		}
	}
	for _, when := range conditions {
		name := identifierOf(s.name, "step")
		if len(conditions) > 1 && when != "" {
			name = identifierOf(s.name+"-"+byCondition[when][0].task, "step")
		}
		converted := stepOf(byCondition[when])
		converted.Name, converted.When = unique(taken, name), when
		out = append(out, converted)
	}
	return out, never
}

// stepOf is a step with these tasks. KUDO started the tasks of a step together, in order.
func stepOf(units []unit) v1alpha1.Step {
	var out v1alpha1.Step
	jobs, backoff := false, int32(0)
	for _, u := range units {
		if slices.ContainsFunc(out.Tasks, func(t v1alpha1.StepTask) bool { return t.Task == u.task }) {
			continue
		}
		out.Tasks = append(out.Tasks, v1alpha1.StepTask{Task: u.task})
		jobs = jobs || u.job
		backoff = max(backoff, u.backoff)
	}
	if len(out.Tasks) > 1 {
		out.Strategy = v1alpha1.Parallel
	}
	if jobs {
		out.Retry = &v1alpha1.Retry{Limit: &backoff}
	}
	out.Timeout = &metav1.Duration{Duration: patience}
	return out
}

// triggers name the plans that parameters start.
func (im *importer) triggers() {
	for _, p := range im.params {
		old := p.trigger.text
		if old == "" {
			continue
		}
		name, found := im.build.renamed[old]
		switch {
		case !found:
			im.lost(paramsFile, p.trigger.line, "the trigger "+old+" of "+p.old, "there is no such plan; a change runs update, or deploy where there is none", "")
			name = ""
		case name == v1alpha1.PlanCleanup:
			im.lost(paramsFile, p.trigger.line, "the trigger cleanup of "+p.old, "cleanup runs when an Instance is deleted, and then only", "give the parameter a plan of its own")
			name = ""
		case name == v1alpha1.PlanDeploy && im.build.renamed[v1alpha1.PlanUpdate] == "", name == v1alpha1.PlanUpdate:
			name = "" // it runs anyway
		}
		p.trigger.text = name
	}
}
