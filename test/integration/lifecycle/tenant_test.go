// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/workload"
)

const (
	// account is what Instances run as.
	account = "deployer"

	tick = 50 * time.Millisecond
	// patience is longer than any run takes that ends at all, on a busy machine too.
	patience = 60 * time.Second
)

// tenant is the namespace of one test.
type tenant struct {
	*testing.T
	w  *world
	ns string
}

func rule(group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}}
}

// rules are what the versions of testdata/app.yaml need.
func rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("", "configmaps", "persistentvolumeclaims", "pods", "secrets"), rule("apps", "deployments"), rule("batch", "jobs"),
	}
}

// newTenant makes the namespace of a test, with an account that has all rules but some.
func newTenant(t *testing.T, without ...string) *tenant {
	t.Helper()
	n := &tenant{T: t, w: theWorld(t), ns: unique("team-")}
	n.grant(slices.DeleteFunc(rules(), func(r rbacv1.PolicyRule) bool { return slices.Contains(without, r.APIGroups[0]) }))
	return n
}

func (n *tenant) grant(rules []rbacv1.PolicyRule) {
	n.Helper()
	tenant := install.Tenant{Namespace: n.ns, Account: account, Rules: rules}
	if err := tenant.Apply(n.Context(), n.w.admin()); err != nil {
		n.Fatal(err)
	}
}

// play says what happens to the workloads of a kind in this namespace from now on.
func (n *tenant) play(kind string, act workload.Act) {
	n.Helper()
	if err := n.w.Act(n.Context(), n.ns, kind, act); err != nil {
		n.Fatal(err)
	}
}

// create stores an object of this namespace.
func (n *tenant) create(text string, changes ...func(*unstructured.Unstructured)) *unstructured.Unstructured {
	n.Helper()
	o := parse(text)
	o.SetNamespace(n.ns)
	for _, c := range changes {
		c(o)
	}
	if err := n.w.admin().Create(n.Context(), o); err != nil {
		n.Fatalf("creating %s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return o
}

func named(name string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) { o.SetName(name) }
}

// with sets a field given by its path with dots.
func with(path string, value any) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if err := unstructured.SetNestedField(o.Object, value, strings.Split(path, ".")...); err != nil {
			panic(err)
		}
	}
}

func (n *tenant) patch(o client.Object, text string) {
	n.Helper()
	if err := n.w.admin().Patch(n.Context(), o, merge(text)); err != nil {
		n.Fatalf("patching %s: %v", o.GetName(), err)
	}
}

func (n *tenant) one() *v1alpha1.Instance {
	return &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one"}}
}

// change changes the parameters of the Instance "one".
func (n *tenant) change(values string) {
	n.Helper()
	n.patch(n.one(), parameters(values))
}

// await polls until a condition holds, and says what was there instead.
func (n *tenant) await(what string, condition func(context.Context) (bool, string)) {
	n.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(n.Context(), tick, patience, true, func(ctx context.Context) (done bool, err error) {
		done, last = condition(ctx)
		return done, nil
	})
	if err != nil {
		tail, _ := n.w.Process.LogTail(5)
		n.Fatalf("waiting until %s: %v; last seen: %s\nruns: %s\nlog of the manager:\n%s", what, err, last, strings.Join(n.runs(), ", "), tail)
	}
}

// awaitInstance waits until an Instance is as wanted.
func (n *tenant) awaitInstance(what, name string, is func(*v1alpha1.Instance) bool) *v1alpha1.Instance {
	n.Helper()
	inst := &v1alpha1.Instance{}
	n.await(what, func(ctx context.Context) (bool, string) {
		inst = &v1alpha1.Instance{}
		if err := n.w.admin().Get(ctx, client.ObjectKey{Namespace: n.ns, Name: name}, inst); err != nil {
			return false, err.Error()
		}
		return is(inst), describe(inst)
	})
	return inst
}

func describe(inst *v1alpha1.Instance) string {
	c := meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil {
		return "no condition"
	}
	return fmt.Sprintf("Ready=%s %s: %s (plan %q, generation %d of %d)", c.Status, c.Reason, c.Message, inst.Status.Plan, c.ObservedGeneration, inst.Generation)
}

func isTrue(conditions []metav1.Condition, kind string) bool {
	return meta.IsStatusConditionTrue(conditions, kind)
}

// awaitReady waits until the newest spec is rolled out.
func (n *tenant) awaitReady(name string) *v1alpha1.Instance {
	n.Helper()
	return n.awaitInstance(name+" is ready", name, func(i *v1alpha1.Instance) bool {
		c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == i.Generation
	})
}

// awaitVerdict waits until the Instance says why it is not ready, in these words.
func (n *tenant) awaitVerdict(name, reason string, words ...string) *v1alpha1.Instance {
	n.Helper()
	return n.awaitInstance(name+" says "+reason+" "+strings.Join(words, " "), name, func(i *v1alpha1.Instance) bool {
		c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && c.Reason == reason && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(c.Message, w) })
	})
}

// executions of the namespace, in the order of their admission.
func (n *tenant) executions() []v1alpha1.PlanExecution {
	n.Helper()
	var list v1alpha1.PlanExecutionList
	if err := n.w.admin().List(context.WithoutCancel(n.Context()), &list, client.InNamespace(n.ns)); err != nil {
		n.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.PlanExecution) int {
		return cmp.Or(cmp.Compare(a.Status.Epoch, b.Status.Epoch), cmp.Compare(a.Name, b.Name))
	})
	return list.Items
}

