// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// NotYetSupported is what a field says that the API has and this build has not.
const NotYetSupported = "not yet supported"

type refusal struct {
	set  bool
	path *field.Path
}

func refuse(refusals ...refusal) field.ErrorList {
	var errs field.ErrorList
	for _, r := range refusals {
		if r.set {
			errs = append(errs, field.Forbidden(r.path, NotYetSupported))
		}
	}
	return errs
}

// unsupported refuses every field that would otherwise be ignored.
func unsupported(spec *v1alpha1.FrameworkVersionSpec, path *field.Path) field.ErrorList {
	errs := refuse(
		refusal{len(spec.Remember) > 0, path.Child("remember")},
		refusal{spec.Budget != nil, path.Child("budget")},
	)
	for _, r := range spec.Recovery {
		at := path.Child("recovery").Key(r.Name)
		errs = append(errs, refuse(
			refusal{r.ForEach != "", at.Child("forEach")},
			refusal{r.Key != "", at.Child("key")},
			refusal{len(r.With) > 0, at.Child("with")},
		)...)
	}
	for _, o := range spec.Outputs {
		at := path.Child("outputs").Key(o.Name)
		errs = append(errs, refuse(refusal{o.From != nil, at.Child("from")}, refusal{o.Sensitive != nil, at.Child("sensitive")})...)
	}
	for _, t := range spec.Tasks {
		errs = append(errs, unsupportedTask(&t, path.Child("tasks").Key(t.Name))...)
	}
	for _, p := range spec.Plans {
		errs = append(errs, unsupportedPlan(&p, path.Child("plans").Key(p.Name))...)
	}
	return errs
}

func unsupportedTask(t *v1alpha1.Task, path *field.Path) field.ErrorList {
	errs := refuse(
		refusal{len(t.Args) > 0, path.Child("args")},
		refusal{t.Exec != nil, path.Child("exec")},
		refusal{t.Patch != nil, path.Child("patch")},
		refusal{t.Restart != nil, path.Child("restart")},
		refusal{t.Instance != nil, path.Child("instance")},
		refusal{t.Call != nil, path.Child("call")},
	)
	if t.Delete != nil {
		errs = append(errs, refuse(
			refusal{t.Delete.Force, path.Child("delete", "force")},
			refusal{t.Delete.Objects != "", path.Child("delete", "objects")},
		)...)
	}
	if t.Job != nil {
		errs = append(errs, refuse(refusal{t.Job.Mode != "" && t.Job.Mode != v1alpha1.JobOnce, path.Child("job", "mode")})...)
	}
	return errs
}

func unsupportedPlan(p *v1alpha1.Plan, path *field.Path) field.ErrorList {
	errs := refuse(
		refusal{p.Private, path.Child("private")},
		refusal{p.Schedule != nil, path.Child("schedule")},
		refusal{len(p.Parameters) > 0, path.Child("parameters")},
		refusal{len(p.Outputs) > 0, path.Child("outputs")},
	)
	for _, ph := range p.Phases {
		at := path.Child("phases").Key(ph.Name)
		errs = append(errs, refuse(
			refusal{ph.ForEach != "", at.Child("forEach")},
			refusal{ph.Key != "", at.Child("key")},
			refusal{ph.Plan != "", at.Child("plan")},
			refusal{len(ph.With) > 0, at.Child("with")},
			refusal{ph.Atomic, at.Child("atomic")},
			refusal{ph.Canary != nil, at.Child("canary")},
		)...)
		for _, s := range ph.Steps {
			errs = append(errs, unsupportedStep(&s, at.Child("steps").Key(s.Name))...)
		}
	}
	return errs
}

func unsupportedStep(s *v1alpha1.Step, path *field.Path) field.ErrorList {
	return refuse(
		refusal{s.ForEach != "", path.Child("forEach")},
		refusal{s.Key != "", path.Child("key")},
		refusal{len(s.With) > 0, path.Child("with")},
		refusal{len(s.Require) > 0, path.Child("require")},
		refusal{len(s.Outputs) > 0, path.Child("outputs")},
	)
}
