// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs etcd, the API server, the controller manager and the scheduler inside this process.
package controlplane

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kudo.dev/kudo/hack/devcluster/internal/access"
	"kudo.dev/kudo/hack/devcluster/internal/group"
	"kudo.dev/kudo/hack/devcluster/internal/home"
)

const (
	controllersStopTimeout = 5 * time.Second
	apiserverStopTimeout   = 4 * time.Second
	etcdStopTimeout        = 2 * time.Second
)

// Config says how the control plane is to run. The process's working directory must be Home: etcd's sockets are
// relative, because the path of a socket may be only 107 bytes long.
type Config struct {
	Home          home.Home
	Listener      *net.TCPListener
	Access        access.Files
	AuditLog      string
	APIServerArgs []string
	Log           *log.Logger
}

// Plane is a running control plane.
type Plane struct {
	etcd        *etcdServer
	apiserver   *group.Group
	controllers *group.Group
	log         *log.Logger
}

// Start returns once the API server is ready; the controller manager and the scheduler are starting then. A part that
// ends by itself later is reported on failed.
func Start(ctx context.Context, cfg Config, failed chan error) (*Plane, error) {
	opts, err := newOptions(cfg)
	if err != nil {
		return nil, err
	}
	etcd, err := startEtcd(ctx, cfg.Home)
	if err != nil {
		return nil, err
	}
	cfg.Log.Print("etcd is ready")
	p := &Plane{etcd: etcd, apiserver: group.New(failed), controllers: group.New(failed), log: cfg.Log}
	p.apiserver.Go("etcd", etcd.wait)
	p.apiserver.Go("kube-apiserver", opts.runAPIServer)
	if err := waitReady(ctx, cfg.Access.Devcluster, failed); err != nil {
		p.Stop()
		return nil, err
	}
	cfg.Log.Print("the API server is ready")
	p.controllers.Go("kube-controller-manager", opts.runControllerManager)
	p.controllers.Go("kube-scheduler", opts.runScheduler)
	p.controllers.Go("garbage collector", func(ctx context.Context) error { return runCollector(ctx, cfg.Access.Devcluster) })
	return p, nil
}

// Stop ends the parts in order: clients, API server, etcd.
func (p *Plane) Stop() {
	if !p.controllers.Stop(controllersStopTimeout) {
		p.log.Print("controllers did not stop in time")
	}
	if !p.apiserver.Stop(apiserverStopTimeout) {
		p.log.Print("the API server did not stop in time")
	}
	if !p.etcd.stop(etcdStopTimeout) {
		p.log.Print("etcd did not stop in time") // it waits for an API server that still runs; its data is safe
	}
}

func waitReady(ctx context.Context, kubeconfig string, failed <-chan error) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	for {
		body, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil && string(body) == "ok" {
			return nil
		}
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("waiting for the API server: %w", context.Cause(ctx))
		case <-time.After(30 * time.Millisecond):
		}
	}
}
