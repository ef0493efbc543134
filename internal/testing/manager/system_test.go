// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package manager_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/repository"
	"kudo.dev/kudo/internal/testing/workload"
)

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }

// prepare installs Kudo and returns how to run its manager.
func prepare(t *testing.T, c *cluster.Cluster) manager.Options {
	t.Helper()
	dir := t.TempDir()
	binary, err := manager.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	port, err := manager.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := install.Install(t.Context(), c.Client, port); err != nil {
		t.Fatal(err)
	}
	config, err := install.ManagerConfig(t.Context(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return manager.Options{Binary: binary, Kubeconfig: kubeconfig, Log: filepath.Join(dir, "log"), WebhookPort: port}
}

// TestReadyWithoutWebhooks: a Deployment whose pods answer no probe never rolls out.
func TestReadyWithoutWebhooks(t *testing.T) {
	o := prepare(t, cluster.Get(t))
	o.Args = append(o.Args, "--webhooks=false")
	p, err := manager.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
}

func run(t *testing.T, c *cluster.Cluster, o manager.Options) *manager.Process {
	t.Helper()
	p, err := manager.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			tail, _ := p.LogTail(20)
			t.Log(tail)
		}
		_ = p.Kill()
	})
	if err := install.AwaitWebhooks(t.Context(), c.Client); err != nil {
		t.Fatal(err)
	}
	return p
}

// publish makes ZooKeeper and a tenant with the rules that it needs.
func publish(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	dir, err := repository.Path("frameworks", "zookeeper")
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Load(os.DirFS(dir), "3.8.4")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []client.Object{p.Framework, p.Version} {
		if err := c.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	var rules []rbacv1.PolicyRule
	eventually(t, "the version is ready", func(ctx context.Context) (bool, error) {
		err := c.Client.Get(ctx, client.ObjectKeyFromObject(p.Version), p.Version)
		rules = p.Version.Status.Rules
		return meta.IsStatusConditionTrue(p.Version.Status.Conditions, v1alpha1.ConditionReady), err
	})
	if err := (install.Tenant{Namespace: "system-test", Account: "zk", Rules: rules}).Apply(t.Context(), c.Client); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, ok); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// TestAWholeLife shows that all parts of this machinery fit together: the manager under
// its own roles, killed and started again, deploys on an API server whose controllers
// are played, and cleans up.
func TestAWholeLife(t *testing.T) {
	c := cluster.Get(t)
	o := prepare(t, c)
	player, err := workload.Start(context.Background(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := player.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := run(t, c, o).Kill(); err != nil {
		t.Fatal(err)
	}
	p := run(t, c, o)
	publish(t, c)

	inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: "system-test", Name: "zk"}}
	inst.Spec = v1alpha1.InstanceSpec{Framework: "zookeeper", Version: "3.8.4", ServiceAccountName: "zk"}
	one, err := json.Marshal(1)
	if err != nil {
		t.Fatal(err)
	}
	inst.Spec.Parameters = map[string]apiextensionsv1.JSON{"nodeCount": {Raw: one}}
	if err := c.Client.Create(t.Context(), inst); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Instance is ready", func(ctx context.Context) (bool, error) {
		err := c.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst)
		return meta.IsStatusConditionTrue(inst.Status.Conditions, v1alpha1.ConditionReady), err
	})
	if jobs := player.Jobs(); len(jobs) != 1 || jobs[0].Attempt != "1" || jobs[0].Execution == "" {
		t.Errorf("jobs %+v, want one of the first attempt", jobs)
	}
	if err := c.Client.Delete(t.Context(), inst); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Instance is gone, with its executions", func(ctx context.Context) (bool, error) {
		var left v1alpha1.PlanExecutionList
		err := c.Client.List(ctx, &left, client.InNamespace("system-test"))
		gone := c.Client.Get(ctx, client.ObjectKeyFromObject(inst), inst) != nil
		return gone && len(left.Items) == 0, err
	})
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
