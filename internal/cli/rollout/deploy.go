// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/values"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/graph"
)

// deployment is the command deploy.
type deployment struct {
	change

	account  string
	grant    bool
	instance bool
}

func newDeploy(env *command.Env) *cobra.Command {
	d := &deployment{}
	cmd := &cobra.Command{
		Use:   "deploy FRAMEWORK NAME",
		Short: "Make an Instance of a framework",
		Long: "Makes an object of the framework's own kind, or an Instance where it has none, after showing what\n" +
			"would be made. Its objects are applied as the ServiceAccount that --service-account names.\n" +
			"--grant makes that account with exactly the rights that the version needs, and lets Kudo act as\n" +
			"it in this namespace; you need these rights yourself.",
		Example: "  kubectl kudo deploy zookeeper main --service-account zookeeper --set nodeCount=3 --wait\n" +
			"  kubectl kudo deploy zookeeper main --service-account zookeeper --grant",
		Args: command.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.run(cmd.Context(), env, args[0], args[1])
		},
	}
	d.addFlags(cmd)
	cmd.Flags().StringVar(&d.version, "version", "", "Version of the framework (default that of the Framework)")
	cmd.Flags().StringVar(&d.account, "service-account", "", "ServiceAccount that its objects are applied as (required)")
	cmd.Flags().BoolVar(&d.grant, "grant", false, "Make the account and its rights")
	cmd.Flags().BoolVar(&d.instance, "instance", false, "Make an Instance, also where the framework has a kind of its own")
	return cmd
}

func (d *deployment) run(ctx context.Context, env *command.Env, framework, name string) error {
	if d.account == "" {
		return command.Misuse("--service-account is missing: name the account that the objects are applied as; --grant makes it")
	}
	s, err := open(env)
	if err != nil {
		return err
	}
	fw := &v1alpha1.Framework{}
	if err := s.client.Get(ctx, client.ObjectKey{Name: framework}, fw); err != nil && !apierrors.IsNotFound(err) {
		return evidence.Denied("reading the Framework "+framework, err) //nolint:wrapcheck // it says what it is about
	}
	if d.version == "" {
		d.version = fw.Status.DefaultVersion
	}
	fwv, version, err := s.version(ctx, framework, d.version)
	if err != nil {
		return err
	}
	target, err := d.propose(ctx, s, fw, version, name)
	if err != nil {
		return err
	}
	if err := d.confirm.Confirm(s.Env, "Make %s in the namespace %s?", titleOf(target), s.namespace); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	if d.grant {
		if err := s.grant(ctx, d.account, fwv); err != nil {
			return err
		}
	}
	if err := s.client.Create(ctx, target, manager); err != nil {
		return refused(titleOf(target), err)
	}
	s.Printf("%s is made\n", titleOf(target))
	return d.waiting.settle(ctx, s, target)
}

// propose shows what would be made.
func (d *deployment) propose(ctx context.Context, s *session, fw *v1alpha1.Framework, version *graph.Version, name string) (*unstructured.Unstructured, error) {
	given, err := d.set.Parse(s.In, version.Params)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the flag
	}
	inst := &v1alpha1.Instance{}
	inst.Namespace, inst.Name = s.namespace, name
	inst.Spec = v1alpha1.InstanceSpec{
		Framework: version.Spec.Framework, Version: version.Spec.Version,
		ServiceAccountName: d.account, Parameters: values.Merge(nil, given),
	}
	target := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"serviceAccountName": d.account}}}
	target.SetNamespace(s.namespace)
	target.SetName(name)
	if kind := fw.Status.Generated; kind != nil && !d.instance {
		target.SetAPIVersion(kind.APIVersion)
		target.SetKind(kind.Kind)
		inst.Name = crdgen.InstanceName(kind.Singular, name)
		inst.Annotations = map[string]string{v1alpha1.AnnotationTypedName: name}
	} else {
		target.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Instance"))
		err = unstructured.SetNestedField(target.Object, version.Spec.Framework, "spec", "framework")
	}
	if err == nil {
		err = write(target, inst.Spec.Version, inst.Spec.Parameters)
	}
	if err != nil {
		return nil, fmt.Errorf("making the spec: %w", err)
	}
	p, err := s.predict(ctx, inst, version)
	if err != nil {
		return nil, err
	}
	s.show(p, false)
	return target, nil
}
