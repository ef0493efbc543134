// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"strconv"
	"strings"
)

var availabilityRules = []Rule{
	{ID: "KUDO150", Family: "availability", Severity: Warning, Title: "replicas have no PodDisruptionBudget", check: noBudget, compiled: true,
		Why: "When nodes are drained for an upgrade of the cluster, all replicas may be evicted at once.",
		Fix: "render a PodDisruptionBudget with maxUnavailable: 1 that selects the pods"},
	{ID: "KUDO151", Family: "availability", Severity: Warning, Title: "a PodDisruptionBudget blocks every eviction", check: blockingBudget, compiled: true,
		Why: "No node with such a pod can ever be drained, so upgrades of the cluster hang.",
		Fix: "use maxUnavailable: 1"},
	{ID: "KUDO152", Family: "availability", Severity: Warning, Title: "replicas may all run on one node", check: unspread, compiled: true,
		Why: "The loss of that node is the loss of all of them.",
		Fix: "add podAntiAffinity over kubernetes.io/hostname, or topologySpreadConstraints"},
	{ID: "KUDO153", Family: "availability", Severity: Warning, Title: "pods restart only when somebody deletes them", check: onDelete, compiled: true,
		Why: "With updateStrategy OnDelete an update ends without any pod running what it applied.",
		Fix: "use RollingUpdate, or delete the pods in a step of the plan"},
	{ID: "KUDO154", Family: "availability", Severity: Warning, Title: "a rollout waits for its own volume", check: deadlock, compiled: true,
		Why: "The new pod of a rolling update needs the ReadWriteOnce claim that the old pod still holds on another node.",
		Fix: "set strategy.type: Recreate, or use a StatefulSet with volumeClaimTemplates"},
	{ID: "KUDO155", Family: "availability", Severity: Error, Title: "a claim asks for no storage", check: noStorage, compiled: true,
		Why: "The API server refuses a PersistentVolumeClaim without spec.resources.requests.storage.",
		Fix: "set it, from a parameter with format: quantity"},
	{ID: "KUDO156", Family: "availability", Severity: Warning, Title: "two owners set the number of replicas", check: rivalScalers, compiled: true,
		Why: "A HorizontalPodAutoscaler scales the workload, and every run of the plan sets it back.",
		Fix: "leave replicas out of the template, or name it in ignoreFields of the Instance"},
	{ID: "KUDO157", Family: "availability", Severity: Error, Title: "an autoscaler or budget is for a workload that nothing renders", check: lostTarget, compiled: true,
		Why: "It does nothing.",
		Fix: "correct the reference or the selector"},
	{ID: "KUDO158", Family: "availability", Severity: Info, Title: "the size of a volume is fixed", check: fixedStorage, compiled: true,
		Why: "No Instance can have a larger one, and the size of a StatefulSet's claims can not change later.",
		Fix: "make it an immutable parameter with format: quantity"},
}

// replicated says whether a workload has several replicas.
func (o *object) replicated() bool {
	n, ok := o.number("spec", "replicas")
	return ok && n > 1 && (o.is("apps", "StatefulSet") || o.is("apps", "Deployment"))
}

var noBudget = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		if !o.replicated() || o.pod == nil {
			continue
		}
		protected := false
		for _, b := range all {
			protected = protected || b.is("policy", "PodDisruptionBudget") && matches(b.selector(), o.pod.labels)
		}
		if !protected {
			r.object(o, []string{"spec", "replicas"}, "no PodDisruptionBudget selects its pods")
		}
	}
})

var blockingBudget = together(func(_ *subject, all []*object, r *reporter) {
	for _, b := range all {
		if !b.is("policy", "PodDisruptionBudget") {
			continue
		}
		if most := b.get("spec", "maxUnavailable"); most == int64(0) || most == "0%" || most == "0" {
			r.object(b, []string{"spec", "maxUnavailable"}, "maxUnavailable is 0")
		}
		least := b.get("spec", "minAvailable")
		if least == "100%" {
			r.object(b, []string{"spec", "minAvailable"}, "minAvailable is 100%%")
		}
		for _, o := range selected(b.selector(), all) {
			replicas, ok := o.number("spec", "replicas")
			if n, whole := least.(int64); whole && ok && replicas > 0 && n >= replicas {
				r.object(b, []string{"spec", "minAvailable"}, "minAvailable is not less than the replicas of %s", o.title())
			}
		}
	}
})

