// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/repository"
)

const (
	// Namespace that config/default puts the manager in.
	Namespace = "kudo-system"
	// ServiceAccount of the manager in Namespace.
	ServiceAccount = "kudo-manager"
	// ManagerUser is the name of that account in the API server's eyes.
	ManagerUser = "system:serviceaccount:" + Namespace + ":" + ServiceAccount

	fieldManager = "kudo-install"

	// Informers within the API server follow a write within milliseconds, but nothing
	// tells when: what they know is asked for at this pace.
	interval = 20 * time.Millisecond
	timeout  = 30 * time.Second
)

// Scheme knows the kinds of Kubernetes, of CustomResourceDefinitions and of Kudo.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(apiextensionsv1.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// NewClient returns a client that can watch, for the kinds of Scheme.
func NewClient(config *rest.Config) (client.WithWatch, error) {
	c, err := client.NewWithWatch(config, client.Options{Scheme: Scheme()})
	if err != nil {
		return nil, fmt.Errorf("connecting to the API server: %w", err)
	}
	return c, nil
}

// Install applies everything that Kudo needs, server-side and as the given admin, with
// the webhooks called on the given port of loopback. It returns the number of objects
// once the CRDs are served and the manager's rights are in force.
func Install(ctx context.Context, admin client.Client, webhookPort int) (int, error) {
	root, err := repository.Root()
	if err != nil {
		return 0, err
	}
	return From(ctx, admin, root, webhookPort)
}

// From installs Kudo from another source tree, as Install does.
func From(ctx context.Context, admin client.Client, root string, webhookPort int) (int, error) {
	objects, err := ManifestsFrom(root, webhookPort)
	if err != nil {
		return 0, err
	}
	for _, o := range objects {
		if err := Apply(ctx, admin, o); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for _, o := range objects {
		if o.GetKind() == "CustomResourceDefinition" {
			if err := awaitEstablished(ctx, admin, o.GetName()); err != nil {
				return 0, err
			}
		}
	}
	return len(objects), awaitManagerRights(ctx, admin, objects)
}

// Apply applies an object server-side, as an admin who means it.
func Apply(ctx context.Context, admin client.Client, o *unstructured.Unstructured) error {
	body := client.ApplyConfigurationFromUnstructured(o.DeepCopy())
	if err := admin.Apply(ctx, body, client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("applying %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

func awaitEstablished(ctx context.Context, c client.Client, name string) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := poll(ctx, func(ctx context.Context) (bool, error) {
		if err := c.Get(ctx, client.ObjectKey{Name: name}, crd); err != nil {
			return false, err
		}
		for _, condition := range crd.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("waiting until the CRD %s is established: %w", name, err)
	}
	return nil
}

// AwaitWebhooks waits until the API server reaches the webhooks of a manager that has
// just started: it learns of their certificate a moment after the manager is ready.
func AwaitWebhooks(ctx context.Context, admin client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last error
	err := poll(ctx, func(ctx context.Context) (bool, error) {
		probe := &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{GenerateName: "webhooks-"}}
		last = admin.Create(ctx, probe, client.DryRunAll)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the webhooks: %w", errors.Join(err, last))
	}
	return nil
}

func poll(ctx context.Context, condition wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextCancel(ctx, interval, true, condition)
}
