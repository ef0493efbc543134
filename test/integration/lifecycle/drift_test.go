// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// edit changes an object as kubectl edit does.
func edit[T client.Object](n *tenant, o T, manager string, change func(T)) {
	n.Helper()
	n.await("the edit is made", func(ctx context.Context) (bool, string) {
		if err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return false, err.Error()
		}
		change(o)
		err := n.w.admin().Update(ctx, o, client.FieldOwner(manager))
		return err == nil, fmt.Sprint(err)
	})
}

func (n *tenant) config() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-config"}}
}

func (n *tenant) server() *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-server"}}
}

// event waits for one with a reason and these words.
func (n *tenant) event(kind, reason string, words ...string) {
	n.Helper()
	n.await("there is an event "+reason+": "+strings.Join(words, " "), func(ctx context.Context) (bool, string) {
		var list eventsv1.EventList
		if err := n.w.admin().List(ctx, &list, client.InNamespace(n.ns)); err != nil {
			return false, err.Error()
		}
		var seen []string
		for _, e := range list.Items {
			if e.Type == kind && e.Reason == reason && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.Note, w) }) {
				return true, ""
			}
			seen = append(seen, e.Reason+": "+e.Note)
		}
		return false, strings.Join(seen, "\n")
	})
}

// drifted waits for the condition.
func (n *tenant) drifted(reason string, words ...string) {
	n.Helper()
	n.awaitInstance("it says Drifted "+reason, "one", func(i *v1alpha1.Instance) bool {
		c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionDrifted)
		return c != nil && c.Reason == reason && isTrue(i.Status.Conditions, v1alpha1.ConditionReady) &&
			!slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(c.Message, w) })
	})
}

func (n *tenant) awaitData(key, value string) {
	n.Helper()
	n.await(key+" is "+value, func(context.Context) (bool, string) {
		data := n.data("one-config")
		return data[key] == value, fmt.Sprint(data)
	})
}

// still says that a field keeps its value for a while.
func (n *tenant) still(key, value string) {
	n.Helper()
	for range 40 {
		if got := n.data("one-config")[key]; got != value {
			n.Fatalf("%s is %q, want %q", key, got, value)
		}
		time.Sleep(tick)
	}
}

// What others change of Kudo's own fields is put back, whoever watches the kind; what
// they add stays.
func TestDriftIsPutBack(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	if got := n.awaitReady("one").Spec.DriftPolicy; got != v1alpha1.DriftCorrect {
		t.Errorf("the stored policy is %q", got)
	}
	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Data["memory"], cm.Data["theirs"] = "9Gi", "kept" })
	n.awaitData("memory", "1Gi")
	n.event("Normal", v1alpha1.ReasonPutBack, "ConfigMap "+n.ns+"/one-config", ".data.memory was changed by kubectl-edit: put back")
	n.still("theirs", "kept")

	edit(n, n.server(), "kubectl-edit", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "evil" })
	n.await("the image is put back", func(ctx context.Context) (bool, string) {
		d := n.server()
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(d), d)
		return err == nil && d.Spec.Template.Spec.Containers[0].Image == "busybox", d.Spec.Template.Spec.Containers[0].Image
	})
	n.event("Normal", v1alpha1.ReasonPutBack, `.spec.template.spec.containers[name="server"].image was changed by kubectl-edit`)

	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { delete(cm.Data, "memory") })
	n.awaitData("memory", "1Gi")
	edit(n, n.config(), "kubectl-label", func(cm *corev1.ConfigMap) { delete(cm.Labels, v1alpha1.LabelInstance) })
	n.await("the label is put back", func(ctx context.Context) (bool, string) {
		cm := n.config()
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(cm), cm)
		return err == nil && cm.Labels[v1alpha1.LabelInstance] == "one", fmt.Sprint(cm.Labels)
	})
	for _, o := range []client.Object{n.config(), n.server(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-nodes"}}} {
		n.comesBack(o)
	}
	// What was made anew is Kudo's own like the first: it is updated and pruned.
	old := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-old"}}
	n.comesBack(old)
	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Data["memory"] = "9Gi" })
	n.patch(n.one(), `{"spec":{"version":"2.0.0","parameters":{"memory":"2Gi"}}}`)
	n.awaitReady("one")
	n.awaitGone(old)
	n.awaitData("memory", "2Gi")
	if inst := n.awaitReady("one"); isTrue(inst.Status.Conditions, v1alpha1.ConditionDrifted) {
		t.Errorf("conditions %+v", inst.Status.Conditions)
	}
}

