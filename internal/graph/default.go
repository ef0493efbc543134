// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Defaults of steps. A step that nobody timed must end all the same.
const (
	defaultWorkTimeout = 10 * time.Minute
	defaultLongTimeout = time.Hour
	defaultApproval    = 24 * time.Hour
	defaultBackoff     = 10 * time.Second
	defaultFactor      = 2
	defaultRetries     = 3
)

// generatedTask is the task of the deploy plan that a version without plans gets.
const generatedTask = "apply-templates"

// Default fills in everything that a version leaves open, so that what is stored
// is what runs. Where the version is already stored, its gaps are filled from
// there and not from this build: the same YAML stays no change under a newer Kudo.
func Default(spec, stored *v1alpha1.FrameworkVersionSpec) {
	if stored == nil {
		stored = &v1alpha1.FrameworkVersionSpec{}
	} else if !stored.Development {
		restore(spec, stored)
		return
	}
	overlayDefaults(spec, stored)
}

// overlayDefaults fills gaps from what is stored, else from this build.
func overlayDefaults(spec, stored *v1alpha1.FrameworkVersionSpec) {
	fill(&spec.AppVersion, stored.AppVersion, spec.Version)
	fill(&spec.PracticeProfile, stored.PracticeProfile, "none")
	defaultPlan(spec, stored)
	for i := range spec.Tasks {
		defaultTask(&spec.Tasks[i], find(stored.Tasks, spec.Tasks[i].Name, taskName))
	}
	for i := range spec.Recovery {
		defaultRecovery(&spec.Recovery[i], find(stored.Recovery, spec.Recovery[i].Name, ruleOf))
	}
	for i := range spec.Plans {
		p := &spec.Plans[i]
		old := find(stored.Plans, p.Name, planName)
		fill(&p.Concurrency, old.Concurrency, v1alpha1.Exclusive)
		fill(&p.Strategy, old.Strategy, v1alpha1.Serial)
		for j := range p.Phases {
			defaultPhase(spec, &p.Phases[j], find(old.Phases, p.Phases[j].Name, phaseName))
		}
	}
}

// restore fills the gaps of a sealed version from its stored self, and with nothing else:
// a version that was stored without defaults stays as it is.
func restore(spec, stored *v1alpha1.FrameworkVersionSpec) {
	complete := spec.DeepCopy()
	overlayDefaults(complete, &v1alpha1.FrameworkVersionSpec{})
	old := stored.DeepCopy()
	overlayDefaults(old, &v1alpha1.FrameworkVersionSpec{})
	filled := spec.DeepCopy()
	overlayDefaults(filled, stored)
	if equality.Semantic.DeepEqual(filled, stored) || equality.Semantic.DeepEqual(complete, old) {
		stored.DeepCopyInto(spec)
	}
}

// fill sets a value that is empty: from what is stored, else from this build.
func fill[T comparable](value *T, stored, fallback T) {
	var zero T
	if *value != zero {
		return
	}
	if *value = stored; *value == zero {
		*value = fallback
	}
}

func find[T any](list []T, name string, nameOf func(*T) string) *T {
	for i := range list {
		if nameOf(&list[i]) == name {
			return &list[i]
		}
	}
	return new(T)
}

func taskName(t *v1alpha1.Task) string   { return t.Name }
func planName(p *v1alpha1.Plan) string   { return p.Name }
func phaseName(p *v1alpha1.Phase) string { return p.Name }
func stepName(s *v1alpha1.Step) string   { return s.Name }

func ruleOf(r *v1alpha1.RecoveryRule) string { return r.Name }

// defaultRecovery gives a rule a limit: nothing repairs for ever what it can not cure.
func defaultRecovery(r, old *v1alpha1.RecoveryRule) {
	if r.Limit != nil {
		return
	}
	if r.Limit = old.Limit.DeepCopy(); r.Limit == nil {
		r.Limit = &v1alpha1.RecoveryLimit{Attempts: defaultAttempts, Window: metav1.Duration{Duration: defaultWindow}}
	}
}

