// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
)

// reader is a cache that holds a few objects of Kudo's kinds.
type reader struct {
	client.Reader
	instances []v1alpha1.Instance
	versions  []v1alpha1.FrameworkVersion
}

func (r reader) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	switch o := o.(type) {
	case *v1alpha1.Instance:
		for i := range r.instances {
			if client.ObjectKeyFromObject(&r.instances[i]) == key {
				r.instances[i].DeepCopyInto(o)
				return nil
			}
		}
	case *v1alpha1.FrameworkVersion:
		for i := range r.versions {
			if r.versions[i].Name == key.Name {
				r.versions[i].DeepCopyInto(o)
				return nil
			}
		}
	}
	return apierrors.NewNotFound(v1alpha1.Resource("things"), key.Name)
}

func (r reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.InstanceList).Items = r.instances
	return nil
}

// asked is the context of a request of a user; old is the stored object of an update.
func asked(t *testing.T, user string, old any) context.Context {
	t.Helper()
	r := admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Operation: admissionv1.Create, UserInfo: authenticationv1.UserInfo{Username: user},
	}}
	if old != nil {
		raw, err := json.Marshal(old)
		if err != nil {
			t.Fatal(err)
		}
		r.Operation, r.OldObject = admissionv1.Update, runtime.RawExtension{Raw: raw}
	}
	return admission.NewContextWithRequest(t.Context(), r)
}

const manager = "system:serviceaccount:kudo-system:kudo-manager"

func execution(requests ...v1alpha1.Request) *v1alpha1.PlanExecution {
	pe := &v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "run"}}
	pe.Spec = v1alpha1.PlanExecutionSpec{Instance: "zk", Plan: "deploy", Requests: requests}
	return pe
}

