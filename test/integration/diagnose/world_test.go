// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package diagnose_test runs the plugin against a real API server with the manager: what a
// person on call would type, on Instances in which one thing goes wrong.
package diagnose_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli"
	"kudo.dev/kudo/internal/diagnose"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
	"kudo.dev/kudo/internal/testing/workload"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

const account = "deployer"

// ward is the namespace of one test.
type ward struct {
	*testing.T
	w  *scene.World
	ns string
}

func rule(group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}}
}

// newWard makes a namespace whose account may use these API groups, and whose workloads stay as they are.
func newWard(t *testing.T, groups ...string) *ward {
	t.Helper()
	n := &ward{T: t, ns: scene.Unique("ward-")}
	n.w = scene.Get(t, func(ctx context.Context, w *scene.World) error {
		for _, o := range []*unstructured.Unstructured{parse("{apiVersion: kudo.dev/v1alpha1, kind: Framework, metadata: {name: ward}}"), version("1.0.0")} {
			if err := w.Admin().Create(ctx, o); err != nil {
				return err
			}
		}
		return kubeconfig(w)
	})
	if len(groups) == 0 {
		groups = []string{"", "apps", "batch"}
	}
	all := map[string]rbacv1.PolicyRule{
		"": rule("", "configmaps", "pods", "pods/log", "events"), "apps": rule("apps", "deployments", "statefulsets"), "batch": rule("batch", "jobs"),
	}
	var rules []rbacv1.PolicyRule
	for _, g := range groups {
		rules = append(rules, all[g])
	}
	tenant := install.Tenant{Namespace: n.ns, Account: account, Rules: rules}
	if err := tenant.Apply(t.Context(), n.admin()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"StatefulSet", "Deployment", "Job", "Pod", "PersistentVolumeClaim"} {
		n.play(kind, workload.Hold)
	}
	return n
}

func kubeconfigPath(w *scene.World) string { return filepath.Join(w.Dir(), "admin.kubeconfig") }

func kubeconfig(w *scene.World) error {
	raw, err := install.Kubeconfig(w.Cluster.Config)
	if err != nil {
		return err
	}
	return os.WriteFile(kubeconfigPath(w), raw, 0o600)
}

// version is testdata/ward.yaml as another version.
func version(number string) *unstructured.Unstructured {
	raw, err := os.ReadFile("testdata/ward.yaml")
	if err != nil {
		panic(err)
	}
	o := parse(strings.ReplaceAll(string(raw), "version: 1.0.0", "version: "+number))
	o.SetName("ward-" + number)
	return o
}

func parse(text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		panic(fmt.Sprintf("%v in\n%s", err, text))
	}
	return o
}

func (n *ward) admin() client.WithWatch { return n.w.Admin() }

func (n *ward) play(kind string, act workload.Act) {
	n.Helper()
	if err := n.w.Act(n.Context(), n.ns, kind, act); err != nil {
		n.Fatal(err)
	}
}

