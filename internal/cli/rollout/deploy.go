// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/graph"
)

// deployment is the command deploy.
type deployment struct {
	change

	framework, name string
	account         string
	grant, only     bool
	instance        bool
}

func newDeploy(env *command.Env) *cobra.Command {
	d := &deployment{}
	cmd := &cobra.Command{
		Use:   "deploy FRAMEWORK NAME",
		Short: "Make an Instance of a framework",
		Long: "Makes an object of the framework's own kind, or an Instance where it has none, after showing what\n" +
			"would be made. Its objects are applied as the ServiceAccount that --service-account names.\n" +
			"--grant makes that account with the rights that the version needs, and lets Kudo use them in\n" +
			"this namespace; you need these rights yourself. --grant-only is for an admin who does this for\n" +
			"somebody else.",
		Example: "  kubectl kudo deploy zookeeper main --service-account zookeeper --set nodeCount=3 --wait\n" +
			"  kubectl kudo deploy zookeeper main --service-account zookeeper --grant",
		Args:              command.Args(2, 2),
		ValidArgsFunction: completeFrameworks(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.framework, d.name = args[0], args[1]
			return d.run(cmd.Context(), env)
		},
	}
	d.addFlags(cmd)
	cmd.Flags().StringVar(&d.version, "version", "", "Version of the framework (default that of the Framework)")
	cmd.Flags().StringVar(&d.account, "service-account", "", "ServiceAccount that its objects are applied as (required)")
	cmd.Flags().BoolVar(&d.grant, "grant", false, "Make the account and its rights too")
	cmd.Flags().BoolVar(&d.only, "grant-only", false, "Make the account and its rights, and nothing else")
	cmd.Flags().BoolVar(&d.instance, "instance", false, "Make an Instance, also where the framework has a kind of its own")
	cmd.MarkFlagsMutuallyExclusive("grant", "grant-only")
	return cmd
}

func (d *deployment) run(ctx context.Context, env *command.Env) error {
	if d.account == "" {
		return command.Misuse("--service-account is missing: name the account that the objects are applied as; --grant makes it")
	}
	s, err := open(env)
	if err != nil {
		return err
	}
	fw, err := d.published(ctx, s)
	if err != nil {
		return err
	}
	if d.version = cmp.Or(d.version, fw.Spec.DefaultVersion, fw.Status.DefaultVersion); d.version == "" {
		return s.missing(ctx, d.framework, "")
	}
	version, err := s.version(ctx, d.framework, d.version)
	if err != nil {
		return err
	}
	var r rights
	if d.grant || d.only {
		if r, err = s.rights(ctx, version, d); err != nil {
			return err
		}
	}
	if d.only {
		return d.prepare(ctx, s, &r)
	}
	return d.make(ctx, s, fw, version, &r)
}

// published reads the Framework, empty if there is none. One that was just published gets its
// kind in a moment: without it, what is made would be an Instance that nobody asked for.
func (d *deployment) published(ctx context.Context, s *session) (*v1alpha1.Framework, error) {
	const pause, patience = 500 * time.Millisecond, 15 * time.Second
	var fw *v1alpha1.Framework
	err := wait.PollUntilContextTimeout(ctx, pause, patience, true, func(ctx context.Context) (bool, error) {
		fw = &v1alpha1.Framework{}
		err := s.client.Get(ctx, client.ObjectKey{Name: d.framework}, fw)
		if err != nil && !apierrors.IsNotFound(err) {
			return false, unread("the Framework "+d.framework, err)
		}
		return err != nil || d.instance || d.only || s.kindIsKnown(fw), nil //nolint:nilerr // there is none: that is an answer
	})
	if err == nil || !wait.Interrupted(err) || ctx.Err() != nil {
		return fw, err //nolint:wrapcheck // it says what it is about
	}
	why := "the manager has not looked at it. Is it running? kubectl get pods --all-namespaces -l app.kubernetes.io/name=kudo"
	if ready := meta.FindStatusCondition(fw.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		why = ready.Reason + ": " + ready.Message
	}
	return nil, fmt.Errorf("the framework %s has no kind yet: %s. --instance makes an Instance without it", d.framework, why)
}

// kindIsKnown says whether it has been decided which kind a Framework has, if any, and whether
// the API server says so to everybody.
func (s *session) kindIsKnown(fw *v1alpha1.Framework) bool {
	kind := fw.Status.Generated
	if kind == nil {
		return meta.IsStatusConditionTrue(fw.Status.Conditions, v1alpha1.ConditionStalled)
	}
	gvk := schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind)
	_, err := s.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		meta.MaybeResetRESTMapper(s.client.RESTMapper()) // it looks at the cluster once only
		return false
	}
	return true
}

// prepare makes the account and its rights alone.
func (d *deployment) prepare(ctx context.Context, s *session, r *rights) error {
	r.show(s)
	if err := d.confirm.Confirm(ctx, s.Env, "Make the account %s in the namespace %s, with these rights?", d.account, s.namespace); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	return r.apply(ctx, s)
}

func (d *deployment) make(ctx context.Context, s *session, fw *v1alpha1.Framework, version *graph.Version, r *rights) error {
	target, p, err := d.propose(ctx, s, fw, version)
	if err != nil {
		return err
	}
	// The API server, its policies and the webhooks have the last word: asked before the person is.
	if err := s.client.Create(ctx, target.DeepCopy(), client.DryRunAll, manager); err != nil {
		return refused("making", titleOf(target), err)
	}
	s.show(p, false)
	r.show(s)
	if err := d.confirm.Confirm(ctx, s.Env, "Make %s in the namespace %s?", titleOf(target), s.namespace); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	if err := r.apply(ctx, s); err != nil {
		return err
	}
	if err := s.client.Create(ctx, target, manager); err != nil {
		return refused("making", titleOf(target), err)
	}
	s.Printf("%s is made\n", titleOf(target))
	return d.waiting.settle(ctx, s, target)
}

// propose is what would be made, and what would follow.
func (d *deployment) propose(ctx context.Context, s *session, fw *v1alpha1.Framework, version *graph.Version) (*unstructured.Unstructured, *prediction, error) {
	given, err := d.set.Parse(s.In, version.Params)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it names the flag
	}
	inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: d.name}}
	target := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"serviceAccountName": d.account}}}
	target.SetNamespace(s.namespace)
	target.SetName(d.name)
	if kind := fw.Status.Generated; kind != nil && !d.instance {
		target.SetAPIVersion(kind.APIVersion)
		target.SetKind(kind.Kind)
		inst.Name = crdgen.InstanceName(kind.Singular, d.name)
		inst.Annotations = map[string]string{v1alpha1.AnnotationTypedName: d.name}
	} else {
		target.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Instance"))
		err = unstructured.SetNestedField(target.Object, version.Spec.Framework, "spec", "framework")
	}
	if err == nil {
		err = edit(target, version.Spec.Version, given)
	}
	if err == nil {
		inst.Spec, err = specOf(target, version.Spec.Framework)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("making the spec: %w", err)
	}
	p, err := s.predict(ctx, inst, version)
	return target, p, err
}

// completeFrameworks completes the first argument.
func completeFrameworks(env *command.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		const patience = 3 * time.Second
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		var list v1alpha1.FrameworkList
		s, err := open(env)
		if err != nil || len(args) > 0 || s.client.List(ctx, &list) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for i := range list.Items {
			if strings.HasPrefix(list.Items[i].Name, word) {
				out = append(out, list.Items[i].Name)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
