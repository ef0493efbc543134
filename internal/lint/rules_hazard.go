// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

var hazardRules = []Rule{
	{ID: "KUDO076", Family: "hazards", Severity: Warning, Title: "a change runs deploy where there is membership", check: deployAgain, compiled: true,
		Why: "A StatefulSet has members with identity and data. Without a plan update every change of a parameter runs deploy again, which was written for an empty cluster.",
		Fix: "declare a plan update that is safe with members that hold data"},
	{ID: "KUDO077", Family: "hazards", Severity: Info, Title: "an upgrade has no plan of its own", check: noUpgrade, compiled: true,
		Why: "A new version runs update, or deploy, on members that hold data: nothing checks before, and nothing after.",
		Fix: "declare a plan upgrade that checks, rolls and verifies"},
	{ID: "KUDO078", Family: "hazards", Severity: Info, Title: "nothing ever removes an object", check: noCleanup, compiled: true,
		Why: "Claims, Namespaces and CustomResourceDefinitions outlive their Instance, and Kudo prunes none of them: only a delete task removes them.",
		Fix: "delete them in cleanup if they should go, or suppress this if they should stay"},
	{ID: "KUDO079", Family: "hazards", Severity: Info, Title: "members are not told to stop", check: abruptEnd, compiled: true,
		Why: "Without a plan cleanup the garbage collector takes Services, configuration and members away in any order. Volumes stay.",
		Fix: "declare a plan cleanup that takes clients away first, then members"},
	{ID: "KUDO080", Family: "hazards", Severity: Warning, Title: "a Job or Pod is applied instead of run", check: appliedJob, compiled: true,
		Why: "An applied Job can not be changed and does not run again; a bare Pod is gone with its node.",
		Fix: "use a job task for a Job, and a Deployment for a Pod"},
	{ID: "KUDO081", Family: "hazards", Severity: Warning, Title: "update leaves out what deploy applies", check: partialUpdate,
		Why: "A change of a parameter that such a template reads runs update, succeeds, and changes nothing.",
		Fix: "apply the template in update too, or give the parameters that it reads a trigger"},
	{ID: "KUDO082", Family: "hazards", Severity: Warning, Title: "upgrade leaves out what deploy applies", check: partialUpgrade,
		Why: "After the upgrade such objects are those of the old version.",
		Fix: "apply the template in upgrade too"},
	{ID: "KUDO083", Family: "hazards", Severity: Warning, Title: "a plan other than cleanup deletes data", check: deletesData, compiled: true,
		Why: "The task deletes claims. Where the plan runs again, or was started by mistake, the data is gone.",
		Fix: "delete claims in cleanup only, or put an approve step before it"},
	{ID: "KUDO084", Family: "hazards", Severity: Warning, Title: "a parameter that may change feeds a field that may not", check: feedsImmutable, compiled: true,
		Why: "The API server refuses to change the field, and the plan stalls with Invalid for every Instance that sets the parameter later.",
		Fix: "declare the parameter immutable: true, or set onImmutable of the apply task"},
	{ID: "KUDO085", Family: "hazards", Severity: Warning, Title: "the version is part of a field that can not change", check: versionedField, compiled: true,
		Why: "Selectors and claim templates can not change, so no upgrade to another version succeeds.",
		Fix: "take .Version out of selectors, serviceName and volumeClaimTemplates"},
	{ID: "KUDO086", Family: "hazards", Severity: Info, Title: "deploy does not check that the software works", check: unverified, compiled: true,
		Why: "Pods that are ready are not members that serve. The plan succeeds, and the next one starts on a cluster that never formed.",
		Fix: "end deploy with a job, a wait until, or a readyWhen that asks the software"},
}

// sets says whether the version has StatefulSets, and the first of them.
func (s *subject) sets(withData bool) *object {
	for _, rendering := range s.renderings {
		for _, o := range applied(rendering.objects) {
			if o.is("apps", "StatefulSet") && (!withData || len(o.items("spec", "volumeClaimTemplates")) > 0) {
				return o
			}
		}
	}
	return nil
}

func deployAgain(s *subject, r *reporter) {
	if set := s.sets(false); set != nil && s.plan(v1alpha1.PlanUpdate) == nil && len(s.spec.Parameters) > 0 {
		r.field("version.plans", "there is no plan update, and %s has members", set.title())
	}
}

func noUpgrade(s *subject, r *reporter) {
	if set := s.sets(true); set != nil && s.plan(v1alpha1.PlanUpgrade) == nil {
		r.field("version.plans", "there is no plan upgrade, and %s has data", set.title())
	}
}

