// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
)

// measurement is what one operation cost.
type measurement struct {
	operation string
	requests  []cluster.Request
	limit     int
}

func (m measurement) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-32s %3d requests, at most %d\n", m.operation, len(m.requests), m.limit)
	for _, r := range m.requests {
		who := "manager"
		if r.As != "" {
			who = "as " + account
		}
		fmt.Fprintf(&out, "    %-7s %-28s %-10s %d %s\n", r.Verb, r.Resource, who, r.Code, r.Name)
	}
	return out.String()
}

// TestBudget holds what a plan costs: a design that reads before every write, or writes
// status for every observation, would show here first.
func TestBudget(t *testing.T) {
	w := newWorld(t)
	rules := w.publish([]string{"trio-1.0.0", "trio-1.1.0", "trio-1.2.0"}, "test", "integration", "budget", "testdata", "trio.yaml")
	all := []measurement{}
	for version, most := range map[string]struct{ deploy, change, remove int }{
		"1.0.0": {12, 8, 6},
		"1.1.0": {13, 9, 6},  // a ConfigMap is read once, as the account
		"1.2.0": {12, 8, 11}, // the cleanup runs a Job
	} {
		namespace := "budget-" + strings.ReplaceAll(version, ".", "-")
		w.tenant(namespace, rules["trio-"+version])
		inst := instance(namespace, "one", "trio", version)
		measure := func(operation string, limit int, do func()) {
			all = append(all, measurement{version + " " + operation, cluster.Work(w.requests(do)), limit})
		}
		measure("deploy", most.deploy, func() { w.roll(inst, nil) })
		measure("change of one object", most.change, func() {
			w.roll(inst, func(spec *v1alpha1.InstanceSpec) {
				spec.Parameters = map[string]apiextensionsv1.JSON{"nodes": {Raw: []byte("3")}}
			})
		})
		measure("restart with nothing to do", 0, func() {
			w.must(w.process.Stop())
			w.start()
		})
		measure("drift repair of a StatefulSet", 2, func() { w.drift(namespace, "apps/v1", "StatefulSet", "spec", "replicas", int64(7)) })
		for _, gone := range []client.Object{&appsv1.StatefulSet{}, &corev1.Service{}} {
			gone.SetNamespace(namespace)
			gone.SetName("one")
			kind := fmt.Sprintf("%T", gone)[len("*v1."):]
			measure("repair of a deleted "+kind, 2, func() { w.bringsBack(kind, gone) })
		}
		if version == "1.1.0" {
			measure("drift repair of a ConfigMap", 2, func() { w.drift(namespace, "v1", "ConfigMap", "data", "nodes", "7") })
		}
		measure("delete", most.remove, func() { w.remove(inst) })
	}
	slices.SortFunc(all, func(a, b measurement) int { return strings.Compare(a.operation, b.operation) })
	for _, m := range all {
		if m.operation[6:] == "restart with nothing to do" {
			m.requests = slices.DeleteFunc(m.requests, startup)
		}
		t.Log(m)
		if len(m.requests) > m.limit {
			t.Errorf("%s: %d requests, more than %d", m.operation, len(m.requests), m.limit)
		}
	}
}

// drift edits a field as a person would, and waits until that is put back.
func (w *world) drift(namespace, apiVersion, kind, parent, field string, v any) {
	w.t.Helper()
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	key := client.ObjectKey{Namespace: namespace, Name: "one"}
	w.must(w.cluster.Client.Get(w.t.Context(), key, o))
	before, _, err := unstructured.NestedFieldCopy(o.Object, parent, field)
	w.must(err)
	w.must(unstructured.SetNestedField(o.Object, v, parent, field))
	w.must(w.cluster.Client.Update(w.t.Context(), o, client.FieldOwner("kubectl-edit")))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		w.must(w.cluster.Client.Get(w.t.Context(), key, o))
		if now, _, err := unstructured.NestedFieldNoCopy(o.Object, parent, field); err == nil && now == before {
			return
		}
	}
	w.t.Fatalf("the %s is not put back", kind)
}

// bringsBack deletes an object and waits until it is there again: once, and with an event
// that says what happened.
func (w *world) bringsBack(kind string, o client.Object) {
	w.t.Helper()
	key := client.ObjectKeyFromObject(o)
	w.must(w.cluster.Client.Get(w.t.Context(), key, o))
	first := o.GetUID()
	w.must(w.cluster.Client.Delete(w.t.Context(), o, client.PropagationPolicy(metav1.DeletePropagationBackground)))
	note := kind + " " + key.String() + " was deleted: put back"
	w.follow(&eventsv1.EventList{}, key.Namespace, func(e watch.Event) bool {
		told, ok := e.Object.(*eventsv1.Event)
		return ok && told.Type == corev1.EventTypeNormal && told.Reason == v1alpha1.ReasonPutBack && told.Note == note &&
			told.Related != nil && told.Related.Kind == kind && told.Related.Name == key.Name
	})
	w.must(w.cluster.Client.Get(w.t.Context(), key, o))
	if o.GetUID() == first || o.GetDeletionTimestamp() != nil {
		w.t.Errorf("the %s is not another one: %s", kind, first)
	}
}

// startup says whether a request belongs to any start of the manager: the certificate of
// its webhooks, and the look at whose CRDs these are.
func startup(r cluster.Request) bool {
	switch r.Resource {
	case "secrets", "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "customresourcedefinitions":
		return true
	}
	return false
}