// A request carries the name of who added it; what is stored keeps its name.
func TestRequestsAreStamped(t *testing.T) {
	w := &executionWebhook{}
	alice := v1alpha1.Request{ID: "1", Action: "retry", By: "alice"}
	tests := map[string]struct {
		old  *v1alpha1.PlanExecution
		with []v1alpha1.Request
		want []string
	}{
		"new":                           {nil, []v1alpha1.Request{{ID: "1"}, {ID: "2"}}, []string{"bob", "bob"}},
		"one more":                      {execution(alice), []v1alpha1.Request{alice, {ID: "2"}}, []string{"alice", "bob"}},
		"the same YAML again":           {execution(alice), []v1alpha1.Request{{ID: "1", Action: "retry"}}, []string{"alice"}},
		"forged, for the policy to see": {nil, []v1alpha1.Request{{ID: "1", By: "eve"}}, []string{"eve"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			pe := execution(tc.with...)
			var old any
			if tc.old != nil {
				old = tc.old
			}
			if err := w.Default(asked(t, "bob", old), pe); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, q := range pe.Spec.Requests {
				got = append(got, q.By)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyKudoSetsATrigger(t *testing.T) {
	w := &executionWebhook{client: reader{}, versions: graph.NewCache(), manager: manager}
	pe := execution()
	pe.Spec.Trigger = "spec/1/abc"
	if _, err := w.ValidateCreate(asked(t, "bob", nil), pe); err == nil || !strings.Contains(err.Error(), "spec.trigger: Forbidden: only Kudo sets it") {
		t.Errorf("bob: %v", err)
	}
	if _, err := w.ValidateCreate(asked(t, manager, nil), pe); err != nil {
		t.Errorf("the manager: %v", err)
	}
}

const version = `
metadata: {name: app-1.0.0}
spec:
  framework: app
  version: 1.0.0
  templates:
  - {name: c.yaml, content: "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"}
`

func appVersion(t *testing.T) v1alpha1.FrameworkVersion {
	t.Helper()
	var fwv v1alpha1.FrameworkVersion
	if err := yaml.UnmarshalStrict([]byte(version), &fwv); err != nil {
		t.Fatal(err)
	}
	return fwv
}

func instance(name string) v1alpha1.Instance {
	return v1alpha1.Instance{
		ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name},
		Spec:       v1alpha1.InstanceSpec{Framework: "app", Version: "1.0.0", ServiceAccountName: "sa"},
	}
}

// References may come late: a warning, no refusal. What contradicts is refused.
func TestLateReferencesWarn(t *testing.T) {
	zk := instance("zk")
	broken := appVersion(t)
	broken.Spec.Templates[0].Content = "{{"
	version := func(w admission.Warnings, err error) string {
		if err != nil {
			return "error: " + err.Error()
		}
		return strings.Join(w, "; ")
	}
	of := func(r reader) *instanceWebhook { return &instanceWebhook{client: r, versions: graph.NewCache()} }
	pe := func(r reader) *executionWebhook {
		return &executionWebhook{client: r, versions: graph.NewCache(), manager: manager}
	}
	for name, tc := range map[string]struct{ got, want string }{
		"no version":   {version(of(reader{}).ValidateCreate(asked(t, "bob", nil), &zk)), "FrameworkVersion app-1.0.0 does not exist yet: the Instance waits for it"},
		"broken one":   {version(of(reader{versions: []v1alpha1.FrameworkVersion{broken}}).ValidateCreate(asked(t, "bob", nil), &zk)), "FrameworkVersion app-1.0.0 is not valid: the Instance waits until it is"},
		"good one":     {version(of(reader{versions: []v1alpha1.FrameworkVersion{appVersion(t)}}).ValidateCreate(asked(t, "bob", nil), &zk)), ""},
		"no Instance":  {version(pe(reader{}).ValidateCreate(asked(t, "bob", nil), execution())), "Instance zk does not exist yet: the execution waits for it"},
		"late version": {version(pe(reader{instances: []v1alpha1.Instance{zk}}).ValidateCreate(asked(t, "bob", nil), execution())), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", name, tc.got, tc.want)
		}
	}
	unknown := execution()
	unknown.Spec.Plan = "deplyo"
	_, err := pe(reader{instances: []v1alpha1.Instance{zk}, versions: []v1alpha1.FrameworkVersion{appVersion(t)}}).ValidateCreate(asked(t, "bob", nil), unknown)
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), `did you mean "deploy"?`) {
		t.Errorf("unknown plan: %v", err)
	}
}

// What is stored stays writable: a change of labels is not judged by newer rules.
func TestMetadataIsNotJudged(t *testing.T) {
	zk := instance("zk")
	zk.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	w := &instanceWebhook{client: reader{}, versions: graph.NewCache()}
	if _, err := w.ValidateUpdate(asked(t, "bob", &zk), &zk, zk.DeepCopy()); err != nil {
		t.Errorf("the same spec: %v", err)
	}
	edited := zk.DeepCopy()
	edited.Generation++
	if _, err := w.ValidateUpdate(asked(t, "bob", &zk), &zk, edited); err == nil {
		t.Error("another spec is not judged")
	}
}

// A version in use is named with its users, five of them; those that go already do not count.
func TestAVersionInUseIsProtected(t *testing.T) {
	now := metav1.Now()
	going := instance("going")
	going.DeletionTimestamp = &now
	users := []v1alpha1.Instance{going}
	w := func() *versionWebhook { return &versionWebhook{client: reader{instances: users}} }
	fwv := appVersion(t)
	if _, err := w().ValidateDelete(t.Context(), &fwv); err != nil {
		t.Errorf("only one that goes: %v", err)
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		users = append(users, instance(name))
	}
	_, err := w().ValidateDelete(t.Context(), &fwv)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "6 Instances use it (prod/a, prod/b, prod/c, prod/d, prod/e, ...): upgrade or delete them first") {
		t.Errorf("error %v", err)
	}
}

// The finalizers stand before anything is made; a later write by a user may not need them.
func TestFinalizersAreSetOnCreation(t *testing.T) {
	zk, fwv := instance("zk"), appVersion(t)
	if err := (&instanceWebhook{}).Default(asked(t, "bob", nil), &zk); err != nil || len(zk.Finalizers) != 1 || zk.Finalizers[0] != v1alpha1.FinalizerInstance {
		t.Errorf("finalizers %v, %v", zk.Finalizers, err)
	}
	if err := (&versionWebhook{}).Default(asked(t, "bob", nil), &fwv); err != nil || len(fwv.Finalizers) != 1 || len(fwv.Spec.Plans) != 1 {
		t.Errorf("finalizers %v, %d plans, %v", fwv.Finalizers, len(fwv.Spec.Plans), err)
	}
	released := instance("zk")
	if err := (&instanceWebhook{}).Default(asked(t, "bob", &zk), &released); err != nil || len(released.Finalizers) != 0 {
		t.Errorf("a finalizer that was taken off is put back: %v, %v", released.Finalizers, err)
	}
	if err := (&instanceWebhook{}).Default(t.Context(), &zk); err == nil {
		t.Error("without a request there is no error")
	}
}
