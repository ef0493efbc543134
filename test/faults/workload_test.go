// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

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
)

//go:embed testdata/app.yaml
var manifests []byte

const (
	// instanceName and account are the same in every namespace.
	instanceName = "one"
	account      = "deployer"
)

// workload is a reference run: what a user does, and what it comes to.
type workloadCase struct {
	name string
	// deployed says that the Instance is rolled out before.
	deployed bool
	act      func(context.Context, client.Client, *v1alpha1.Instance) error
	// gone says that the run ends when the Instance is gone; else when it is Ready.
	gone bool
}

var workloads = []workloadCase{
	{name: "deploy", act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		return c.Create(ctx, inst)
	}},
	{name: "update", deployed: true, act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		return change(ctx, c, inst, func() {
			inst.Spec.Parameters = map[string]apiextensionsv1.JSON{"level": {Raw: []byte(`"debug"`)}, "nodes": {Raw: []byte(`2`)}}
		})
	}},
	{name: "upgrade", deployed: true, act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		return change(ctx, c, inst, func() { inst.Spec.Version = "2.0.0" })
	}},
	{name: "delete", deployed: true, gone: true, act: func(ctx context.Context, c client.Client, inst *v1alpha1.Instance) error {
		return c.Delete(ctx, inst)
	}},
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

// settled says whether an Instance has got where its spec wants it.
func settled(inst *v1alpha1.Instance) bool {
	return inst.Status.ObservedGeneration == inst.Generation && inst.Status.Active == nil &&
		meta.IsStatusConditionTrue(inst.Status.Conditions, v1alpha1.ConditionReady)
}

// publish applies the framework and takes over the rules that its versions ask for.
func (h *harness) publish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096); ; {
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
		h.rules = slices.Concat(byVersion["app-1.0.0"], byVersion["app-2.0.0"])
		return len(byVersion) == 2
	})
}

// follow watches objects, those that are there first, until the condition holds.
func (h *harness) follow(ctx context.Context, list client.ObjectList, namespace string, until func(watch.Event) bool) error {
	w, err := h.cluster.Client.Watch(ctx, list, client.InNamespace(namespace))
	if err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	defer w.Stop()
	var last any
	for {
		select {
		case e, open := <-w.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended: %w; last seen: %s", context.Cause(ctx), show(last))
			}
			if until(e) {
				return nil
			}
			last = e.Object
		case <-ctx.Done():
			return fmt.Errorf("%w; last seen: %s", ctx.Err(), show(last))
		}
	}
}

// show prints the status of an object, for people.
func show(o any) string {
	status := o
	switch o := o.(type) {
	case *v1alpha1.Instance:
		status = o.Status
	case *v1alpha1.FrameworkVersion:
		status = map[string]any{o.Name: o.Status.Instances}
	}
	raw, err := json.Marshal(status)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
