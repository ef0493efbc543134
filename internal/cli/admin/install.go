// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/preflight"
)

// manager of the fields that these commands write.
const manager = client.FieldOwner("kubectl-kudo")

// What config/default calls its Deployment.
const (
	namespace  = "kudo-system"
	deployment = "kudo-manager"
)

// installation is the command install.
type installation struct {
	image      string
	certs      bool
	components []string
	dryRun     bool
	force      bool
	wait       bool
	timeout    time.Duration
	confirm    command.Confirmation
}

func newInstall(env *command.Env, version string) *cobra.Command {
	i := &installation{}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install Kudo itself, or bring it up to date",
		Long: "Applies the manifests of this release: definitions, roles, webhooks, policies and the manager.\n" +
			"The same as `kustomize build config/default | kubectl apply --server-side -f -`. Instances and\n" +
			"their pods are not touched. --dry-run prints the manifests and changes nothing.",
		Example: "  kubectl kudo install --dry-run > kudo.yaml\n  kubectl kudo install --image registry.example.com/kudo/manager:1.0.0",
		Args:    command.Args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return i.run(cmd.Context(), env) },
	}
	cmd.Flags().StringVar(&i.image, "image", image+":"+version, "Image of the manager")
	cmd.Flags().BoolVar(&i.certs, "cert-manager", false, "Let cert-manager make the certificates of the webhooks")
	cmd.Flags().StringSliceVar(&i.components, "component", nil, "Add a component: "+strings.Join(known(), ", ")+". May be repeated")
	cmd.Flags().BoolVar(&i.dryRun, "dry-run", false, "Print the manifests and change nothing")
	cmd.Flags().BoolVar(&i.force, "force-conflicts", false, "Take over fields that others have set")
	cmd.Flags().BoolVar(&i.wait, "wait", true, "Wait until the manager is available")
	cmd.Flags().DurationVar(&i.timeout, "timeout", 3*time.Minute, "How long to wait")
	i.confirm.AddFlags(cmd)
	return cmd
}

func (i *installation) run(ctx context.Context, env *command.Env) error {
	overlay := ""
	if i.certs {
		overlay = "certmanager"
	}
	objects, err := manifests(overlay, i.image, i.components)
	if err != nil {
		return err
	}
	if i.dryRun {
		return show(env, objects)
	}
	c, err := env.Client()
	if err != nil {
		return err //nolint:wrapcheck // it says what it does
	}
	if err := foreign(ctx, c); err != nil {
		return err
	}
	env.Printf("%s\n", summary(objects, i.image))
	if err := i.confirm.Confirm(ctx, env, "Install Kudo?"); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	for _, o := range objects {
		if err := i.apply(ctx, env, c, o); err != nil {
			return err
		}
	}
	return i.settle(ctx, env, c)
}

func show(env *command.Env, objects []*unstructured.Unstructured) error {
	for _, o := range objects {
		raw, err := yaml.Marshal(o.Object)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", title(o), err)
		}
		env.Printf("---\n%s", raw)
	}
	return nil
}

func summary(objects []*unstructured.Unstructured, image string) string {
	counts, order := map[string]int{}, []string{}
	for _, o := range objects {
		if counts[o.GetKind()]++; counts[o.GetKind()] == 1 {
			order = append(order, o.GetKind())
		}
	}
	parts := make([]string, 0, len(order))
	for _, kind := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return "Kudo, image " + image + ": " + strings.Join(parts, ", ")
}

// foreign says whether KUDO 0.x stands where Kudo would.
func foreign(ctx context.Context, c client.Reader) error {
	err := preflight.Check(ctx, c)
	if err == nil || errors.Is(err, preflight.ErrMissing) {
		return nil
	}
	return evidence.Denied("looking at what is installed", err) //nolint:wrapcheck // it says what it does
}

// apply sends an object by server-side apply. Right after a definition or namespace was
// made, what needs it may be refused for a moment.
func (i *installation) apply(ctx context.Context, env *command.Env, c client.Client, o *unstructured.Unstructured) error {
	options := []client.ApplyOption{manager}
	if i.force {
		options = append(options, client.ForceOwnership)
	}
	const tries, pause = 10, 500 * time.Millisecond
	err := error(nil)
	for range tries {
		if err = c.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), options...); err == nil {
			env.Printf("%s is applied\n", title(o))
			return nil
		}
		if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			break
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	if apierrors.IsConflict(err) {
		return fmt.Errorf("applying %s: %w. Take these fields over with --force-conflicts, or let their manager go on", title(o), err)
	}
	return evidence.Denied("applying "+title(o), err) //nolint:wrapcheck // it says what it is about
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	case <-time.After(d):
		return nil
	}
}

func title(o *unstructured.Unstructured) string { return command.Title(o.GetKind(), o.GetName()) }

// settle waits until the manager is available.
func (i *installation) settle(ctx context.Context, env *command.Env, c client.Client) error {
	if !i.wait {
		return nil
	}
	last := "no status yet"
	err := wait.PollUntilContextTimeout(ctx, time.Second, i.timeout, true, func(ctx context.Context) (bool, error) {
		d := &appsv1.Deployment{}
		if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: deployment}, d); err != nil {
			return false, evidence.Denied("reading the Deployment of the manager", err)
		}
		for _, condition := range d.Status.Conditions {
			if condition.Type == appsv1.DeploymentAvailable {
				last = condition.Message
				return condition.Status == corev1.ConditionTrue && d.Status.ObservedGeneration >= d.Generation, nil
			}
		}
		return false, nil
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("the manager is not available after %s: %s. Why: kubectl -n %s describe deployment %s; kubectl -n %s get pods", i.timeout, last, namespace, deployment, namespace)
	}
	if err == nil {
		env.Printf("Kudo is installed. Publish a framework with: kubectl kudo package manifests PACKAGE | kubectl apply --server-side -f -\n")
	}
	return err //nolint:wrapcheck // it says what it is about
}
