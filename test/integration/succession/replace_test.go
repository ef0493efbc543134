// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package succession_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
	"kudo.dev/kudo/internal/testing/workload"
)

// quiet is how long nothing may be written where nothing is to be done.
const quiet = 2 * time.Second

// once are what a newer manager may write for itself: it may report other rules of a version,
// generate a kind that the older one did not, and sign webhooks that that one did not have.
var once = []string{
	"leases", "events", "frameworkversions/status", "frameworks", "frameworks/status", "customresourcedefinitions",
	"mutatingwebhookconfigurations", "validatingwebhookconfigurations",
}

// An older manager is replaced by a newer one.
func TestAnOlderManagerIsReplaced(t *testing.T) {
	w := taken(t)
	if shared.older != nil {
		t.Skip(shared.older)
	}
	if *update {
		t.Skip("it left the recordings instead")
	}
	live.goesOn(t, w)
	t.Run("for itself it writes only its lease and what versions need", func(t *testing.T) {
		for _, r := range written(t, w, func(r cluster.Request) bool { return r.Namespace == "" || r.Namespace == install.Namespace }) {
			if !slices.Contains(once, r.Resource) {
				t.Errorf("%s %s", r.Verb, r.URI)
			}
		}
	})
}

// The same over what the older manager once left, where the history of the source is missing.
func TestWhatAnOlderManagerOnceLeft(t *testing.T) {
	w := taken(t)
	if *update {
		if shared.older != nil {
			t.Fatal(shared.older)
		}
		t.Skip("it was recorded just now")
	}
	recorded.goesOn(t, w)
}

// goesOn tests that every scenario goes on where it was left, without a restart.
func (c cast) goesOn(t *testing.T, w *scene.World) {
	t.Run("scenarios", func(t *testing.T) {
		for name, s := range scenarios {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c.goesOnAs(t, w, name, s)
			})
		}
	})
}

func (c cast) goesOnAs(t *testing.T, w *scene.World, name string, s scenario) {
	t.Helper()
	ns := c.namespace(name)
	before := set(t, w, ns)
	jobs := w.Jobs(ns)
	if s.quiet {
		time.Sleep(quiet)
		for _, r := range written(t, w, within(ns)) {
			t.Errorf("although nothing is to be done: %s %s", r.Verb, r.URI)
		}
	}
	if s.kind != "" {
		if err := w.Act(t.Context(), ns, s.kind, workload.Play); err != nil {
			t.Fatal(err)
		}
	}
	if name == "stalled" {
		retry(t, w, ns)
	}
	w.Await(t, ns+" is rolled out", func(ctx context.Context) (bool, string) {
		inst, err := instance(ctx, w, ns)
		if err != nil {
			return false, err.Error()
		}
		return scene.IsReady(inst), fmt.Sprintf("%s %+v", inst.Status.Plan, inst.Status.Conditions)
	})
	runs, err := updates(t.Context(), w, ns)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 1 || runs[0].Status.State != v1alpha1.RunSucceeded {
		t.Fatalf("%d runs of the update, want the one that was under way", len(runs))
	}
	attempts(t, w, ns, runs[0].Name, s.attempts)
	for _, j := range jobs {
		if !slices.Contains(w.Jobs(ns), j) {
			t.Errorf("the Job %s is not that of before", j.Name)
		}
	}
	after := set(t, w, ns)
	if name != "between-two-steps" && (before.Generation != after.Generation || before.UID != after.UID || cmp.Diff(before.Spec, after.Spec) != "") {
		t.Errorf("the workload has changed, generation %d to %d:\n%s", before.Generation, after.Generation, cmp.Diff(before.Spec, after.Spec))
	}
	if got := after.Spec.Template.Spec.Containers[0].Args; !slices.Equal(got, []string{"debug"}) {
		t.Errorf("rolled out %v", got)
	}
	for _, r := range written(t, w, within(ns)) {
		if r.Verb == "delete" || r.Verb == "deletecollection" {
			t.Errorf("deleted: %s", r.URI)
		}
	}
	movesOn(t, w, ns)
}

// movesOn changes the Instance, so that the newer manager has work of its own with what
// the older one has recorded.
func movesOn(t *testing.T, w *scene.World, ns string) {
	t.Helper()
	before := set(t, w, ns)
	if err := change(t.Context(), w, ns, "port: 81"); err != nil {
		t.Fatal(err)
	}
	w.Await(t, ns+" has its new port", func(ctx context.Context) (bool, string) {
		inst, err := instance(ctx, w, ns)
		if err != nil {
			return false, err.Error()
		}
		service := &corev1.Service{}
		err = w.Admin().Get(ctx, client.ObjectKey{Namespace: ns, Name: "one"}, service)
		return err == nil && scene.IsReady(inst) && service.Spec.Ports[0].Port == 81, fmt.Sprintf("%s, %v", inst.Status.Plan, service.Spec.Ports)
	})
	if after := set(t, w, ns); before.Generation != after.Generation {
		t.Error("the workload has changed with the port of the service")
	}
}

// attempts are those of the Jobs of one run, one Job each.
func attempts(t *testing.T, w *scene.World, ns, run string, want []string) {
	t.Helper()
	var got []string
	for _, j := range w.Jobs(ns) {
		if j.Execution == run {
			got = append(got, j.Attempt)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("one Job per attempt (-want +got):\n%s", diff)
	}
}

func set(t *testing.T, w *scene.World, ns string) *appsv1.StatefulSet {
	t.Helper()
	o := &appsv1.StatefulSet{}
	if err := w.Admin().Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "one"}, o); err != nil {
		t.Fatal(err)
	}
	return o
}

func within(ns string) func(cluster.Request) bool {
	return func(r cluster.Request) bool { return r.Namespace == ns }
}

// written are the writes of the newer manager since it took over.
func written(t *testing.T, w *scene.World, of func(cluster.Request) bool) []cluster.Request {
	t.Helper()
	requests, err := w.Cluster.Audit.Since(shared.from)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(cluster.Writes(cluster.By(install.ManagerUser, requests)), func(r cluster.Request) bool { return !of(r) })
}

// retry asks for another attempt.
func retry(t *testing.T, w *scene.World, ns string) {
	t.Helper()
	runs, err := updates(t.Context(), w, ns)
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"requests":[{"id":"again","action":"retry"}]}}`))
	if err := w.Admin().Patch(t.Context(), &runs[0], patch); err != nil {
		t.Fatal(err)
	}
}

// openGates lets those go on that stand between two steps.
func openGates(ctx context.Context, w *scene.World) error {
	for _, c := range []cast{live, recorded} {
		gate := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace("between-two-steps"), Name: "gate"}}
		if err := w.Admin().Create(ctx, gate); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
