// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rollout holds the commands that make, change and remove Instances. Each shows
// first what would happen, by the manager's own rules, and asks.
package rollout

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/graph"
)

// Group is the id of the commands in the help.
const Group = "rollout"

// manager of the fields that these commands write.
const manager = client.FieldOwner("kubectl-kudo")

// Commands are those of this package; names completes those of Instances.
func Commands(env *command.Env, names cobra.CompletionFunc) []*cobra.Command {
	deploy := newDeploy(env)
	all := []*cobra.Command{newPreview(env), newSet(env), newUpgrade(env), newRollback(env), newUninstall(env)}
	for _, c := range all {
		c.ValidArgsFunction = names
	}
	all = append(all, deploy)
	for _, c := range all {
		c.GroupID = Group
	}
	return all
}

// find reads what a name means: an Instance, and the object whose spec people write.
func find(ctx context.Context, env *command.Env, name string) (*session, *v1alpha1.Instance, *unstructured.Unstructured, error) {
	s, err := open(env)
	if err != nil {
		return nil, nil, nil, err
	}
	inst, err := evidence.Find(ctx, s.client, s.namespace, name)
	if err != nil {
		return nil, nil, nil, err //nolint:wrapcheck // it says what it is about
	}
	target, err := s.target(ctx, inst)
	return s, inst, target, err
}

// session is a cluster, and a namespace in it.
type session struct {
	*command.Env

	client    client.WithWatch
	namespace string
	// What many Instances share is read and compiled once.
	versions map[string]*graph.Version
	runs     map[string][]v1alpha1.PlanExecution
}

func open(env *command.Env) (*session, error) {
	namespace, err := env.Namespace()
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it does
	}
	c, err := env.Client()
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it does
	}
	return &session{
		Env: env, client: c, namespace: namespace,
		versions: map[string]*graph.Version{}, runs: map[string][]v1alpha1.PlanExecution{},
	}, nil
}

// version reads and compiles a version of a framework.
func (s *session) version(ctx context.Context, framework, version string) (*graph.Version, error) {
	name := framework + "-" + version
	if known := s.versions[name]; known != nil {
		return known, nil
	}
	fwv := &v1alpha1.FrameworkVersion{}
	err := s.client.Get(ctx, client.ObjectKey{Name: name}, fwv)
	if apierrors.IsNotFound(err) {
		return nil, s.missing(ctx, framework, version)
	}
	if err != nil {
		return nil, unread("the version "+name, err)
	}
	compiled, errs := graph.Compile(&fwv.Spec)
	if len(errs) > 0 {
		return nil, fmt.Errorf("the version %s is not valid: %w", name, errs.ToAggregate())
	}
	s.versions[name] = compiled
	return compiled, nil
}

// unread says what it takes to read what belongs to no namespace.
func unread(what string, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("reading %s: %w. Frameworks belong to the cluster: ask an admin to bind the ClusterRole kudo-view with a ClusterRoleBinding", what, err)
	}
	return evidence.Denied("reading "+what, err) //nolint:wrapcheck // it says what it is about
}

// missing says which versions there are instead; an empty version is the default one.
func (s *session) missing(ctx context.Context, framework, version string) error {
	var list v1alpha1.FrameworkVersionList
	if err := s.client.List(ctx, &list); err != nil {
		return unread("the versions of frameworks", err)
	}
	return instead(list.Items, framework, version)
}

// instead words what to name in place of a version that is not there.
func instead(all []v1alpha1.FrameworkVersion, framework, version string) error {
	const publish = "kubectl kudo package manifests PACKAGE | kubectl apply --server-side -f -"
	var versions []string
	frameworks := map[string]bool{}
	for i := range all {
		frameworks[all[i].Spec.Framework] = true
		if all[i].Spec.Framework == framework {
			versions = append(versions, all[i].Spec.Version)
		}
	}
	there := strings.Join(slices.Sorted(slices.Values(versions)), ", ")
	switch {
	case len(versions) > 0 && version == "":
		return fmt.Errorf("the framework %s has no default version: name one with --version. There are: %s", framework, there)
	case len(versions) > 0:
		return fmt.Errorf("there is no version %s of the framework %s. There are: %s. Publish another with: %s", version, framework, there, publish)
	case len(frameworks) > 0:
		return fmt.Errorf("there is no framework %s. There are: %s. Publish it with: %s", framework, strings.Join(slices.Sorted(maps.Keys(frameworks)), ", "), publish)
	}
	return fmt.Errorf("there is no framework %s, and no other. Publish it with: %s", framework, publish)
}
