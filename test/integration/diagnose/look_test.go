// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/workload"
)

const crashing = `{"phase":"Running","containerStatuses":[{"name":"main","image":"busybox","imageID":"","containerID":"x://2","ready":false,"restartCount":3,
	"state":{"waiting":{"reason":"CrashLoopBackOff","message":"leaked by the program"}},
	"lastState":{"terminated":{"exitCode":3,"reason":"Error","message":"leaked by the program","containerID":"x://1"}}}]}`

// sick has a pod that crashes, on a node whose kubelet gives its log.
func sick(t *testing.T, more ...string) *ward {
	t.Helper()
	n := newWard(t)
	n.w.Kubelet(t, n.ns, "the disk is full")
	n.instance("set", more...)
	set := n.awaitSet()
	n.pod(set, "StatefulSet", "app: set", "nodeName: "+n.ns+", containers: [{name: main, image: busybox}]", crashing)
	return n
}

// The tree shows the pod below its workload, and how each is.
func TestTree(t *testing.T) {
	t.Parallel()
	n := sick(t)
	out := n.says("Pod one-set-0  Progressing  container main: CrashLoopBackOff", "tree", "one")
	for _, want := range []string{"Instance one  Running", "PlanExecution one-deploy-", "StatefulSet one-set  Progressing  0 of 1 pod ready"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	n.says(`"object": "Pod one-set-0"`, "tree", "one", "-o", "json")
}

// The logs are those of the step that holds the run up.
func TestLogs(t *testing.T) {
	t.Parallel()
	n := sick(t)
	n.says("the disk is full of /containerLogs/"+n.ns+"/one-set-0/main, previous=\n", "logs", "one")
	n.says("previous=true", "logs", "one", "--previous", "--step", "main/set")
	n.says("the disk is full", "logs", "one", "-f")
	n.fails(2, `no phase, step or task "main/nope"`, "logs", "one", "--step", "main/nope")
	n.fails(1, "no pod of the step main/config is there", "logs", "one", "--step", "main/config")
}

// A plan is drawn with what its run did; a version with all its plans.
func TestGraph(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.instance("ask")
	n.until("It waits for you", "status", "one")
	n.says("5. ask (when params.what == \"ask\") [Running]: approve: the disks are wiped", "graph", "one")
	n.says("plan audit of ward 1.0.0", "graph", "ward-1.0.0")
	n.says("flowchart TD", "graph", "ward-1.0.0", "--plan", "audit", "-o", "mermaid")
	n.says("digraph \"deploy\"", "graph", "one", "-o", "dot")
	n.fails(1, "there is no FrameworkVersion ward-9.9.9", "graph", "ward-9.9.9")
	n.fails(2, `no plan "nope" to draw`, "graph", "ward-1.0.0", "--plan", "nope")
	n.fails(2, "-o png is not known here", "graph", "one", "-o", "png")
}

// unpack reads an archive.
func unpack(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for in := tar.NewReader(zipped); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		out[name] = string(content)
	}
}

// The bundle holds what tells how the Instance is, and no secret.
func TestSupportBundle(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-is-secret"
	n := sick(t, ", password: "+secret)
	set := n.awaitSet()
	n.event(set, "StatefulSet", "FailedCreate", "it said "+secret)
	file := filepath.Join(t.TempDir(), "one.tar.gz")
	n.says("one.tar.gz: ", "support-bundle", "one", "-o", file)
	n.fails(2, "exists: name another file", "support-bundle", "one", "-o", file)
	files := unpack(t, file)
	for name, want := range map[string]string{
		"README.txt": "Support bundle of the Instance one", "instance.yaml": "password: <redacted>", "diagnosis.yaml": "cause: ContainerFails",
		"objects/statefulset-one-set.yaml": "observedGeneration: 1", "objects/pod-one-set-0.yaml": "reason: CrashLoopBackOff", "events.yaml": "it said <redacted>",
		"frameworkversion.yaml": "kind: FrameworkVersion", "versions.yaml": "kubernetes: v1.", "framework.yaml": "name: ward",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s lacks %q:\n%s", name, want, files[name])
		}
	}
	executions := 0
	for name, text := range files {
		if strings.HasPrefix(name, "executions/one-deploy-") {
			executions++
		}
		for _, leak := range []string{secret, "leaked by the program", "disk is full"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s holds %q:\n%s", name, leak, text)
			}
		}
	}
	if executions != 1 {
		t.Errorf("%d executions in %v", executions, len(files))
	}
}

// Who may read Kudo's objects only is told which rights are missing, and sees the rest.
func TestWithoutRights(t *testing.T) {
	t.Parallel()
	n := sick(t)
	reader := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "reader"}}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "reader"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "kudo-view"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "reader", Namespace: n.ns}}}
	for _, o := range []client.Object{reader, binding} {
		if err := n.admin().Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	config, err := install.AccountConfig(t.Context(), n.w.Cluster.Config, n.ns, "reader")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := install.Kubeconfig(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "reader")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	n.w.Await(t, "the reader may read", func(context.Context) (bool, string) {
		code, out := n.as(file, "get", "one")
		return code == 0, out
	})
	for command, want := range map[string][]string{
		"diagnose": {"step main/set/set", "you may not get StatefulSet", "you may not get frameworkversions.kudo.dev"},
		"tree":     {"StatefulSet one-set  Unknown", "you may not get StatefulSet"},
		"status":   {"main"},
	} {
		code, out := n.as(file, command, "one")
		for _, w := range want {
			if code != 0 || !strings.Contains(out, w) {
				t.Errorf("%s: exit code %d, want %q in:\n%s", command, code, w, out)
			}
		}
	}
	code, out := n.as(file, "pause", "one")
	if code != 1 || !strings.Contains(out, "Ask an admin for the ClusterRole kudo-view (to read) or kudo-edit (to steer) there") {
		t.Errorf("pause: exit code %d:\n%s", code, out)
	}
	if code, out := n.as(file, "get", "--all-namespaces"); code != 1 || !strings.Contains(out, "listing Instances") {
		t.Errorf("get: exit code %d:\n%s", code, out)
	}
}

// A job whose pod is gone still tells what Kudo kept of its log.
func TestLogsOfAPodThatIsGone(t *testing.T) {
	t.Parallel()
	n := newWard(t)
	n.w.Kubelet(t, n.ns, "no such table")
	n.instance("work")
	job := n.job()
	pod := n.pod(job, "Job", `batch.kubernetes.io/controller-uid: "`+string(job.UID)+`"`, "nodeName: "+n.ns+", containers: [{name: main, image: busybox}]",
		`{"phase":"Failed","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":2,"reason":"Error","containerID":"x://1"}}}]}`)
	n.play("Job", workload.Fail)
	n.says("one is Stalled", "status", "one", "--until", "stalled", "--timeout", "30s")
	if err := n.admin().Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	n.until("main/work/work: no such table of /containerLogs", "logs", "one")
}
