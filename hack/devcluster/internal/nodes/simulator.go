// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/client"
)

const (
	podRange = "10.250.0.0/16"
	// leaseSeconds must be well below the controller manager's grace period, or nodes flap.
	leaseSeconds = 8
)

// Simulate plays the kubelets of the simulated nodes until the context ends.
func Simulate(ctx context.Context, kubeconfig string, logs io.Writer) error {
	ctx = kwoklog.NewContext(ctx, kwoklog.NewLogger(logs, slog.LevelWarn))
	cfg, err := simulatorConfig(kubeconfig)
	if err != nil {
		return fmt.Errorf("making clients: %w", err)
	}
	if cfg.LocalStages, err = loadStages(); err != nil {
		return err
	}
	c, err := controllers.NewController(cfg)
	if err != nil {
		return fmt.Errorf("making the simulator: %w", err)
	}
	if err := c.Start(ctx); err != nil {
		return fmt.Errorf("starting the simulator: %w", err)
	}
	<-ctx.Done()
	return nil
}

// simulatorConfig names every number, because the library has no defaults for them.
func simulatorConfig(kubeconfig string) (controllers.Config, error) {
	cfg := controllers.Config{
		Clock: clock.RealClock{}, ManageNodesWithLabelSelector: onLabel + "=" + onValue, ID: "devcluster",
		CIDR: podRange, NodeIP: "127.0.0.1",
		NodeLeaseDurationSeconds: leaseSeconds, NodeLeaseParallelism: 4, NodePlayStageParallelism: 4,
		PodPlayStageParallelism: 16, PodsOnNodeSyncParallelism: 4,
	}
	set, err := client.NewClientset("", kubeconfig)
	if err != nil {
		return cfg, err
	}
	restConfig, err := set.ToRESTConfig()
	if err != nil {
		return cfg, err
	}
	cfg.ImpersonatingDynamicClient, cfg.ImpersonatingTypedClient = set.ToImpersonatingDynamicClient(), set.ToImpersonatingTypedClient()
	if cfg.DynamicClient, err = set.ToDynamicClient(); err != nil {
		return cfg, err
	}
	if cfg.RESTMapper, err = set.ToRESTMapper(); err != nil {
		return cfg, err
	}
	if cfg.RESTClient, err = rest.RESTClientFor(restConfig); err != nil {
		return cfg, err
	}
	if cfg.TypedClient, err = kubernetes.NewForConfig(restConfig); err != nil {
		return cfg, err
	}
	cfg.TypedKwokClient, err = versioned.NewForConfig(restConfig)
	return cfg, err
}