func (n *ward) create(text string) *unstructured.Unstructured {
	n.Helper()
	o := parse(text)
	if o.GetKind() != "ValidatingWebhookConfiguration" {
		o.SetNamespace(n.ns)
	}
	if err := n.admin().Create(n.Context(), o); err != nil {
		n.Fatalf("creating %s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return o
}

// instance makes the Instance "one", in which what goes wrong.
func (n *ward) instance(what string, more ...string) {
	n.Helper()
	n.create(fmt.Sprintf(`
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {name: one}
spec: {framework: ward, version: 1.0.0, serviceAccountName: %s, parameters: {what: %s%s}}
`, account, what, strings.Join(more, "")))
}

func (n *ward) change(patch string) {
	n.Helper()
	inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one"}}
	if err := n.admin().Patch(n.Context(), inst, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		n.Fatal(err)
	}
}

// await reads an object until it is as wanted.
func await[T client.Object](n *ward, name string, o T, what string, is func(T) bool) T {
	n.Helper()
	n.w.Await(n, what, func(ctx context.Context) (bool, string) {
		if err := n.admin().Get(ctx, client.ObjectKey{Namespace: n.ns, Name: name}, o); err != nil {
			return false, err.Error()
		}
		raw, _ := json.Marshal(o)
		return is(o), string(raw)
	})
	return o
}

func exists[T client.Object](n *ward, name string, o T) T {
	n.Helper()
	return await(n, name, o, name+" exists", func(T) bool { return true })
}

func (n *ward) setStatus(o client.Object, status string) {
	n.Helper()
	if err := n.admin().Status().Patch(n.Context(), o, client.RawPatch(types.MergePatchType, []byte(`{"status":`+status+`}`))); err != nil {
		n.Fatalf("writing the status of %s: %v", o.GetName(), err)
	}
}

// pod makes the pod that the controller of a workload would make, in a state.
func (n *ward) pod(owner client.Object, kind, labels, spec, status string) *unstructured.Unstructured {
	n.Helper()
	group := map[string]string{"Job": "batch/v1"}[kind]
	if group == "" {
		group = "apps/v1"
	}
	if spec == "" {
		spec = "containers: [{name: main, image: busybox}]"
	}
	o := n.create(fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: %s-0
  labels: {%s}
  ownerReferences: [{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true}]
spec: {%s}
`, owner.GetName(), labels, group, kind, owner.GetName(), owner.GetUID(), spec))
	n.setStatus(o, status)
	return o
}

// event tells what the controller of a workload would tell.
func (n *ward) event(about client.Object, kind, reason, message string) {
	n.Helper()
	e := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: n.ns, Name: about.GetName() + "." + strings.ToLower(reason)},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: n.ns, Name: about.GetName(), UID: about.GetUID()},
		Type:           corev1.EventTypeWarning, Reason: reason, Message: message, LastTimestamp: metav1.Now(), Count: 3,
	}
	if err := n.admin().Create(n.Context(), e); err != nil {
		n.Fatal(err)
	}
}

// kudo runs the plugin as the admin.
func (n *ward) kudo(args ...string) (code int, out string) { return n.as(kubeconfigPath(n.w), args...) }

// as runs the plugin as somebody.
func (n *ward) as(kubeconfig string, args ...string) (code int, out string) {
	n.Helper()
	var b bytes.Buffer
	all := append([]string{"kubectl-kudo", "--kubeconfig", kubeconfig, "-n", n.ns, "--cache-dir", filepath.Join(n.w.Dir(), "cache")}, args...)
	code = cli.Main(n.Context(), "test", all, strings.NewReader(""), &b, &b)
	return code, b.String()
}

// says runs the plugin, which must succeed in these words.
func (n *ward) says(words string, args ...string) string {
	n.Helper()
	code, out := n.kudo(args...)
	if code != 0 || !strings.Contains(out, words) {
		n.Fatalf("kubectl kudo %s: exit code %d, want 0 and the words %q:\n%s", strings.Join(args, " "), code, words, out)
	}
	return out
}

// fails runs the plugin, which must fail in these words.
func (n *ward) fails(code int, words string, args ...string) {
	n.Helper()
	got, out := n.kudo(args...)
	if got != code || !strings.Contains(out, words) {
		n.Errorf("kubectl kudo %s: exit code %d, want %d and the words %q:\n%s", strings.Join(args, " "), got, code, words, out)
	}
}

// becomes diagnoses the Instance until the cause is the one that was seeded.
func (n *ward) becomes(cause diagnose.Cause) diagnose.Report {
	n.Helper()
	var r diagnose.Report
	n.w.Await(n, "the cause is "+string(cause), func(context.Context) (bool, string) {
		code, out := n.kudo("diagnose", "one", "-o", "json")
		r = diagnose.Report{}
		if code != 0 {
			return false, out
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			return false, err.Error() + ": " + out
		}
		return r.Cause == cause, out
	})
	return r
}
