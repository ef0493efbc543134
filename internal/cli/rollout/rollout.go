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
	return &session{Env: env, client: c, namespace: namespace}, nil
}

// version reads and compiles a version of a framework.
func (s *session) version(ctx context.Context, framework, version string) (*v1alpha1.FrameworkVersion, *graph.Version, error) {
	fwv := &v1alpha1.FrameworkVersion{}
	name := framework + "-" + version
	err := s.client.Get(ctx, client.ObjectKey{Name: name}, fwv)
	if apierrors.IsNotFound(err) {
		return nil, nil, s.missing(ctx, framework, name)
	}
	if err != nil {
		return nil, nil, evidence.Denied("reading the version "+name, err)
	}
	compiled, errs := graph.Compile(&fwv.Spec)
	if len(errs) > 0 {
		return nil, nil, fmt.Errorf("the version %s is not valid: %w", name, errs.ToAggregate())
	}
	return fwv, compiled, nil
}

// missing says which versions there are instead.
func (s *session) missing(ctx context.Context, framework, name string) error {
	var list v1alpha1.FrameworkVersionList
	if err := s.client.List(ctx, &list); err != nil {
		return evidence.Denied("reading the versions of frameworks", err)
	}
	versions, frameworks := []string{}, map[string]bool{}
	for _, v := range list.Items {
		frameworks[v.Spec.Framework] = true
		if v.Spec.Framework == framework {
			versions = append(versions, v.Spec.Version)
		}
	}
	if len(versions) > 0 {
		return fmt.Errorf("there is no version %s. There are: %v. Publish another with: kubectl kudo package manifests PACKAGE | kubectl apply --server-side -f -", name, versions)
	}
	return fmt.Errorf("there is no version of the framework %s. There are versions of: %v. Publish one with: kubectl kudo package manifests PACKAGE | kubectl apply --server-side -f -",
		framework, slices.Sorted(maps.Keys(frameworks)))
}