func noCleanup(s *subject, r *reporter) {
	for _, rendering := range s.renderings {
		deleted := map[string]bool{}
		for _, o := range rendering.objects {
			if o.kind == engine.TaskDelete {
				deleted[o.GetKind()+"/"+o.GetName()] = true
			}
		}
		for _, o := range applied(rendering.objects) {
			outlives := o.is("", "PersistentVolumeClaim") || o.is("", "Namespace") || o.is("apiextensions.k8s.io", "CustomResourceDefinition")
			if outlives && !deleted[o.GetKind()+"/"+o.GetName()] {
				r.object(o, []string{"metadata", "name"}, "outlives the Instance, and no task deletes it")
			}
		}
	}
}

func abruptEnd(s *subject, r *reporter) {
	if set := s.sets(false); set != nil && s.plan(v1alpha1.PlanCleanup) == nil {
		r.field("version.plans", "there is no plan cleanup, and %s has members", set.title())
	}
}

var appliedJob = eachObject(func(o *object, r *reporter) {
	if o.kind == engine.TaskApply && (o.is("batch", "Job") || o.is("", "Pod")) {
		r.object(o, []string{"kind"}, "an apply task makes it")
	}
})

// partial finds templates that deploy applies and another plan does not, in steps or not at all.
func (s *subject) partial(name string, concerns func(template string) bool, r *reporter) {
	deploy, plan := s.plan(v1alpha1.PlanDeploy), s.plan(name)
	if deploy == nil || plan == nil {
		return
	}
	applies := s.applies(plan)
	for _, t := range s.applies(deploy) {
		if !slices.Contains(applies, t) && concerns(t) {
			r.field("version.plans["+name+"]", "deploy applies %s, and %s does not", t, name)
		}
	}
}

// applies lists the templates that the apply tasks of a plan name.
func (s *subject) applies(p *v1alpha1.Plan) []string {
	var out []string
	eachStep(p, func(_ *v1alpha1.Phase, st *v1alpha1.Step, _ string) {
		for _, ref := range st.Tasks {
			if t := s.task(ref.Task); t != nil && t.Apply != nil {
				out = append(out, t.Apply.Templates...)
			}
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// partialUpdate looks at templates that read a parameter whose change runs update.
func partialUpdate(s *subject, r *reporter) {
	s.partial(v1alpha1.PlanUpdate, func(template string) bool {
		readers := s.readers(template)
		return slices.ContainsFunc(s.spec.Parameters, func(p v1alpha1.Parameter) bool {
			if p.Immutable || p.Trigger != "" && p.Trigger != v1alpha1.PlanUpdate {
				return false
			}
			templates, _ := s.uses(p.Name)
			return slices.ContainsFunc(templates, func(n string) bool { return slices.Contains(readers, n) })
		})
	}, r)
}

func partialUpgrade(s *subject, r *reporter) {
	s.partial(v1alpha1.PlanUpgrade, func(string) bool { return true }, r)
}

func deletesData(s *subject, r *reporter) {
	if len(s.renderings) == 0 {
		return
	}
	claims := map[string]bool{}
	for _, o := range s.renderings[0].objects {
		if o.kind == engine.TaskDelete && o.is("", "PersistentVolumeClaim") {
			claims[o.task] = true
		}
	}
	for i := range s.spec.Plans {
		p := &s.spec.Plans[i]
		approved := false
		eachStep(p, func(_ *v1alpha1.Phase, st *v1alpha1.Step, path string) {
			approved = approved || st.Approve != nil
			for _, t := range st.Tasks {
				if claims[t.Task] && p.Name != v1alpha1.PlanCleanup && !approved {
					r.field(path+".tasks["+t.Task+"]", "the plan %s deletes claims in step %s", p.Name, st.Name)
				}
			}
		})
	}
}

func unverified(s *subject, r *reporter) {
	deploy := s.plan(v1alpha1.PlanDeploy)
	set := s.sets(false)
	if deploy == nil || set == nil {
		return
	}
	asks := false
	eachStep(deploy, func(_ *v1alpha1.Phase, st *v1alpha1.Step, _ string) {
		asks = asks || st.Wait != nil && st.Wait.Until != ""
		for _, ref := range st.Tasks {
			t := s.task(ref.Task)
			asks = asks || t != nil && (t.Job != nil || t.Wait != nil && t.Wait.Until != "" || t.Apply != nil && t.Apply.ReadyWhen != "")
		}
	})
	if !asks {
		r.field("version.plans[deploy]", "deploy ends when the pods of %s are ready", set.title())
	}
}
