// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package succession_test

import (
	"context"
	"fmt"
	"os"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
	"kudo.dev/kudo/internal/testing/workload"
)

// account is what Instances run as.
const account = "deployer"

// scenario is a state in which an older manager leaves an Instance.
type scenario struct {
	// kind of the workloads that are held, or fail; empty for none.
	kind string
	act  workload.Act
	// parameters of the change that it leaves there.
	parameters string
	// there says that the update has got where it is left.
	there func(*v1alpha1.PlanExecution) bool
	// quiet says that nothing is left to do until someone acts.
	quiet bool
	// attempts are those of the Job of the update, in the end.
	attempts []string
}

var scenarios = map[string]scenario{
	"at-rest": {
		parameters: "level: debug", quiet: true, attempts: []string{"1"},
		there: func(pe *v1alpha1.PlanExecution) bool { return pe.Status.State == v1alpha1.RunSucceeded },
	},
	"stalled": {
		kind: "Job", act: workload.Fail, parameters: "level: debug", quiet: true, attempts: []string{"1", "2"},
		there: func(pe *v1alpha1.PlanExecution) bool { return pe.Status.State == v1alpha1.RunStalled },
	},
	"rolling-out": {
		kind: "StatefulSet", act: workload.Hold, parameters: "level: debug", attempts: []string{"1"}, there: waitingAt("nodes"),
	},
	"running-a-job": {
		kind: "Job", act: workload.Hold, parameters: "level: debug", attempts: []string{"1"}, there: waitingAt("verify"),
	},
	"between-two-steps": {
		parameters: "level: debug, gated: true", attempts: []string{"1"},
		there: func(pe *v1alpha1.PlanExecution) bool { return at(pe, "gate") != nil },
	},
}

// at is the step of that name, if the run is there.
func at(pe *v1alpha1.PlanExecution, step string) *v1alpha1.StepStatus {
	for _, phase := range pe.Status.Phases {
		for i, s := range phase.Steps {
			if s.Name == step && s.State == v1alpha1.RunRunning {
				return &phase.Steps[i]
			}
		}
	}
	return nil
}

// waitingAt says that the step has made its effect, and waits for what comes of it.
func waitingAt(step string) func(*v1alpha1.PlanExecution) bool {
	return func(pe *v1alpha1.PlanExecution) bool {
		s := at(pe, step)
		return s != nil && len(s.Tasks) == 1 && s.Tasks[0].Reason == v1alpha1.ReasonWaiting
	}
}

// cast is all scenarios, in namespaces and with a framework of that name.
type cast string

func (c cast) namespace(name string) string { return string(c) + "-" + name }

// admit makes the namespaces and what an admin does for them.
func (c cast) admit(ctx context.Context, w *scene.World) error {
	rule := func(group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "create", "patch", "delete"}}
	}
	rules := []rbacv1.PolicyRule{rule("", "configmaps", "services"), rule("apps", "statefulsets"), rule("batch", "jobs")}
	for name := range scenarios {
		tenant := install.Tenant{Namespace: c.namespace(name), Account: account, Rules: rules}
		if err := tenant.Apply(ctx, w.Admin()); err != nil {
			return err
		}
	}
	return nil
}

// publish stores the framework.
func (c cast) publish(ctx context.Context, w *scene.World) error {
	raw, err := os.ReadFile("testdata/framework.yaml")
	if err != nil {
		return err
	}
	fwv := &v1alpha1.FrameworkVersion{}
	if err := yaml.UnmarshalStrict(raw, fwv); err != nil {
		return err
	}
	fwv.Name, fwv.Spec.Framework = string(c)+"-1.0.0", string(c)
	fw := &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{Name: string(c)}}
	for _, o := range []client.Object{fw, fwv} {
		if err := w.Admin().Create(ctx, o); err != nil {
			return err
		}
	}
	return eventually(ctx, func(ctx context.Context) (bool, error) {
		err := w.Admin().Get(ctx, client.ObjectKeyFromObject(fwv), fwv)
		return meta.IsStatusConditionTrue(fwv.Status.Conditions, v1alpha1.ConditionReady), err
	})
}

// perform has the manager that runs bring every scenario to where it is left.
func (c cast) perform(ctx context.Context, w *scene.World) error {
	if err := c.admit(ctx, w); err != nil {
		return err
	}
	if err := c.publish(ctx, w); err != nil {
		return err
	}
	for name := range scenarios {
		inst := &v1alpha1.Instance{
			ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace(name), Name: "one"},
			Spec:       v1alpha1.InstanceSpec{Framework: string(c), Version: "1.0.0", ServiceAccountName: account},
		}
		if err := w.Admin().Create(ctx, inst); err != nil {
			return err
		}
	}
	for name, s := range scenarios {
		ns := c.namespace(name)
		if err := eventually(ctx, func(ctx context.Context) (bool, error) {
			inst, err := instance(ctx, w, ns)
			return err == nil && scene.IsReady(inst), err
		}); err != nil {
			return fmt.Errorf("deploying %s: %w", name, err)
		}
		if s.kind != "" {
			if err := w.Act(ctx, ns, s.kind, s.act); err != nil {
				return err
			}
		}
		if err := change(ctx, w, ns, s.parameters); err != nil {
			return err
		}
	}
	for name, s := range scenarios {
		if err := eventually(ctx, func(ctx context.Context) (bool, error) {
			runs, err := updates(ctx, w, c.namespace(name))
			return len(runs) == 1 && s.there(&runs[0]), err
		}); err != nil {
			return fmt.Errorf("updating %s: %w", name, err)
		}
	}
	return eventually(ctx, func(ctx context.Context) (bool, error) {
		inst, err := instance(ctx, w, c.namespace("at-rest"))
		return err == nil && scene.IsReady(inst), err
	})
}

func eventually(ctx context.Context, condition wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextTimeout(ctx, tick, scene.Patience, true, condition)
}

func instance(ctx context.Context, w *scene.World, ns string) (*v1alpha1.Instance, error) {
	inst := &v1alpha1.Instance{}
	return inst, w.Admin().Get(ctx, client.ObjectKey{Namespace: ns, Name: "one"}, inst)
}

// change changes parameters of the Instance of a namespace.
func change(ctx context.Context, w *scene.World, ns, values string) error {
	raw, err := yaml.YAMLToJSON([]byte("spec: {parameters: {" + values + "}}"))
	if err != nil {
		return err
	}
	inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "one"}}
	return w.Admin().Patch(ctx, inst, client.RawPatch("application/merge-patch+json", raw))
}

// updates are the runs of the plan update, the oldest first.
func updates(ctx context.Context, w *scene.World, ns string) ([]v1alpha1.PlanExecution, error) {
	var list v1alpha1.PlanExecutionList
	if err := w.Admin().List(ctx, &list, client.InNamespace(ns)); err != nil {
		return nil, err
	}
	runs := slices.DeleteFunc(list.Items, func(pe v1alpha1.PlanExecution) bool { return pe.Spec.Plan != v1alpha1.PlanUpdate })
	slices.SortFunc(runs, func(a, b v1alpha1.PlanExecution) int { return int(a.Status.Epoch - b.Status.Epoch) })
	return runs, nil
}