func (n *tenant) comesBack(o client.Object) {
	n.Helper()
	if err := n.w.admin().Get(n.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		n.Fatal(err)
	}
	uid := o.GetUID()
	if err := n.w.admin().Delete(n.Context(), o); err != nil {
		n.Fatal(err)
	}
	n.await(o.GetName()+" comes back", func(ctx context.Context) (bool, string) {
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(o), o)
		return err == nil && o.GetUID() != uid, fmt.Sprint(err)
	})
}

func TestDriftPolicies(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.driftPolicy", "Report"))
	n.awaitReady("one")
	spoil := func() {
		edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Data["memory"] = "9Gi" })
	}
	spoil()
	n.drifted(v1alpha1.ReasonDrifted, ".data.memory was changed by kubectl-edit")
	n.event("Warning", v1alpha1.ReasonDrifted, ".data.memory was changed by kubectl-edit")
	n.still("memory", "9Gi")
	gone := func(i *v1alpha1.Instance) bool {
		return meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionDrifted) == nil
	}
	n.patch(n.one(), `{"spec":{"driftPolicy":"Ignore"}}`)
	n.awaitInstance("nothing is reported", "one", gone)
	n.still("memory", "9Gi")
	n.patch(n.one(), `{"spec":{"driftPolicy":"Correct"}}`)
	n.awaitData("memory", "1Gi")
	n.awaitInstance("nothing is reported", "one", gone)
	n.patch(n.one(), `{"spec":{"suspend":true}}`)
	n.awaitVerdict("one", v1alpha1.ReasonSuspended)
	spoil()
	n.drifted(v1alpha1.ReasonDrifted)
	n.still("memory", "9Gi")
	// None of this runs a plan, and a plan that follows takes its own fields back.
	if runs := n.runs(); len(runs) != 1 {
		t.Errorf("runs %v", runs)
	}
	n.patch(n.one(), `{"spec":{"suspend":false,"driftPolicy":"Ignore","parameters":{"memory":"2Gi"}}}`)
	n.awaitReady("one")
	n.awaitData("memory", "2Gi")
}

// A field that is ignored, or that an autoscaler set, survives: at rest and in plans.
func TestFieldsLeftToOthers(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.ignoreFields", []any{map[string]any{"kind": "ConfigMap", "name": "one-config", "path": "/data/memory"}}),
		with("spec.parameters", map[string]any{"copies": int64(2)}))
	n.awaitReady("one")
	n.change("memory: 2Gi") // Kudo's alone, and ignored: it stays as it is
	n.awaitReady("one")
	n.still("memory", "1Gi")
	edit(n, n.config(), "tuner", func(cm *corev1.ConfigMap) { cm.Data["memory"] = "9Gi" })
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 5}}
	if err := n.w.admin().SubResource("scale").Update(t.Context(), n.server(), client.WithSubResourceBody(scale), client.FieldOwner("autoscaler")); err != nil {
		t.Fatal(err)
	}
	n.still("memory", "9Gi")
	n.change("memory: 3Gi, note: new")
	n.awaitReady("one")
	n.awaitData("note", "new")
	n.still("memory", "9Gi")
	d := n.server()
	if err := n.w.admin().Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
		t.Fatal(err)
	}
	if ptr.Deref(d.Spec.Replicas, 1) != 5 || d.Spec.Template.Spec.Containers[0].Env[0].Value != "3Gi" {
		t.Errorf("%d replicas, environment %v", ptr.Deref(d.Spec.Replicas, 1), d.Spec.Template.Spec.Containers[0].Env)
	}
	// Other drift of the same objects does not touch them.
	edit(n, d, "kubectl-edit", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "evil" })
	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Data["note"] = "evil" })
	n.awaitData("note", "new")
	n.await("the image is put back", func(ctx context.Context) (bool, string) {
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(d), d)
		return err == nil && d.Spec.Template.Spec.Containers[0].Image == "busybox", fmt.Sprint(err)
	})
	if n.data("one-config")["memory"] != "9Gi" || *d.Spec.Replicas != 5 {
		t.Errorf("memory %s, %d replicas", n.data("one-config")["memory"], *d.Spec.Replicas)
	}
}

