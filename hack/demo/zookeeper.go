// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	return "versions " + versions[0] + " and " + versions[1], nil
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

// instance is what the demo's user writes.
func (d *demo) instance() *v1alpha1.Instance {
	return &v1alpha1.Instance{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Instance"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: instanceName},
		Spec: v1alpha1.InstanceSpec{
			Framework: framework, Version: versions[0], ServiceAccountName: account,
			Parameters: map[string]apiextensionsv1.JSON{
				"nodeCount": value(3), "memory": value("1Gi"),
				// Simulated servers need less time to settle than the 10 s of real ones.
				"minReadySeconds": value(1),
			},
		},
	}
}

func value(v any) apiextensionsv1.JSON {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // a number or a string
	}
	return apiextensionsv1.JSON{Raw: raw}
}

func (d *demo) writeInstance(file string) error {
	raw, err := yaml.Marshal(struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        map[string]string     `json:"metadata"`
		Spec            v1alpha1.InstanceSpec `json:"spec"`
	}{d.instance().TypeMeta, map[string]string{"name": instanceName, "namespace": namespace}, d.instance().Spec})
	if err != nil {
		return fmt.Errorf("encoding the Instance: %w", err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return fmt.Errorf("writing the Instance: %w", err)
	}
	return nil
}

func (d *demo) create(ctx context.Context) error {
	if err := d.client.Create(ctx, d.instance()); err != nil {
		return fmt.Errorf("creating the Instance: %w", err)
	}
	return nil
}

func (d *demo) update(ctx context.Context) error {
	return d.edit(ctx, func(s *v1alpha1.InstanceSpec) { s.Parameters["memory"] = value("2Gi") })
}

func (d *demo) upgrade(ctx context.Context) error {
	return d.edit(ctx, func(s *v1alpha1.InstanceSpec) { s.Version = versions[1] })
}

// edit changes the Instance the way that kubectl edit does.
func (d *demo) edit(ctx context.Context, change func(*v1alpha1.InstanceSpec)) error {
	inst := &v1alpha1.Instance{}
	if err := d.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: instanceName}, inst); err != nil {
		return fmt.Errorf("reading the Instance: %w", err)
	}
	before := inst.DeepCopy()
	change(&inst.Spec)
	if err := d.client.Patch(ctx, inst, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("changing the Instance: %w", err)
	}
	return nil
}
