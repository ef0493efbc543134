// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"kudo.dev/kudo/hack/devcluster/internal/home"
)

// The sockets are relative to the data directory; etcd insists on a port in their names.
const (
	etcdClientURL = "unix://etcd.sock:0"
	etcdPeerURL   = "unix://etcd-peer.sock:0"
)

type etcdServer struct {
	etcd *embed.Etcd
}

func startEtcd(ctx context.Context, h home.Home) (*etcdServer, error) {
	client, err := url.Parse(etcdClientURL)
	if err != nil {
		return nil, fmt.Errorf("reading etcd's client URL: %w", err)
	}
	peer, err := url.Parse(etcdPeerURL)
	if err != nil {
		return nil, fmt.Errorf("reading etcd's peer URL: %w", err)
	}
	cfg := embed.NewConfig()
	cfg.Dir = h.File("etcd")
	cfg.UnsafeNoFsync = true // a crash of the machine may cost the data, a crash of the process does not
	cfg.LogLevel, cfg.LogOutputs = "error", []string{h.File(home.LogFile)}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, fmt.Errorf("starting etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return &etcdServer{etcd: etcd}, nil
	case <-etcd.Server.StopNotify():
		err = errors.New("it stopped")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	etcd.Close()
	return nil, fmt.Errorf("starting etcd: %w", err)
}

func (e *etcdServer) wait(ctx context.Context) error {
	select {
	case err := <-e.etcd.Err():
		return err
	case <-ctx.Done():
		return nil
	}
}

// stop tells whether etcd has ended within the timeout.
func (e *etcdServer) stop(timeout time.Duration) bool {
	done := make(chan struct{})
	go func() {
		e.etcd.Close()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(timeout):
		return false
	}
}
