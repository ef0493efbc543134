// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rollout_test runs the commands of the plugin that make, change and remove Instances
// against a real API server with the manager, as an application team would type them.
package rollout_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/cli"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/scene"
)

func TestMain(m *testing.M) { os.Exit(scene.Run(m)) }

// team works in a namespace of its own.
type team struct {
	*testing.T
	w          *scene.World
	ns         string
	kubeconfig string
}

func newTeam(t *testing.T) *team {
	t.Helper()
	n := &team{T: t, ns: scene.Unique("team-")}
	n.w = scene.Get(t, publish)
	n.kubeconfig = filepath.Join(n.w.Dir(), "admin.kubeconfig")
	if err := n.w.Admin().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.ns}}); err != nil {
		t.Fatal(err)
	}
	return n
}

func publish(ctx context.Context, w *scene.World) error {
	raw, err := os.ReadFile("testdata/frameworks.yaml")
	if err != nil {
		return err
	}
	for text := range strings.SplitSeq(string(raw), "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			return err
		}
		if err := w.Admin().Create(ctx, o); err != nil {
			return err
		}
	}
	if raw, err = install.Kubeconfig(w.Cluster.Config); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.Dir(), "admin.kubeconfig"), raw, 0o600)
}

func (n *team) flags() []string {
	return []string{"kubectl-kudo", "--kubeconfig", n.kubeconfig, "-n", n.ns, "--cache-dir", filepath.Join(n.w.Dir(), "cache")}
}

// kudo runs the plugin with an input, and returns its exit code and all that it printed.
func (n *team) kudo(in string, args ...string) (code int, out string) {
	n.Helper()
	var b bytes.Buffer
	all := append(n.flags(), args...)
	code = cli.Main(n.Context(), "test", all, strings.NewReader(in), &b, &b)
	return code, b.String()
}

// says runs the plugin, which must end with a code and say all of these words.
func (n *team) says(code int, words []string, args ...string) string {
	n.Helper()
	got, out := n.kudo("", args...)
	n.Logf("kubectl kudo %s\n%s", strings.Join(args, " "), out)
	if got != code {
		n.Errorf("kubectl kudo %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			n.Errorf("kubectl kudo %s does not say %q:\n%s", strings.Join(args, " "), w, out)
		}
	}
	return out
}

// interrupted runs the plugin until it says some words, interrupts it there, and wants others.
func (n *team) interrupted(at, words string, args ...string) {
	n.Helper()
	ctx, interrupt := context.WithCancel(n.Context())
	defer interrupt()
	out := &tripwire{at: at, trip: interrupt}
	all := append(n.flags(), args...)
	if code := cli.Main(ctx, "test", all, strings.NewReader(""), out, out); code != 1 || !strings.Contains(out.String(), words) {
		n.Errorf("kubectl kudo %s: exit code %d, want 1 and the words %q:\n%s", strings.Join(args, " "), code, words, out.String())
	}
}

// tripwire keeps what is written, and calls trip when the words at are among it.
type tripwire struct {
	bytes.Buffer

	at   string
	trip func()
}

func (w *tripwire) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.at) {
		w.trip()
	}
	return w.Buffer.Write(p)
}

// store deploys an Instance of the framework store that is ready.
func (n *team) store(name string) {
	n.Helper()
	n.says(0, []string{"store/" + name + " is ready"}, "deploy", "store", name, "--service-account", "keeper", "--grant", "--yes", "--wait")
}

func (n *team) exists(o client.Object, name string) bool {
	n.Helper()
	return n.w.Admin().Get(n.Context(), client.ObjectKey{Namespace: n.ns, Name: name}, o) == nil
}

// typedStore names an object of the kind of store.
func typedStore(namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("packages.kudo.dev/v1alpha1")
	o.SetKind("Store")
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}
