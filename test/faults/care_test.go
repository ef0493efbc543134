// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// theirs is what the pods of the careful version consume, and Kudo does not make.
func theirs(namespace, password string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"}, StringData: map[string]string{"password": password},
	}
}

// deployBeside makes what the pods consume, then the Instance.
var deployBeside = move{act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
	if err := c.Create(ctx, theirs(inst.Namespace, "first")); err != nil {
		return err
	}
	return c.Create(ctx, inst)
}}

// rotate gives what the pods consume another value.
func rotate(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
	return c.Patch(ctx, theirs(inst.Namespace, "first"), client.RawPatch(types.MergePatchType, []byte(`{"stringData":{"password":"second"}}`)))
}

// alarm tells what the software thinks of itself; the rule takes "broken" for a reason.
func alarm(state string) func(context.Context, client.Client, *v1alpha1.Instance) error {
	return func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		told := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: inst.Namespace, Name: instanceName + "-alarm"}}
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"data":{"state":%q}}`, state))
		// As the field's owner: the plan that mends it takes nothing away from anyone.
		return c.Patch(ctx, told, patch, client.FieldOwner(v1alpha1.FieldManager))
	}
}

// waiting is an update that waits until the alarm is over.
var waiting = move{
	act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		if err := alarm("unsure")(ctx, c, inst); err != nil {
			return err
		}
		return set("debug", 2, nil).act(ctx, c, inst)
	},
	ended: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) bool {
		for inst.Status.Active != nil && ctx.Err() == nil {
			pe := &v1alpha1.PlanExecution{}
			key := client.ObjectKey{Namespace: inst.Namespace, Name: inst.Status.Active.Name}
			if err := c.Get(ctx, key, pe); err == nil && pe.Status.State.Terminal() {
				return false
			} else if err == nil && running(pe, "clear") {
				return true
			}
		}
		return false
	},
}

// running says whether a step of this name runs and has said what it waits for.
func running(pe *v1alpha1.PlanExecution, name string) bool {
	for _, phase := range pe.Status.Phases {
		for _, step := range phase.Steps {
			if step.Name == name && len(step.Tasks) > 0 && step.Tasks[0].Message != "" && step.State == v1alpha1.RunRunning {
				return true
			}
		}
	}
	return false
}

// ran is the end of a move that leads to a plan's success, as the run with this epoch.
func ran(epoch int64, plan string) func(context.Context, client.Client, *v1alpha1.Instance) bool {
	return func(_ context.Context, _ client.Client, inst *v1alpha1.Instance) bool {
		return settled(inst) && inst.Status.Epoch == epoch && inst.Status.Plan == plan+": Succeeded" && len(inst.Status.Broken) == 0
	}
}
