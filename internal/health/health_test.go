// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

type example struct {
	object string
	want   Result
}

func check(t *testing.T, cases map[string]example) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			obj := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict([]byte(tc.object), &obj.Object); err != nil {
				t.Fatal(err)
			}
			integers(obj.Object)
			before := obj.DeepCopy()
			if diff := cmp.Diff(tc.want, Of(obj)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before.Object, obj.Object); diff != "" {
				t.Errorf("the object was changed: %s", diff)
			}
		})
	}
}

// integers makes int64 of whole floats, as a client does.
func integers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = integers(x[k])
		}
	case []any:
		for i := range x {
			x[i] = integers(x[i])
		}
	case float64:
		return int64(x)
	}
	return v
}

func TestNothing(t *testing.T) {
	want := Result{Gone, ReasonNotFound, "the object does not exist"}
	if diff := cmp.Diff(want, Of(nil)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, Of(&unstructured.Unstructured{})); diff != "" {
		t.Error(diff)
	}
}

func TestGeneric(t *testing.T) {
	const head = "{apiVersion: example.com/v1, kind: Thing, metadata: {name: x, generation: 2}, status: "
	check(t, map[string]example{
		"deleted": {`{apiVersion: v1, kind: ConfigMap, metadata: {name: x, deletionTimestamp: "2026-01-01T00:00:00Z"}}`,
			Result{Gone, ReasonTerminating, "ConfigMap x: is being deleted"}},
		"config map": {`{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}`, Result{Healthy, ReasonHealthy, "ConfigMap x: is ready"}},
		"no status":  {`{apiVersion: example.com/v1, kind: Thing, metadata: {name: x, generation: 2}}`, Result{Healthy, ReasonHealthy, "Thing x: is ready"}},
		"ready": {head + `{observedGeneration: 2, conditions: [{type: Ready, status: "True"}]}}`,
			Result{Healthy, ReasonHealthy, "Thing x: is ready"}},
		"not ready": {head + `{conditions: [{type: Ready, status: "False", reason: Broken, message: no disk}]}}`,
			Result{Progressing, "Broken", "Thing x: no disk"}},
		"not observed": {head + `{observedGeneration: 1, conditions: [{type: Ready, status: "True"}]}}`,
			Result{Progressing, "LatestGenerationNotObserved", "Thing x: Thing generation is 2, but latest observed generation is 1"}},
		"condition not observed": {head + `{conditions: [{type: Ready, status: "True", observedGeneration: 1}]}}`,
			Result{Progressing, ReasonNotObserved, "Thing x: its controller has not seen the newest spec yet"}},
		"reconciling": {head + `{conditions: [{type: Reconciling, status: "True", reason: Working, message: at it}]}}`,
			Result{Progressing, "Working", "Thing x: at it"}},
		"stalled": {head + `{conditions: [{type: Stalled, status: "True", reason: Stuck, message: give up}]}}`,
			Result{Failed, "Stuck", "Thing x: give up"}},
		"unreadable": {head + `{conditions: nonsense}}`, Result{Progressing, ReasonUnreadable, "Thing x: its status cannot be read"}},
		"disruption budget": {`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: x}}`,
			Result{Healthy, ReasonHealthy, "PodDisruptionBudget x: is ready"}},
		"form of its kind": {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, status: {replicas: many}}`,
			Result{Progressing, ReasonUnreadable, "Deployment x: its content does not have the form of its kind"}},
	})
}

func TestObjects(t *testing.T) {
	const crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, status: {conditions: "
	const inst = "{apiVersion: kudo.dev/v1alpha1, kind: Instance, metadata: {name: x, generation: 2}, status: "
	check(t, map[string]example{
		"claim, bound": {`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}, status: {phase: Bound}}`,
			Result{Healthy, ReasonHealthy, "PersistentVolumeClaim x: is bound"}},
		"claim, lost": {`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}, status: {phase: Lost}}`,
			Result{Failed, "ClaimLost", "PersistentVolumeClaim x: its volume is gone"}},
		"claim, pending": {`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}, status: {phase: Pending}}`,
			Result{Progressing, ReasonPending, `PersistentVolumeClaim x: is not bound; if its storage class binds on first use, apply it in the task of its pods with a readyWhen such as "true"`}},
		"claim, binding": {`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}, spec: {volumeName: pv-1}}`,
			Result{Progressing, ReasonPending, "PersistentVolumeClaim x: waits for volume pv-1 to be bound"}},
		"service":          {`{apiVersion: v1, kind: Service, metadata: {name: x}}`, Result{Healthy, ReasonHealthy, "Service x: is ready"}},
		"service headless": {`{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {clusterIP: None}}`, Result{Healthy, ReasonHealthy, "Service x: is ready"}},
		"load balancer, waiting": {`{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: LoadBalancer, clusterIP: 10.0.0.1}}`,
			Result{Progressing, ReasonPending, "Service x: waits for the address of its load balancer"}},
		"load balancer": {`{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}}`,
			Result{Healthy, ReasonHealthy, "Service x: is ready"}},
		"definition": {crd + `[{type: NamesAccepted, status: "True"}, {type: Established, status: "True"}]}}`,
			Result{Healthy, ReasonHealthy, "CustomResourceDefinition x: is established"}},
		"definition, new": {`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}}`,
			Result{Progressing, ReasonInProgress, "CustomResourceDefinition x: is not established"}},
		"definition, names taken": {crd + `[{type: NamesAccepted, status: "False", reason: ListKindConflict, message: '"PlanList" is already in use'}, {type: Established, status: "True"}]}}`,
			Result{Failed, "ListKindConflict", `CustomResourceDefinition x: "PlanList" is already in use`}},
		"instance": {inst + `{observedGeneration: 2, conditions: [{type: Ready, status: "True", observedGeneration: 2}]}}`,
			Result{Healthy, ReasonHealthy, "Instance x: is ready"}},
		"instance, new":          {inst + `{}}`, Result{Progressing, ReasonNotObserved, "Instance x: its controller has not seen the newest spec yet"}},
		"instance, old status":   {inst + `{observedGeneration: 1, conditions: [{type: Ready, status: "True"}]}}`, Result{Progressing, ReasonNotObserved, "Instance x: its controller has not seen the newest spec yet"}},
		"instance, old ready":    {inst + `{observedGeneration: 2, conditions: [{type: Ready, status: "True", observedGeneration: 1}]}}`, Result{Progressing, ReasonNotObserved, "Instance x: its controller has not seen the newest spec yet"}},
		"instance, plan running": {inst + `{observedGeneration: 2, conditions: [{type: Ready, status: "False", reason: PlanRunning, message: deploy runs}]}}`, Result{Progressing, "PlanRunning", "Instance x: deploy runs"}},
		"instance, stalled":      {inst + `{observedGeneration: 2, conditions: [{type: Ready, status: "False", reason: PlanStalled}, {type: Stalled, status: "True", reason: PlanStalled, message: deploy needs a person}]}}`, Result{Failed, "PlanStalled", "Instance x: deploy needs a person"}},
	})
}
