// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster gives tests a real API server, with an audit log that tells
// what was asked of it. A package's tests share one:
//
//	func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }
//	func TestX(t *testing.T)    { c := cluster.Get(t) }
package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"kudo.dev/kudo/internal/testing/install"
)

// Cluster is an API server. It runs no controllers: internal/testing/workload plays them.
type Cluster struct {
	// Config is that of an admin, without a limit on the rate of requests.
	Config *rest.Config
	// Client acts as the admin; it knows the kinds of install.Scheme.
	Client client.WithWatch
	// Audit is nil on an existing cluster.
	Audit *Audit

	env   *envtest.Environment
	dir   string
	guard *guard
	// revived programs of the control plane, by name.
	revived map[string]*revived
}

var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Run runs the tests of a package and stops the API server that they started, if any.
func Run(m *testing.M) int {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(code, 1)
		}
	}
	return code
}

// Get returns the API server of the package's tests, or skips the test where there is none.
func Get(t testing.TB) *Cluster {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" && os.Getenv("USE_EXISTING_CLUSTER") != "true" {
		t.Skip("KUBEBUILDER_ASSETS is not set: this test needs an API server (make test-integration)")
	}
	shared.once.Do(func() { shared.cluster, shared.err = Start() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// Start starts an API server, or connects to the existing cluster that the environment
// names by USE_EXISTING_CLUSTER and KUBECONFIG. Feature gates, as Name=false, are those of
// an API server that is started. Call Stop when done.
func Start(gates ...string) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "kudo-test-")
	if err != nil {
		return nil, fmt.Errorf("starting an API server: %w", err)
	}
	c := &Cluster{env: &envtest.Environment{}, dir: dir}
	if len(gates) > 0 {
		c.env.ControlPlane.GetAPIServer().Configure().Set("feature-gates", gates...)
	}
	if err := c.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting an API server: %w", err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) start() error {
	existing := os.Getenv("USE_EXISTING_CLUSTER") == "true"
	if !existing {
		log := filepath.Join(c.dir, "audit.log")
		if err := c.configure(log); err != nil {
			return err
		}
		c.Audit = &Audit{path: log}
		// Data that survive a crash: envtest removes a directory of its own.
		data := filepath.Join(c.dir, "etcd")
		if err := os.Mkdir(data, 0o700); err != nil {
			return fmt.Errorf("making etcd's directory: %w", err)
		}
		c.env.ControlPlane.Etcd = &envtest.Etcd{DataDir: data}
	}
	config, err := c.env.Start()
	if err != nil {
		return err
	}
	if !existing {
		if c.guard, err = newGuard(); err != nil {
			return err
		}
	}
	config.QPS = -1
	c.Config = config
	c.Client, err = install.NewClient(config)
	return err
}

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// configure turns on the audit log and turns off what would only take time.
func (c *Cluster) configure(log string) error {
	policy := filepath.Join(c.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return fmt.Errorf("writing the audit policy: %w", err)
	}
	c.env.ControlPlane.GetAPIServer().Configure().
		Set("audit-policy-file", policy).
		Set("audit-log-path", log).
		// Each request is written before it is answered.
		Set("audit-log-mode", "blocking").
		Set("audit-log-maxsize", "10000"). // MB: readers do not follow a rotation
		// Without it open watches delay the end by up to a minute.
		Set("shutdown-watch-termination-grace-period", "1s")
	return nil
}

// Stop ends the API server and removes its files.
func (c *Cluster) Stop() error {
	err := errors.Join(c.killRevived(), c.env.Stop())
	if c.guard != nil {
		err = errors.Join(err, c.guard.release())
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
