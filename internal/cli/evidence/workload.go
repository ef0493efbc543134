// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/diagnose"
	"kudo.dev/kudo/internal/health"
)

// Gather reads all that may tell why an Instance is stuck.
func Gather(ctx context.Context, c client.Client, inst *v1alpha1.Instance, now time.Time) *diagnose.Evidence {
	r := &Reader{Client: c}
	e := &diagnose.Evidence{Now: now, Instance: inst, Executions: r.Executions(ctx, inst), Version: r.Version(ctx, inst)}
	for _, ref := range r.suspects(ctx, c, e) {
		if w := r.Workload(ctx, ref); w != nil {
			r.addEvents(ctx, w)
			e.Workloads = append(e.Workloads, *w)
		}
	}
	e.Gaps = r.Gaps
	return e
}

// suspects are the objects of the tasks that do not go on; of a task that waits for others
// those of its run, and of an Instance at rest all.
func (r *Reader) suspects(ctx context.Context, c client.Client, e *diagnose.Evidence) []v1alpha1.ObjectReference {
	pe := diagnose.Active(e)
	if pe == nil {
		return r.AtRest(ctx, c, e.Instance, e.Executions)
	}
	var out []v1alpha1.ObjectReference
	for _, t := range diagnose.Troubled(pe) {
		if len(t.Status.Objects) == 0 && t.Status.Reason != v1alpha1.ReasonAwaitingApproval {
			out = append(out, Written(pe)...)
		}
		out = References([]v1alpha1.TaskStatus{*t.Status}, out)
	}
	return out
}

// AtRest are the objects of an Instance as its last completed run left them. Who may not read
// the revision sees those that its executions wrote.
func (r *Reader) AtRest(ctx context.Context, c client.Client, inst *v1alpha1.Instance, runs []v1alpha1.PlanExecution) []v1alpha1.ObjectReference {
	var out []v1alpha1.ObjectReference
	if last := inst.Status.LastCompleted; last != nil && last.Applied != "" {
		applied, err := archive.New(c, c).Applied(ctx, inst.Namespace, last.Applied)
		var missing *archive.ErrMissing
		if !errors.As(err, &missing) && !r.note(err, "get controllerrevisions.apps", in("ControllerRevisions", inst.Namespace)) {
			for i := range applied.Objects {
				ref := applied.Objects[i].ObjectReference
				ref.UID = ""
				out = append(out, ref)
			}
			return out
		}
	}
	for i := range runs {
		for _, ref := range Written(&runs[i]) {
			if !slices.Contains(out, ref) {
				out = append(out, ref)
			}
		}
	}
	return out
}

// Workload reads an object with the pods and claims that belong to it; nil if it is not there.
func (r *Reader) Workload(ctx context.Context, ref v1alpha1.ObjectReference) *diagnose.Workload {
	if ref.Kind == "Secret" && ref.APIVersion == "v1" {
		return nil // its content is nobody's matter here, and its state tells nothing
	}
	o := r.Object(ctx, ref)
	if o == nil {
		return nil
	}
	w := &diagnose.Workload{Object: o}
	if selector := health.PodSelector(o); selector != nil {
		w.Pods = r.Pods(ctx, ref.Namespace, selector)
		if ref.Kind == "Deployment" {
			w.Sets = r.sets(ctx, ref.Namespace, selector)
		}
	}
	if p := health.AsPod(o); p != nil {
		w.Pods = []corev1.Pod{*p}
	}
	if ref.Kind == "PersistentVolumeClaim" {
		var c corev1.PersistentVolumeClaim
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &c); err == nil {
			w.Claims = []corev1.PersistentVolumeClaim{c}
		}
		return w
	}
	for i := range w.Pods {
		w.Claims = r.claims(ctx, &w.Pods[i], w.Claims)
	}
	return w
}

// claims reads the claims of a pod that is on no node, or waits there.
func (r *Reader) claims(ctx context.Context, p *corev1.Pod, known []corev1.PersistentVolumeClaim) []corev1.PersistentVolumeClaim {
	if p.Status.Phase != corev1.PodPending {
		return known
	}
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		name := v.PersistentVolumeClaim.ClaimName
		if slices.ContainsFunc(known, func(c corev1.PersistentVolumeClaim) bool { return c.Name == name }) {
			continue
		}
		if c := r.claim(ctx, p.Namespace, name); c != nil {
			known = append(known, *c)
		}
	}
	return known
}

// addEvents reads the events of what is not healthy about a workload.
func (r *Reader) addEvents(ctx context.Context, w *diagnose.Workload) {
	o := w.Object
	if o.GetDeletionTimestamp() != nil || health.Of(o).State == health.Healthy {
		return
	}
	namespace := o.GetNamespace()
	w.Events = r.events(ctx, namespace, o.GetKind(), o.GetName())
	for _, s := range w.Sets {
		if replicas, _, err := unstructured.NestedInt64(s.Object, "spec", "replicas"); err == nil && replicas > 0 {
			w.Events = append(w.Events, r.events(ctx, namespace, s.GetKind(), s.GetName())...)
		}
	}
	if p := health.Suspect(o, w.Pods); p != nil {
		w.Events = append(w.Events, r.events(ctx, namespace, "Pod", p.Name)...)
	}
	for i := range w.Claims {
		if w.Claims[i].Status.Phase != corev1.ClaimBound && o.GetKind() != "PersistentVolumeClaim" {
			w.Events = append(w.Events, r.events(ctx, namespace, "PersistentVolumeClaim", w.Claims[i].Name)...)
		}
	}
}
