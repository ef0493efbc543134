// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crdinstall writes the CustomResourceDefinitions of generated kinds: never one
// that is not Kudo's, and never a schema that a stored object would not fit.
package crdinstall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/crdgen"
)

// page is how many stored objects are read at once.
const page = 500

// Installer writes definitions.
type Installer struct {
	// Client writes definitions.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Objects reads the objects of generated kinds from the API server.
	Objects dynamic.Interface
}

// ForeignError says that a definition of this name exists that was not made for the Framework.
type ForeignError struct {
	// Name of the definition.
	Name string
	// Framework that it was made for; "" if it is not Kudo's.
	Framework string
}

// Error says what to do.
func (e *ForeignError) Error() string {
	if e.Framework == "" {
		return "CustomResourceDefinition " + e.Name + " exists and was not made by Kudo: set spec.names to other names, or remove it"
	}
	return "CustomResourceDefinition " + e.Name + " belongs to Framework " + e.Framework + ": set spec.names to other names"
}

// Foreign says whether a definition must not be touched for a Framework.
func Foreign(live metav1.Object, framework string) error {
	if owner := crdgen.Owner(live); owner != framework {
		return &ForeignError{live.GetName(), owner}
	}
	return nil
}

// Create makes a definition. One that exists already is read and judged.
func (i *Installer) Create(ctx context.Context, wanted *apiextensionsv1.CustomResourceDefinition, framework string) (*apiextensionsv1.CustomResourceDefinition, error) {
	made := wanted.DeepCopy()
	err := i.Client.Create(ctx, made)
	if err == nil {
		return made, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("creating CustomResourceDefinition %s: %w", wanted.Name, err)
	}
	live := &apiextensionsv1.CustomResourceDefinition{}
	if err := i.Live.Get(ctx, client.ObjectKeyFromObject(wanted), live); err != nil {
		return nil, fmt.Errorf("reading CustomResourceDefinition %s, which exists: %w", wanted.Name, err)
	}
	return live, Foreign(live, framework)
}

// HeldError says that a new schema waits until stored objects fit it.
type HeldError struct {
	// Misfits are the objects and what is wrong with them.
	Misfits []Misfit
}

const (
	maxObjects  = 5
	maxProblems = 3
)

// Error names objects and fields.
func (e *HeldError) Error() string {
	var parts []string
	for _, m := range e.Misfits[:min(len(e.Misfits), maxObjects)] {
		problems := m.Problems
		more := ""
		if len(problems) > maxProblems {
			more = fmt.Sprintf(" and %d more", len(problems)-maxProblems)
			problems = problems[:maxProblems]
		}
		parts = append(parts, m.Namespace+"/"+m.Name+" ("+strings.Join(problems, "; ")+more+")")
	}
	if more := len(e.Misfits) - maxObjects; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("the schema stays as it was, because %d stored objects would not fit the new one: %s. Change or delete them, or take the change back",
		len(e.Misfits), strings.Join(parts, ", "))
}

// Update writes what is wanted over a definition that is Kudo's, if it differs, and if every
// stored object fits the schema. The rest of the definition stays as it is.
func (i *Installer) Update(ctx context.Context, live, wanted *apiextensionsv1.CustomResourceDefinition) (*apiextensionsv1.CustomResourceDefinition, error) {
	if Same(&live.Spec, &wanted.Spec) {
		return live, nil
	}
	if err := i.check(ctx, live, wanted); err != nil {
		return live, err
	}
	next := live.DeepCopy()
	next.Spec = *wanted.Spec.DeepCopy()
	next.Spec.Conversion = live.Spec.Conversion
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	maps.Copy(next.Labels, wanted.Labels)
	if err := i.Client.Update(ctx, next); err != nil {
		return live, fmt.Errorf("updating CustomResourceDefinition %s: %w", live.Name, err)
	}
	return next, nil
}