// runs are the executions as "<plan> <state> [<reason>]".
func (n *tenant) runs() []string {
	n.Helper()
	out := []string{}
	for _, pe := range n.executions() {
		line := pe.Spec.Plan + " " + string(pe.Status.State)
		if pe.Status.State == v1alpha1.RunCancelled || pe.Status.State == v1alpha1.RunFailed {
			line += " " + pe.Status.Reason
		}
		out = append(out, line)
	}
	return out
}

// active waits for the execution that holds the Instance to be as wanted.
func (n *tenant) active(what string, is func(*v1alpha1.PlanExecution) bool) *v1alpha1.PlanExecution {
	n.Helper()
	var found *v1alpha1.PlanExecution
	n.await(what, func(context.Context) (bool, string) {
		runs := n.executions()
		if len(runs) == 0 {
			return false, "no execution"
		}
		found = &runs[len(runs)-1]
		return is(found), fmt.Sprintf("%s %s %s: %s", found.Spec.Plan, found.Status.State, found.Status.Reason, found.Status.Message)
	})
	return found
}

// stalled waits until a plan stalls in these words.
func (n *tenant) stalled(plan, reason string, words ...string) *v1alpha1.PlanExecution {
	n.Helper()
	return n.active("plan "+plan+" stalls: "+reason, func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == plan && pe.Status.State == v1alpha1.RunStalled && pe.Status.Reason == reason &&
			!slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(pe.Status.Message, w) })
	})
}

// atJob waits until a plan waits for its job.
func (n *tenant) atJob(plan string) *v1alpha1.PlanExecution {
	n.Helper()
	return n.active("plan "+plan+" waits for its job", func(pe *v1alpha1.PlanExecution) bool {
		return pe.Spec.Plan == plan && pe.Status.State == v1alpha1.RunRunning &&
			slices.ContainsFunc(n.jobs(), func(j workload.Job) bool { return j.Execution == pe.Name })
	})
}

// jobs are the Jobs that were ever made in this namespace.
func (n *tenant) jobs() []workload.Job {
	return n.w.Jobs(n.ns)
}

// retry asks an execution to try again.
func (n *tenant) retry(pe *v1alpha1.PlanExecution, id string) {
	n.Helper()
	n.request(pe, v1alpha1.Request{ID: id, Action: v1alpha1.ActionRetry})
}

// request adds to what people asked of an execution.
func (n *tenant) request(pe *v1alpha1.PlanExecution, q v1alpha1.Request) {
	n.Helper()
	now := &v1alpha1.PlanExecution{}
	if err := n.w.admin().Get(n.Context(), client.ObjectKeyFromObject(pe), now); err != nil {
		n.Fatal(err)
	}
	base := now.DeepCopy()
	now.Spec.Requests = append(now.Spec.Requests, q)
	if err := n.w.admin().Patch(n.Context(), now, client.MergeFrom(base)); err != nil {
		n.Fatal(err)
	}
}

// ask makes a request and waits for its answer.
func (n *tenant) ask(pe *v1alpha1.PlanExecution, id, action, path string) v1alpha1.RequestStatus {
	n.Helper()
	n.request(pe, v1alpha1.Request{ID: id, Action: action, Path: path, Reason: "night shift"})
	return n.answer(pe, id)
}

func (n *tenant) answer(pe *v1alpha1.PlanExecution, id string) v1alpha1.RequestStatus {
	n.Helper()
	var found v1alpha1.RequestStatus
	n.await("request "+id+" is answered", func(ctx context.Context) (bool, string) {
		now := &v1alpha1.PlanExecution{}
		if err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(pe), now); err != nil {
			return false, err.Error()
		}
		for _, a := range now.Status.Requests {
			if a.ID == id {
				found = a
				return true, ""
			}
		}
		return false, fmt.Sprintf("%s %s: %s", now.Status.State, now.Status.Reason, now.Status.Message)
	})
	return found
}

// done makes a request that must be carried out.
func (n *tenant) done(pe *v1alpha1.PlanExecution, id, action, path string) {
	n.Helper()
	if a := n.ask(pe, id, action, path); a.State != "Done" || !strings.Contains(a.Message, "night shift") {
		n.Fatalf("%s of %q: %+v", action, path, a)
	}
}

// becomes waits until an execution has a state, and a reason where one is given.
func (n *tenant) becomes(pe *v1alpha1.PlanExecution, state v1alpha1.RunState, reason string) *v1alpha1.PlanExecution {
	n.Helper()
	now := &v1alpha1.PlanExecution{}
	n.await(fmt.Sprintf("%s is %s %s", pe.Spec.Plan, state, reason), func(ctx context.Context) (bool, string) {
		now = &v1alpha1.PlanExecution{}
		if err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(pe), now); err != nil {
			return false, err.Error()
		}
		s := now.Status
		return s.State == state && (reason == "" || s.Reason == reason), fmt.Sprintf("%s %s: %s", s.State, s.Reason, s.Message)
	})
	return now
}

// data is the content of a ConfigMap, nil if there is none.
func (n *tenant) data(name string) map[string]string {
	n.Helper()
	cm := &corev1.ConfigMap{}
	err := n.w.admin().Get(n.Context(), client.ObjectKey{Namespace: n.ns, Name: name}, cm)
	if client.IgnoreNotFound(err) != nil {
		n.Fatal(err)
	}
	if err != nil {
		return nil
	}
	if cm.Data == nil {
		cm.Data = map[string]string{}
	}
	return cm.Data
}

// awaitGone waits until an object is no longer there.
func (n *tenant) awaitGone(o client.Object) {
	n.Helper()
	n.await(o.GetName()+" is gone", func(ctx context.Context) (bool, string) {
		err := n.w.admin().Get(ctx, client.ObjectKeyFromObject(o), o)
		return err != nil && client.IgnoreNotFound(err) == nil, fmt.Sprintf("finalizers %v", o.GetFinalizers())
	})
}
