// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

const instanceYAML = `
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {name: one}
spec: {framework: app, version: 1.0.0, serviceAccountName: deployer}
`

const executionYAML = `
apiVersion: kudo.dev/v1alpha1
kind: PlanExecution
metadata: {name: run}
spec: {instance: one, plan: inspect}
`

func parse(text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		panic(fmt.Sprintf("%v in\n%s", err, text))
	}
	return o
}

// version is testdata/app.yaml as another version, with changes of its spec.
func version(framework, number string, changes ...func(*v1alpha1.FrameworkVersionSpec)) (*v1alpha1.FrameworkVersion, error) {
	raw, err := os.ReadFile("testdata/app.yaml")
	if err != nil {
		return nil, err
	}
	fwv := &v1alpha1.FrameworkVersion{}
	if err := yaml.UnmarshalStrict(raw, fwv); err != nil {
		return nil, err
	}
	fwv.Name, fwv.Spec.Framework, fwv.Spec.Version = framework+"-"+number, framework, number
	for _, c := range changes {
		c(&fwv.Spec)
	}
	return fwv, nil
}

// publish stores the framework that most tests use, with the versions to upgrade to.
func (w *world) publish(ctx context.Context) error {
	fw := &v1alpha1.Framework{}
	fw.Name = "app"
	if err := w.admin().Create(ctx, fw); err != nil {
		return err
	}
	for number, changes := range map[string][]func(*v1alpha1.FrameworkVersionSpec){
		"1.0.0": nil,
		"2.0.0": {upgradable("~1.0.0"), forgetful},
		"3.0.0": {upgradable("~2.0.0")},
		// What does not become ready stalls at once, or what its plan says follows.
		"2.1.0": {forgetful, impatient(nil)},
		"2.2.0": {forgetful, impatient(&v1alpha1.OnFailure{Rollback: true})},
		"2.3.0": {forgetful, impatient(&v1alpha1.OnFailure{Undo: true})},
		"2.4.0": {forgetful, impatient(&v1alpha1.OnFailure{Plan: "inspect"})},
		"1.2.0": {careful},
		"1.4.0": {sociable},
		"1.3.0": {func(s *v1alpha1.FrameworkVersionSpec) { // tries a failed job again much later
			plan(s, "update").Phases[0].Steps[0].Retry.Backoff = &metav1.Duration{Duration: time.Hour}
		}},
		// Immutable fields lead to a new object here.
		"1.1.0": {func(s *v1alpha1.FrameworkVersionSpec) {
			task(s, "server").Apply.OnImmutable = v1alpha1.ImmutableRecreate
		}},
	} {
		fwv, err := version("app", number, changes...)
		if err != nil {
			return err
		}
		if err := w.admin().Create(ctx, fwv); err != nil {
			return err
		}
	}
	return wait.PollUntilContextTimeout(ctx, tick, patience, true, func(ctx context.Context) (bool, error) {
		var list v1alpha1.FrameworkVersionList
		if err := w.admin().List(ctx, &list); err != nil {
			return false, err
		}
		for i := range list.Items {
			if !isTrue(list.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
				return false, nil
			}
		}
		return true, nil
	})
}

func upgradable(from string) func(*v1alpha1.FrameworkVersionSpec) {
	return func(s *v1alpha1.FrameworkVersionSpec) { s.UpgradableFrom = []string{from} }
}

func task(s *v1alpha1.FrameworkVersionSpec, name string) *v1alpha1.Task {
	return &s.Tasks[slices.IndexFunc(s.Tasks, func(t v1alpha1.Task) bool { return t.Name == name })]
}

// forgetful has an upgrade plan, and neither the template old.yaml nor claim.yaml.
func forgetful(s *v1alpha1.FrameworkVersionSpec) {
	s.Templates = slices.DeleteFunc(s.Templates, func(t v1alpha1.Template) bool { return t.Name == "old.yaml" || t.Name == "claim.yaml" })
	s.Tasks = slices.DeleteFunc(s.Tasks, func(t v1alpha1.Task) bool { return t.Name == "data" })
	steps := s.Plans[0].Phases[0].Steps
	steps[0].Tasks = slices.DeleteFunc(steps[0].Tasks, func(t v1alpha1.StepTask) bool { return t.Task == "data" })
	upgrade := *s.Plans[0].DeepCopy()
	upgrade.Name = "upgrade"
	s.Plans = append(s.Plans, upgrade)
}

func merge(text string) client.Patch {
	return client.RawPatch("application/merge-patch+json", []byte(text))
}

// parameters is a patch of the spec of an Instance, from YAML.
func parameters(text string) string {
	raw, err := yaml.YAMLToJSON([]byte("spec: {parameters: {" + text + "}}"))
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(raw))
}

func parseIn(namespace, text string) *unstructured.Unstructured {
	o := parse(text)
	o.SetNamespace(namespace)
	return o
}