// Same says whether two specs mean the same to the API server. It compares all of them:
// what kind of change it is does not matter.
func Same(a, b *apiextensionsv1.CustomResourceDefinitionSpec) bool {
	x, errX := canonical(a)
	y, errY := canonical(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func canonical(spec *apiextensionsv1.CustomResourceDefinitionSpec) (any, error) {
	full := spec.DeepCopy()
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(full)
	raw, err := json.Marshal(full)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(raw, &out)
}

// check holds every stored object to the new schema.
func (i *Installer) check(ctx context.Context, live, wanted *apiextensionsv1.CustomResourceDefinition) error {
	was, will := live.Spec.Versions[0].Schema, wanted.Spec.Versions[0].Schema
	if reflect.DeepEqual(was, will) {
		return nil
	}
	found, err := misfits(was.OpenAPIV3Schema, will.OpenAPIV3Schema, func(each func(*unstructured.Unstructured)) error {
		return i.each(ctx, live, each)
	})
	if err != nil {
		return fmt.Errorf("checking the stored objects of %s: %w", live.Name, err)
	}
	if len(found) > 0 {
		return &HeldError{found}
	}
	return nil
}

// each reads the stored objects of a kind, page by page.
func (i *Installer) each(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition, f func(*unstructured.Unstructured)) error {
	if !Established(crd) {
		return nil
	}
	options := metav1.ListOptions{Limit: page}
	for {
		list, err := i.Objects.Resource(resourceOf(crd)).List(ctx, options)
		if err != nil {
			return fmt.Errorf("listing them: %w", err)
		}
		for n := range list.Items {
			f(&list.Items[n])
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return nil
		}
	}
}

// Served asks the API server for the objects of a definition that it calls established: it
// begins to serve them a moment later.
func (i *Installer) Served(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) (bool, error) {
	_, err := i.Objects.Resource(resourceOf(crd)).List(ctx, metav1.ListOptions{Limit: 1})
	if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for the objects of %s: %w", crd.Name, err)
	}
	return true, nil
}

func resourceOf(crd *apiextensionsv1.CustomResourceDefinition) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: crd.Spec.Group, Version: crd.Spec.Versions[0].Name, Resource: crd.Spec.Names.Plural}
}

// Left names stored objects of a kind, the first few, and says how many there are.
func (i *Installer) Left(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) (names []string, count int, err error) {
	if !Established(crd) {
		return nil, 0, nil
	}
	list, err := i.Objects.Resource(resourceOf(crd)).List(ctx, metav1.ListOptions{Limit: maxObjects})
	if err != nil {
		return nil, 0, fmt.Errorf("listing the objects of %s: %w", crd.Name, err)
	}
	for n := range list.Items {
		names = append(names, list.Items[n].GetNamespace()+"/"+list.Items[n].GetName())
	}
	count = len(names)
	if more := list.GetRemainingItemCount(); more != nil {
		count += int(*more)
	}
	return names, count, nil
}

// Delete removes this very definition.
func (i *Installer) Delete(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	uid := crd.UID
	err := i.Client.Delete(ctx, crd, client.Preconditions{UID: &uid})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting CustomResourceDefinition %s: %w", crd.Name, err)
	}
	return nil
}

// Established says whether the API server serves a definition.
func Established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	return condition(crd, apiextensionsv1.Established) == apiextensionsv1.ConditionTrue
}

// EstablishedAt is when the API server called a definition established, or stopped to.
func EstablishedAt(crd *apiextensionsv1.CustomResourceDefinition) time.Time {
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.Established {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// NamesRefused gives the API server's words about names that something else has.
func NamesRefused(crd *apiextensionsv1.CustomResourceDefinition) string {
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.NamesAccepted && c.Status == apiextensionsv1.ConditionFalse {
			return c.Message
		}
	}
	return ""
}

func condition(crd *apiextensionsv1.CustomResourceDefinition, kind apiextensionsv1.CustomResourceDefinitionConditionType) apiextensionsv1.ConditionStatus {
	for _, c := range crd.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return apiextensionsv1.ConditionUnknown
}

// IsHeld says whether an error is about stored objects that would not fit.
func IsHeld(err error) bool { return errors.As(err, new(*HeldError)) }

// IsForeign says whether an error is about a definition that is not the Framework's.
func IsForeign(err error) bool { return errors.As(err, new(*ForeignError)) }
