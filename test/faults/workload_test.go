// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/workload"
)

//go:embed testdata/app.yaml
var plain []byte

//go:embed testdata/care.yaml
var careful []byte

const (
	// instanceName and account are the same in every namespace.
	instanceName = "one"
	account      = "deployer"
)

// move is one thing that a user does, and how it ends.
type move struct {
	act func(context.Context, client.Client, *v1alpha1.Instance) error
	// ended says whether the Instance is where the move leads; nil: once a newer
	// generation of it is Ready.
	ended func(context.Context, client.Client, *v1alpha1.Instance) bool
	// gone says that the move ends when the Instance is gone.
	gone bool
}

// workloadCase is a way of using Kudo: a move that faults strike, and those before it.
type workloadCase struct {
	name   string
	before []move
	move
	// quick is after how many of its writes make test-crash kills the manager.
	quick int
	// pinned ones would lead elsewhere if the spec changed on the way.
	pinned bool
	// careful ones begin as the version that mends itself.
	careful bool
}

// every write of a workload.
const every = 1000

var workloads = []workloadCase{
	{name: "deploy", quick: every, move: deploy},
	{name: "update", quick: every, before: []move{deploy}, move: set("debug", 2, nil)},
	{name: "upgrade", quick: every, before: []move{deploy}, move: move{act: upgrade}},
	{name: "delete", quick: every, before: []move{deploy}, move: move{gone: true, act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		return c.Delete(ctx, inst)
	}}},
	{name: "custom", before: []move{deploy}, move: move{act: byHand("renew"), ended: renewed}},
	{name: "backup", before: []move{deploy}, move: move{act: byHand("backup"), ended: backedUp}},
	// Both leave an upgrade whose Job failed, see failing.
	{name: "rollback", quick: 8, pinned: true, before: []move{deploy, stuck}, move: move{act: byHand("rollback"), ended: stalledFor(v1alpha1.ReasonRolledBack)}},
	{name: "undo", pinned: true, before: []move{deploy, stuck}, move: move{act: takeBack, ended: stalledFor(v1alpha1.ReasonPlanCancelled)}},
	// A Job whose first attempt fails, see failing.
	{name: "retry", move: deploy},
	// The second update throws the first one's history away.
	{name: "history", before: []move{deploy, set("debug", 1, new(int32(1)))}, move: func() move {
		m := set("trace", 1, new(int32(1)))
		m.ended = trimmed
		return m
	}()},
	// What others do to the namespace starts a plan: in the second in place of one that waits.
	{name: "content", careful: true, before: []move{deployBeside}, move: move{act: rotate, ended: ran(2, "update")}},
	{name: "recovery", careful: true, before: []move{deployBeside}, move: move{act: alarm("broken"), ended: ran(2, "repair")}},
	{name: "rescue", careful: true, pinned: true, quick: 8, before: []move{deployBeside, waiting}, move: move{act: alarm("broken"), ended: ran(4, "update")}},
}

var deploy = move{act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error { return c.Create(ctx, inst) }}

// patched merges a change into the spec, as kubectl patch would.
func patched(change func(*v1alpha1.Instance)) func(context.Context, client.Client, *v1alpha1.Instance) error {
	return func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		base := inst.DeepCopy()
		change(inst)
		return c.Patch(ctx, inst, client.MergeFrom(base))
	}
}

func set(level string, nodes int, history *int32) move {
	return move{act: patched(func(inst *v1alpha1.Instance) {
		inst.Spec.HistoryLimit = history
		inst.Spec.Parameters = map[string]apiextensionsv1.JSON{
			"level": {Raw: fmt.Appendf(nil, "%q", level)}, "nodes": {Raw: fmt.Appendf(nil, "%d", nodes)},
		}
	})}
}

// trimmed says whether the Instance is settled and one update of two is left.
func trimmed(ctx context.Context, c client.Client, inst *v1alpha1.Instance) bool {
	var runs v1alpha1.PlanExecutionList
	for settled(inst) && ctx.Err() == nil {
		if err := c.List(ctx, &runs, client.InNamespace(inst.Namespace)); err == nil && len(runs.Items) == 2 {
			return inst.Status.LastCompleted != nil && inst.Status.LastCompleted.Epoch == 3
		}
		if inst.Status.LastCompleted == nil || inst.Status.LastCompleted.Epoch != 3 {
			return false
		}
	}
	return false
}

// failing is the rule of the player: the first attempts of the workload retry fail, and
// the migrations of those that go back.
func (h *harness) failing(o client.Object) workload.Act {
	job, ok := o.(*batchv1.Job)
	if _, held := h.held.Load(o.GetNamespace()); held && ok {
		return workload.Hold
	}
	of := func(workload string) bool { return strings.HasPrefix(o.GetNamespace(), h.prefix+"-"+workload) }
	switch {
	case ok && strings.HasPrefix(job.Name, "one-migrate-") && (of("rollback") || of("undo")):
		return workload.Fail
	case !ok || !of("retry"):
		return workload.ByAnnotation(o)
	}
	for _, env := range job.Spec.Template.Spec.Containers[0].Env {
		if env.Name == v1alpha1.EnvAttempt && env.Value == "1" {
			return workload.Fail
		}
	}
	return workload.Play
}

// find returns a workload by name.
func find(name string) *workloadCase {
	return &workloads[slices.IndexFunc(workloads, func(w workloadCase) bool { return w.name == name })]
}

// change merges a change into the spec, as kubectl patch would.
func change(ctx context.Context, c client.Client, inst *v1alpha1.Instance, edit func()) error {
	base := inst.DeepCopy()
	edit()
	return c.Patch(ctx, inst, client.MergeFrom(base))
}

func newInstance(namespace string) *v1alpha1.Instance {
	return &v1alpha1.Instance{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: instanceName},
		Spec:       v1alpha1.InstanceSpec{Framework: "app", Version: "1.0.0", ServiceAccountName: account},
	}
}

// first is the Instance that the workload begins with.
func (w *workloadCase) first(namespace string) *v1alpha1.Instance {
	inst := newInstance(namespace)
	if w.careful {
		inst.Spec.Version, inst.Spec.DriftPolicy = "3.0.0", v1alpha1.DriftIgnore
	}
	return inst
}

// settled says whether an Instance has got where its spec wants it.
func settled(inst *v1alpha1.Instance) bool {
	return inst.Status.ObservedGeneration == inst.Generation && inst.Status.Active == nil &&
		meta.IsStatusConditionTrue(inst.Status.Conditions, v1alpha1.ConditionReady)
}

// publish applies the framework and takes over the rules that its versions ask for.
func (h *harness) publish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(slices.Concat(plain, []byte("---\n"), careful)), 4096); ; {
		o := &unstructured.Unstructured{}
		if err := d.Decode(o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("decoding the framework: %w", err)
		}
		if err := install.Apply(ctx, h.cluster.Client, o); err != nil {
			return err
		}
	}
	byVersion := map[string][]rbacv1.PolicyRule{}
	return h.follow(ctx, &v1alpha1.FrameworkVersionList{}, "", func(e watch.Event) bool {
		fwv, ok := e.Object.(*v1alpha1.FrameworkVersion)
		if !ok || !meta.IsStatusConditionTrue(fwv.Status.Conditions, v1alpha1.ConditionReady) {
			return false
		}
		byVersion[fwv.Name] = fwv.Status.Rules
		h.rules = slices.Concat(byVersion["app-1.0.0"], byVersion["app-2.0.0"], byVersion["app-3.0.0"])
		return len(byVersion) == 3
	})
}
