// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package budget counts what Kudo asks of the API server, from the API server's own
// audit log: the manager's requests and those that it makes as an Instance's account.
package budget

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/repository"
	"kudo.dev/kudo/internal/testing/workload"
)

func TestMain(m *testing.M) {
	code := cluster.Run(m)
	if scratch != "" {
		_ = os.RemoveAll(scratch)
	}
	os.Exit(code)
}

// scratch is where the manager is built.
var scratch string

const (
	patience = 30 * time.Second
	// quiet is how long nothing may follow until an operation counts as over.
	quiet   = time.Second
	account = "deployer"
)

// built is the manager of this source tree.
var built = sync.OnceValues(func() (string, error) {
	root, err := repository.Root()
	if err != nil {
		return "", err
	}
	if scratch, err = os.MkdirTemp("", "kudo-budget-"); err != nil {
		return "", err
	}
	binary := filepath.Join(scratch, "manager")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New(err.Error() + ": " + string(out))
	}
	return binary, nil
})

// world is an API server with a manager, a player of workloads and published frameworks.
type world struct {
	t       *testing.T
	cluster *cluster.Cluster
	options manager.Options
	process *manager.Process
}

func newWorld(t *testing.T, args ...string) *world {
	t.Helper()
	c := cluster.Get(t)
	if c.Audit == nil {
		t.Skip("requests are counted in the audit log of an API server of its own")
	}
	w := &world{t: t, cluster: c}
	binary, err := built()
	w.must(err)
	port, err := manager.FreePort()
	w.must(err)
	_, err = install.Install(t.Context(), c.Client, port)
	w.must(err)
	player, err := workload.Start(context.WithoutCancel(t.Context()), c.Config)
	w.must(err)
	t.Cleanup(func() { w.must(player.Stop()) })
	config, err := install.ManagerConfig(t.Context(), c.Config)
	w.must(err)
	raw, err := install.Kubeconfig(config)
	w.must(err)
	dir := t.TempDir()
	w.options = manager.Options{
		Binary: binary, Kubeconfig: filepath.Join(dir, "kubeconfig"), Log: filepath.Join(dir, "manager.log"),
		WebhookPort: port, Args: args,
	}
	w.must(os.WriteFile(w.options.Kubeconfig, raw, 0o600))
	t.Cleanup(func() {
		if w.process != nil {
			w.must(w.process.Stop())
		}
	})
	w.start()
	w.must(install.AwaitWebhooks(t.Context(), c.Client))
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() {
	w.t.Helper()
	var err error
	w.process, err = manager.Start(w.t.Context(), w.options)
	w.must(err)
}

// publish applies a framework and returns the rules that each of its versions reports.
func (w *world) publish(versions []string, path ...string) map[string][]rbacv1.PolicyRule {
	w.t.Helper()
	file, err := repository.Path(path...)
	w.must(err)
	raw, err := os.ReadFile(file)
	w.must(err)
	for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
		o := &unstructured.Unstructured{}
		if err := d.Decode(o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			w.t.Fatal(err)
		}
		w.must(install.Apply(w.t.Context(), w.cluster.Client, o))
	}
	rules := map[string][]rbacv1.PolicyRule{}
	w.follow(&v1alpha1.FrameworkVersionList{}, "", func(e watch.Event) bool {
		fwv, ok := e.Object.(*v1alpha1.FrameworkVersion)
		if ok && slices.Contains(versions, fwv.Name) && meta.IsStatusConditionTrue(fwv.Status.Conditions, v1alpha1.ConditionReady) {
			rules[fwv.Name] = fwv.Status.Rules
		}
		return len(rules) == len(versions)
	})
	// The kind of the framework is served: what that took is not part of what is measured.
	name, _, _ := strings.Cut(versions[0], "-")
	w.follow(&v1alpha1.FrameworkList{}, "", func(e watch.Event) bool {
		fw, ok := e.Object.(*v1alpha1.Framework)
		return ok && fw.Name == name && meta.IsStatusConditionTrue(fw.Status.Conditions, v1alpha1.ConditionReady)
	})
	return rules
}

func (w *world) tenant(namespace string, rules []rbacv1.PolicyRule) {
	w.t.Helper()
	w.must(install.Tenant{Namespace: namespace, Account: account, Rules: rules}.Apply(w.t.Context(), w.cluster.Client))
}

// follow watches objects, those that are there first, until the condition holds.
func (w *world) follow(list client.ObjectList, namespace string, until func(watch.Event) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	events, err := w.cluster.Client.Watch(ctx, list, client.InNamespace(namespace))
	w.must(err)
	defer events.Stop()
	var last any
	for e := range events.ResultChan() {
		if until(e) {
			return
		}
		last = e.Object
	}
	w.t.Fatalf("waited in vain; last seen: %+v", last)
}

func instance(namespace, name, framework, version string) *v1alpha1.Instance {
	return &v1alpha1.Instance{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.InstanceSpec{Framework: framework, Version: version, ServiceAccountName: account},
	}
}

// roll creates or changes an Instance and waits until that is rolled out.
func (w *world) roll(inst *v1alpha1.Instance, edit func(*v1alpha1.InstanceSpec)) {
	w.t.Helper()
	generation := int64(0)
	if edit == nil {
		w.must(w.cluster.Client.Create(w.t.Context(), inst))
	} else {
		w.must(w.cluster.Client.Get(w.t.Context(), client.ObjectKeyFromObject(inst), inst))
		base := inst.DeepCopy()
		edit(&inst.Spec)
		w.must(w.cluster.Client.Patch(w.t.Context(), inst, client.MergeFrom(base)))
		generation = base.Generation
	}
	w.follow(&v1alpha1.InstanceList{}, inst.Namespace, func(e watch.Event) bool {
		now, ok := e.Object.(*v1alpha1.Instance)
		return ok && now.Name == inst.Name && now.Generation > generation && now.Status.ObservedGeneration == now.Generation &&
			now.Status.Active == nil && meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionReady)
	})
}

// remove deletes an Instance and waits until it is gone.
func (w *world) remove(inst *v1alpha1.Instance) {
	w.t.Helper()
	deleted := false
	w.follow(&v1alpha1.InstanceList{}, inst.Namespace, func(e watch.Event) bool {
		now, ok := e.Object.(*v1alpha1.Instance)
		if !ok || now.Name != inst.Name {
			return false
		}
		if !deleted { // only now that the watch is open
			deleted = true
			w.must(w.cluster.Client.Delete(w.t.Context(), now))
		}
		return e.Type == watch.Deleted
	})
}

// requests are those of the manager while something happened, and for a while after it.
func (w *world) requests(do func()) []cluster.Request {
	w.t.Helper()
	from, err := w.cluster.Audit.Now()
	w.must(err)
	do()
	time.Sleep(quiet)
	requests, err := w.cluster.Audit.Since(from)
	w.must(err)
	return cluster.By(install.ManagerUser, requests)
}
