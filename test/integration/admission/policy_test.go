// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"encoding/json"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func merge(text string) client.Patch {
	return client.RawPatch("application/merge-patch+json", []byte(text))
}

// bind gives a user ClusterRoles in a namespace and waits until they are in force.
func (w *world) bind(t *testing.T, ns, user string, roles ...string) client.Client {
	t.Helper()
	for _, role := range roles {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, GenerateName: user + "-"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: user, APIGroup: rbacv1.GroupName}},
		}
		if err := w.admin().Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := w.as(t, user)
	eventually(t, user+" may list Instances", func(ctx context.Context) (bool, error) {
		return c.List(ctx, &v1alpha1.InstanceList{}, client.InNamespace(ns)) == nil, nil
	})
	return c
}

// Case 53: a forged status. The status of Kudo's kinds is Kudo's, whoever asks.
func TestNobodyWritesAStatus(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw, ns := w.publish(t, "stat", object(t, versionYAML)), w.tenant(t)
	objects := map[string]*unstructured.Unstructured{
		"frameworks":        object(t, frameworkYAML, set{"metadata.name": fw}),
		"frameworkversions": object(t, versionYAML, set{"metadata.name": fw + "-1.0.0"}),
		"instances":         create(t, w.admin(), instanceOf(t, ns, "one", fw, "1.0.0", set{"spec.suspend": "true"})),
		"planexecutions":    create(t, w.admin(), executionOf(t, ns, "run", "nobody", "deploy")),
	}
	for resource, o := range objects {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			err := w.admin().Status().Patch(t.Context(), o.DeepCopy(), merge(`{"status":{"observedGeneration":99}}`))
			forbidden(policy, "only the manager of Kudo writes "+resource+"/status, not user 'admin'", "spec.requests").check(t, err)
		})
	}
	// Status on the main resource is ignored by the API server, not stored.
	forged := executionOf(t, ns, "forged", "nobody", "deploy", set{"status": "{state: Succeeded, epoch: 7}"})
	if err := w.admin().Create(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	pe := &v1alpha1.PlanExecution{}
	if err := w.admin().Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "forged"}, pe); err != nil {
		t.Fatal(err)
	}
	if pe.Status.State == v1alpha1.RunSucceeded || pe.Status.Epoch != 0 {
		t.Errorf("the forged status is stored: %s, epoch %d", pe.Status.State, pe.Status.Epoch)
	}
}

// Revisions are what Kudo believes: nobody else writes one.
func TestNobodyWritesARevision(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	ns := w.tenant(t)
	revision := object(t, "{apiVersion: apps/v1, kind: ControllerRevision, revision: 1, data: {}}", set{"metadata.name": "forged", "metadata.namespace": ns})
	if err := try(t, w.admin(), revision); err != nil {
		t.Errorf("a revision of someone else's: %v", err)
	}
	revision.SetLabels(map[string]string{v1alpha1.LabelRevision: "applied"})
	forbidden(policy, "only Kudo writes its revisions").check(t, try(t, w.admin(), revision))
}

// Who names an account decides what it does: that needs the right to be it. The edit
// role of a namespace has it; who may only write Instances has not.
func TestNamingAnAccountNeedsImpersonation(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	fw, ns := w.publish(t, "acc", object(t, versionYAML)), w.tenant(t)
	writer := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "writer-" + ns}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"kudo.dev"}, Resources: []string{"instances"}, Verbs: []string{"get", "list", "create", "patch", "update"}},
	}}
	if err := w.admin().Create(t.Context(), writer); err != nil {
		t.Fatal(err)
	}
	mallory := w.bind(t, ns, "mallory", writer.Name)
	// The parts of the role edit, which a controller joins where there is one.
	eve := w.bind(t, ns, "eve", "system:aggregate-to-edit", "kudo-edit", "kudo-view")
	words := []string{`user "mallory" may not run anything as ServiceAccount "deployer"`, `the verb "impersonate" on serviceaccounts "deployer" in namespace "` + ns + `"`}
	forbidden(policy, words...).check(t, mallory.Create(t.Context(), instanceOf(t, ns, "one", fw, "1.0.0")))
	if err := eve.Create(t.Context(), instanceOf(t, ns, "one", fw, "1.0.0", set{"spec.suspend": "true"})); err != nil {
		t.Fatalf("eve, who may edit: %v", err)
	}
	stored := instanceOf(t, ns, "one", fw, "1.0.0")
	forbidden(policy, words[0]).check(t, mallory.Patch(t.Context(), stored.DeepCopy(), merge(`{"spec":{"parameters":{"size":5}}}`)))
	forbidden(policy, `as ServiceAccount "other"`).check(t, mallory.Patch(t.Context(), stored.DeepCopy(), merge(`{"spec":{"serviceAccountName":"other"}}`)))
	if err := mallory.Patch(t.Context(), stored.DeepCopy(), merge(`{"metadata":{"labels":{"a":"b"}}}`)); err != nil {
		t.Errorf("a label changes nothing that the account does: %v", err)
	}
}