var unspread = eachObject(func(o *object, r *reporter) {
	if !o.replicated() || o.pod == nil {
		return
	}
	spec := &o.pod.spec
	apart := spec.Affinity != nil && spec.Affinity.PodAntiAffinity != nil
	if !apart && len(spec.TopologySpreadConstraints) == 0 {
		r.object(o, []string{"template", "spec"}, "has neither podAntiAffinity nor topologySpreadConstraints")
	}
})

var onDelete = eachObject(func(o *object, r *reporter) {
	if o.serves() && o.text("spec", "updateStrategy", "type") == "OnDelete" {
		r.object(o, []string{"spec", "updateStrategy"}, "its updateStrategy is OnDelete")
	}
})

var deadlock = together(func(_ *subject, all []*object, r *reporter) {
	once := map[string]bool{}
	for _, o := range all {
		modes := o.items("spec", "accessModes")
		once[o.GetName()] = once[o.GetName()] || o.is("", "PersistentVolumeClaim") && len(modes) == 1 && (modes[0] == "ReadWriteOnce" || modes[0] == "ReadWriteOncePod")
	}
	for _, o := range all {
		if !o.is("apps", "Deployment") || o.pod == nil || o.text("spec", "strategy", "type") == "Recreate" {
			continue
		}
		for _, v := range o.pod.spec.Volumes {
			if v.PersistentVolumeClaim != nil && once[v.PersistentVolumeClaim.ClaimName] {
				r.object(o, []string{"volumes"}, "the volume %s is ReadWriteOnce, and its strategy RollingUpdate", v.Name)
			}
		}
	}
})

// claims calls a function for the claims of an object and where they stand.
func (o *object) claims(do func(claim map[string]any, path []string)) {
	if o.is("", "PersistentVolumeClaim") {
		do(o.Object, nil)
	}
	if o.is("apps", "StatefulSet") {
		eachMap(o.items("spec", "volumeClaimTemplates"), func(i int, m map[string]any) {
			do(m, []string{"volumeClaimTemplates", strconv.Itoa(i)})
		})
	}
}

func storage(claim map[string]any) any {
	for _, key := range []string{"spec", "resources", "requests"} {
		claim, _ = claim[key].(map[string]any)
	}
	return claim["storage"]
}

var noStorage = eachObject(func(o *object, r *reporter) {
	o.claims(func(claim map[string]any, path []string) {
		if v := storage(claim); v == nil || v == "" {
			r.object(o, path, "a claim has no resources.requests.storage")
		}
	})
})

var placeholder = regexp.MustCompile(`\{\{`)

var fixedStorage = func(s *subject, r *reporter) {
	if len(s.renderings) == 0 {
		return
	}
	for _, o := range applied(s.renderings[0].objects) {
		o.claims(func(claim map[string]any, path []string) {
			at := o.find(append(path, "storage")...)
			if at.line == 0 || storage(claim) == nil || o.doc == nil {
				return
			}
			if line := o.doc.text.lines[at.line-1]; strings.Contains(line, "storage") && !placeholder.MatchString(line) {
				r.object(o, append(path, "storage"), "the size is written out")
			}
		})
	}
}

// target is the workload that an autoscaler scales; nil if nothing renders it.
func target(hpa *object, all []*object) *object {
	kind, name := hpa.text("spec", "scaleTargetRef", "kind"), hpa.text("spec", "scaleTargetRef", "name")
	for _, o := range all {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	return nil
}

var rivalScalers = together(func(_ *subject, all []*object, r *reporter) {
	for _, hpa := range all {
		if !hpa.is("autoscaling", "HorizontalPodAutoscaler") {
			continue
		}
		if o := target(hpa, all); o != nil && o.get("spec", "replicas") != nil {
			r.object(o, []string{"spec", "replicas"}, "%s scales it too", hpa.title())
		}
	}
})

var lostTarget = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		switch {
		case o.is("autoscaling", "HorizontalPodAutoscaler") && target(o, all) == nil:
			r.object(o, []string{"spec", "scaleTargetRef"}, "no template renders what it scales")
		case o.is("policy", "PodDisruptionBudget") && len(o.selector()) > 0 && len(selected(o.selector(), all)) == 0:
			r.object(o, []string{"spec", "selector"}, "no pod template has all labels of its selector")
		}
	}
})
