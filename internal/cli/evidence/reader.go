// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package evidence reads, with the rights of whoever runs the plugin, what tells how an
// Instance is: its executions, their objects, the pods behind them and their events. What may
// not be read is noted, and the rest is read all the same.
package evidence

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/diagnose"
)

// most bounds how many objects of a kind are read.
const most = 500

// Reader reads a cluster and notes what it may not read.
type Reader struct {
	Client client.Reader
	// Gaps are what could not be read.
	Gaps []diagnose.Gap
}

// note keeps an error as a gap, once for each right, and says whether there was one. What does
// not exist is none.
func (r *Reader) note(err error, right, what string) bool {
	switch {
	case err == nil:
		return false
	case apierrors.IsNotFound(err):
		return true
	}
	gap := diagnose.Gap{What: what, Message: err.Error()}
	if apierrors.IsForbidden(err) {
		gap.Right = right
	}
	known := func(g diagnose.Gap) bool { return g.What == gap.What && g.Right == gap.Right }
	if !slices.ContainsFunc(r.Gaps, known) {
		r.Gaps = append(r.Gaps, gap)
	}
	return true
}

func in(what, namespace string) string {
	if namespace == "" {
		return what
	}
	return what + " in the namespace " + namespace
}

// Executions of an Instance, in the order of their admission.
func (r *Reader) Executions(ctx context.Context, inst *v1alpha1.Instance) []v1alpha1.PlanExecution {
	var list v1alpha1.PlanExecutionList
	err := r.Client.List(ctx, &list, client.InNamespace(inst.Namespace))
	if r.note(err, "list planexecutions.kudo.dev", in("PlanExecutions", inst.Namespace)) {
		return nil
	}
	return Of(list.Items, inst.Name)
}

// Version that an Instance names; nil if it is not there or may not be read.
func (r *Reader) Version(ctx context.Context, inst *v1alpha1.Instance) *v1alpha1.FrameworkVersion {
	fwv := &v1alpha1.FrameworkVersion{}
	name := inst.Spec.Framework + "-" + inst.Spec.Version
	if r.note(r.Client.Get(ctx, client.ObjectKey{Name: name}, fwv), "get frameworkversions.kudo.dev", "the FrameworkVersion "+name) {
		return nil
	}
	return fwv
}

// Object reads an object; nil if it is not there or may not be read.
func (r *Reader) Object(ctx context.Context, ref v1alpha1.ObjectReference) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(ref.APIVersion)
	o.SetKind(ref.Kind)
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, o)
	if meta.IsNoMatchError(err) || r.note(err, "get "+ref.Kind, in("objects of the kind "+ref.Kind, ref.Namespace)) {
		return nil
	}
	return o
}

// Pods that a selector selects.
func (r *Reader) Pods(ctx context.Context, namespace string, selector labels.Selector) []corev1.Pod {
	var list corev1.PodList
	err := r.Client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}, client.Limit(most))
	if r.note(err, "list pods", in("pods", namespace)) {
		return nil
	}
	return list.Items
}

// sets are the ReplicaSets that a selector selects.
func (r *Reader) sets(ctx context.Context, namespace string, selector labels.Selector) []*unstructured.Unstructured {
	var list appsv1.ReplicaSetList
	err := r.Client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}, client.Limit(most))
	if r.note(err, "list replicasets.apps", in("ReplicaSets", namespace)) {
		return nil
	}
	var out []*unstructured.Unstructured
	for i := range list.Items {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&list.Items[i])
		if err != nil {
			continue
		}
		u := &unstructured.Unstructured{Object: content}
		u.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
		out = append(out, u)
	}
	return out
}

// claim reads a volume claim.
func (r *Reader) claim(ctx context.Context, namespace, name string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{}
	if r.note(r.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, c), "get persistentvolumeclaims", in("persistentvolumeclaims", namespace)) {
		return nil
	}
	return c
}

// events about an object.
func (r *Reader) events(ctx context.Context, namespace, kind, name string) []corev1.Event {
	var list corev1.EventList
	err := r.Client.List(ctx, &list, client.InNamespace(namespace), client.Limit(most),
		client.MatchingFields{"involvedObject.kind": kind, "involvedObject.name": name})
	if r.note(err, "list events", in("events", namespace)) {
		return nil
	}
	return list.Items
}

// Denied says what to do about an error of the API server while something was done.
func Denied(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err):
		return fmt.Errorf("%s: %w. Kudo is not installed in this cluster, or the context is another one: kubectl config current-context", doing, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w. Ask an admin for the ClusterRole kudo-view (to read) or kudo-edit (to steer) there", doing, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: %w. Log in to the cluster again", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Missing notes what somebody else could not read.
func (r *Reader) Missing(err error, right, what string) { _ = r.note(err, right, what) }