// defaultPlan gives a version with templates and no plan one that applies them all.
func defaultPlan(spec, stored *v1alpha1.FrameworkVersionSpec) {
	if len(spec.Plans) > 0 || len(spec.Templates) == 0 {
		return
	}
	if find(spec.Tasks, generatedTask, taskName).Name == "" {
		task := v1alpha1.Task{Name: generatedTask}
		task.Apply = &v1alpha1.ApplyTask{}
		for _, t := range spec.Templates {
			task.Apply.Templates = append(task.Apply.Templates, t.Name)
		}
		spec.Tasks = append(spec.Tasks, task)
	}
	if len(stored.Plans) == 1 && stored.Plans[0].Name == v1alpha1.PlanDeploy {
		spec.Plans = []v1alpha1.Plan{*stored.Plans[0].DeepCopy()}
		return
	}
	spec.Plans = []v1alpha1.Plan{{
		Name:        v1alpha1.PlanDeploy,
		Description: "Applies every template.",
		Phases: []v1alpha1.Phase{{
			Name:  "deploy",
			Steps: []v1alpha1.Step{{Name: "apply", Tasks: []v1alpha1.StepTask{{Task: generatedTask}}}},
		}},
	}}
}

func defaultTask(t, old *v1alpha1.Task) {
	if t.Apply != nil {
		stored := v1alpha1.ApplyTask{}
		if old.Apply != nil {
			stored = *old.Apply
		}
		fill(&t.Apply.OnImmutable, stored.OnImmutable, v1alpha1.ImmutableFail)
	}
	if t.Job != nil {
		stored := v1alpha1.JobTask{}
		if old.Job != nil {
			stored = *old.Job
		}
		fill(&t.Job.Mode, stored.Mode, v1alpha1.JobOnce)
	}
	defaultApprove(t.Approve, old.Approve)
}

func defaultPhase(spec *v1alpha1.FrameworkVersionSpec, p, old *v1alpha1.Phase) {
	fill(&p.Strategy, old.Strategy, v1alpha1.Serial)
	for i := range p.Steps {
		defaultStep(spec, &p.Steps[i], find(old.Steps, p.Steps[i].Name, stepName))
	}
}

func defaultStep(spec *v1alpha1.FrameworkVersionSpec, s, old *v1alpha1.Step) {
	timeout, retries := defaultWorkTimeout, int32(defaultRetries)
	long, approve := s.Wait != nil, s.Approve != nil
	for _, t := range s.Tasks {
		task := find(spec.Tasks, t.Task, taskName)
		long, approve = long || task.Job != nil || task.Wait != nil, approve || task.Approve != nil
	}
	switch {
	case approve:
		timeout, retries = defaultApproval, 0
	case long:
		timeout, retries = defaultLongTimeout, 0
	}
	defaultApprove(s.Approve, old.Approve)
	fill(&s.Strategy, old.Strategy, v1alpha1.Serial)
	if s.Timeout == nil {
		if s.Timeout = old.Timeout; s.Timeout == nil {
			s.Timeout = &metav1.Duration{Duration: timeout}
		}
	}
	if s.Retry == nil {
		s.Retry = &v1alpha1.Retry{}
	}
	stored := v1alpha1.Retry{}
	if old.Retry != nil {
		stored = *old.Retry
	}
	fillPointer(&s.Retry.Limit, stored.Limit, retries)
	fillPointer(&s.Retry.Backoff, stored.Backoff, metav1.Duration{Duration: defaultBackoff})
	fill(&s.Retry.Factor, stored.Factor, defaultFactor)
}

func defaultApprove(a, old *v1alpha1.ApproveTask) {
	if a == nil {
		return
	}
	stored := v1alpha1.ApproveTask{}
	if old != nil {
		stored = *old
	}
	fill(&a.OnTimeout, stored.OnTimeout, approvalStalls)
}

func fillPointer[T any](value **T, stored *T, fallback T) {
	if *value != nil {
		return
	}
	if stored != nil {
		fallback = *stored
	}
	*value = &fallback
}