// The content of a Secret is not stored: it is rendered again, and must come out the same.
func TestDriftOfASecret(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML, with("spec.parameters", map[string]any{"password": "good"}))
	n.awaitReady("one")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one-secret"}}
	edit(n, secret, "kubectl-edit", func(s *corev1.Secret) { s.Data["password"] = []byte("evil") })
	n.await("it is put back", func(ctx context.Context) (bool, string) {
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(secret), secret)
		return err == nil && string(secret.Data["password"]) == "good", string(secret.Data["password"])
	})
	n.event("Normal", v1alpha1.ReasonPutBack, "Secret "+n.ns+"/one-secret: .data.password was changed by kubectl-edit")
	n.comesBack(secret)
	if string(secret.Data["password"]) != "good" {
		t.Errorf("it came back with %q", secret.Data["password"])
	}
}

// A change that the account may not put back is said, and not tried in a loop.
func TestDriftThatCanNotBePutBack(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	few := rules()
	for i := range few {
		few[i].Verbs = []string{"get", "list", "watch"}
	}
	n.grant(few)
	n.await("the account may not patch", func(context.Context) (bool, string) { return n.mayNot("patch"), "it may" })
	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Data["memory"] = "9Gi" })
	n.drifted(v1alpha1.ReasonNotPutBack, ".data.memory was changed by kubectl-edit", "cannot patch resource", "status.rules")
	n.still("memory", "9Gi")
	n.grant(rules())
	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Labels["touched"] = "yes" })
	n.change("memory: 2Gi")
	n.awaitReady("one")
	n.awaitData("memory", "2Gi")
}

// Two that want different things do not write for ever.
func TestAFightBacksOff(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(instanceYAML)
	n.awaitReady("one")
	for i := range 5 {
		edit(n, n.config(), "rival", func(cm *corev1.ConfigMap) { cm.Data["memory"] = strconv.Itoa(i) })
		n.awaitData("memory", "1Gi")
	}
	edit(n, n.config(), "rival", func(cm *corev1.ConfigMap) { cm.Data["memory"] = "mine" })
	n.drifted(v1alpha1.ReasonFighting, ".data.memory was changed by rival, again and again")
	n.event("Warning", v1alpha1.ReasonFighting, ".data.memory was changed by rival", "ignoreFields")
	n.still("memory", "mine")
}

// Without the right to watch all works but one thing, and that is said.
func TestAnAccountThatMayNotWatch(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	few := rules()
	for i := range few {
		few[i].Verbs = []string{"get", "create", "patch", "delete"}
	}
	n.grant(few)
	n.await("the account may not watch", func(context.Context) (bool, string) { return n.mayNot("watch"), "it may" })
	n.create(instanceYAML)
	n.awaitReady("one")
	n.event("Warning", v1alpha1.ReasonWatchRefused, "ConfigMap in namespace "+n.ns, "status.rules")
	edit(n, n.config(), "kubectl-edit", func(cm *corev1.ConfigMap) { cm.Data["memory"] = "9Gi" })
	n.still("memory", "9Gi")
	n.change("memory: 2Gi")
	n.awaitReady("one")
	n.awaitData("memory", "2Gi")
}

// mayNot says whether the account lacks a verb on ConfigMaps.
func (n *tenant) mayNot(verb string) bool {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + n.ns + ":" + account,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: n.ns, Verb: verb, Resource: "configmaps"},
	}}
	err := n.w.admin().Create(n.Context(), review)
	return err == nil && !review.Status.Allowed
}
