// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/repository"
)

const framework = "zookeeper"

// versions of the framework, in the order in which they are used.
var versions = []string{"3.8.4", "3.9.3"}

// load reads the packages of the catalogue.
func (d *demo) load() error {
	dir, err := repository.Path("frameworks", framework)
	if err != nil {
		return err
	}
	for _, version := range versions {
		p, err := pack.Load(os.DirFS(dir), version)
		if err != nil {
			return fmt.Errorf("reading frameworks/%s/%s: %w", framework, version, err)
		}
		d.packages = append(d.packages, p)
	}
	return nil
}

// publish makes the Framework and its versions, and waits until Kudo found them valid.
func (d *demo) publish(ctx context.Context) (string, error) {
	objects := []client.Object{d.packages[len(d.packages)-1].Framework}
	for _, p := range d.packages {
		objects = append(objects, p.Version)
	}
	for _, o := range objects {
		if err := d.client.Create(ctx, o); err != nil {
			return "", fmt.Errorf("creating %T %s: %w", o, o.GetName(), err)
		}
	}
	err := until(ctx, d.client, &v1alpha1.FrameworkVersionList{}, &v1alpha1.FrameworkVersion{}, func(all map[string]*v1alpha1.FrameworkVersion) bool {
		for _, p := range d.packages {
			v := all[p.Version.Name]
			if v == nil || !meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionReady) {
				return false
			}
			p.Version = v
		}
		return true
	})
	if err != nil {
		return "", fmt.Errorf("waiting until the versions are ready: %w", err)
	}
	err = until(ctx, d.client, &v1alpha1.FrameworkList{}, &v1alpha1.Framework{}, func(all map[string]*v1alpha1.Framework) bool {
		return all[framework] != nil && meta.IsStatusConditionTrue(all[framework].Status.Conditions, v1alpha1.ConditionReady)
	})
	if err != nil {
		return "", fmt.Errorf("waiting until the kind is served: %w", err)
	}
	return "versions " + versions[0] + " and " + versions[1] + "; kind: ZooKeeper is served", nil
}

// makeTenant grants the account the rules that the versions report, and nothing else.
func (d *demo) makeTenant(ctx context.Context) (string, error) {
	var rules []rbacv1.PolicyRule
	for _, p := range d.packages {
		for _, rule := range p.Version.Status.Rules {
			if !slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return equality.Semantic.DeepEqual(r, rule) }) {
				rules = append(rules, rule)
			}
		}
	}
	tenant := install.Tenant{Namespace: namespace, Account: account, Rules: rules}
	return fmt.Sprintf("namespace %s, an account with the %d rules that the versions need", namespace, len(rules)), tenant.Apply(ctx, d.client)
}

// kind is what Kudo generates from the Framework.
var kind = schema.GroupVersionKind{Group: v1alpha1.TypedGroup, Version: v1alpha1.TypedVersion, Kind: "ZooKeeper"}

// object is what the demo's user writes.
func (d *demo) object() *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": namespace, "name": objectName},
		"spec": map[string]any{
			"version": versions[0], "serviceAccountName": account,
			"parameters": map[string]any{
				"nodeCount": int64(3), "memory": "1Gi",
				// Simulated servers need less time to settle than the 10 s of real ones.
				"minReadySeconds": int64(1),
			},
		},
	}}
	o.SetGroupVersionKind(kind)
	return o
}

// objects is a list of such.
func (d *demo) objects() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}

func (d *demo) writeObject(file string) error {
	raw, err := yaml.Marshal(d.object())
	if err != nil {
		return fmt.Errorf("encoding the object: %w", err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return fmt.Errorf("writing the object: %w", err)
	}
	return nil
}

func (d *demo) create(ctx context.Context) error {
	if err := d.client.Create(ctx, d.object()); err != nil {
		return fmt.Errorf("creating zookeeper/%s: %w", objectName, err)
	}
	return nil
}

func (d *demo) update(ctx context.Context) error {
	return d.edit(ctx, `{"spec":{"parameters":{"memory":"2Gi"}}}`)
}

func (d *demo) upgrade(ctx context.Context) error {
	return d.edit(ctx, `{"spec":{"version":"`+versions[1]+`"}}`)
}

// edit changes the object the way that kubectl patch does.
func (d *demo) edit(ctx context.Context, patch string) error {
	if err := d.client.Patch(ctx, d.object(), client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return fmt.Errorf("changing zookeeper/%s: %w", objectName, err)
	}
	return nil
}
