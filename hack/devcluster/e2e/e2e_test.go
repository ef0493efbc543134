// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestCluster(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.log")
	c := start(t, "--audit-log", audit)
	t.Run("100 pods", c.testDeployment)
	t.Run("stateful set with volumes", c.testStatefulSet)
	t.Run("job", c.testJob)
	t.Run("failing job", c.testFailingJob)
	t.Run("stuck and slow jobs", c.testStuckAndSlowJobs)
	t.Run("unready", c.testUnready)
	t.Run("slow", c.testSlow)
	t.Run("crash loop", c.testCrashLoop)
	t.Run("heal", c.testHeal)
	t.Run("lost node", c.testLostNode)
	t.Run("token", c.testToken)
	t.Run("kubectl", c.testKubectl)
	t.Run("audit log", func(t *testing.T) { c.testAudit(t, audit) })
	t.Run("restart", c.testRestart)
}

func (c *cluster) testDeployment(t *testing.T) {
	began := time.Now()
	c.createDeployment(t, "web", 100)
	eventually(t, 30*time.Second, "100 pods ready", func(ctx context.Context) (bool, error) {
		d, err := c.AppsV1().Deployments(namespace).Get(ctx, "web", metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == 100, err
	})
	t.Logf("100 pods ready in %s", time.Since(began))
}

func (c *cluster) testStatefulSet(t *testing.T) {
	began := time.Now()
	c.createStatefulSet(t, "db", 3)
	eventually(t, 20*time.Second, "3 pods with volumes ready", c.setReady("db", 3))
	t.Logf("3 pods with volumes ready in %s", time.Since(began))
}

func (c *cluster) testJob(t *testing.T) {
	began := time.Now()
	c.createJob(t, "good")
	eventually(t, 10*time.Second, "the job completes", c.jobEnded("good", batchv1.JobComplete))
	t.Logf("job completed in %s", time.Since(began))
}

func (c *cluster) testFailingJob(t *testing.T) {
	c.run(t, "fail", "job/bad-*", "--exit-code", "42", "--message", `it "broke"`)
	c.createJob(t, "bad-1")
	eventually(t, 10*time.Second, "the job fails", c.jobEnded("bad-1", batchv1.JobFailed))
	pods, err := c.pods(t.Context(), "bad-1")
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	end := pods[0].Status.ContainerStatuses[0].State.Terminated
	if end == nil || end.ExitCode != 42 || end.Message != `it "broke"` {
		t.Errorf("container ended with %+v", end)
	}
}

func (c *cluster) testStuckAndSlowJobs(t *testing.T) {
	c.run(t, "unready", "job/stuck")
	c.run(t, "slow", "job/slow", "--delay", "3s")
	c.createJob(t, "stuck")
	c.createJob(t, "slow")
	time.Sleep(2 * time.Second)
	for _, name := range []string{"stuck", "slow"} {
		if done, err := c.jobEnded(name, batchv1.JobComplete)(t.Context()); done || err != nil {
			t.Errorf("%s: completed %v, %v", name, done, err)
		}
	}
	eventually(t, 5*time.Second, "the slow job completes", c.jobEnded("slow", batchv1.JobComplete))
	c.run(t, "heal", "job/stuck")
	eventually(t, 5*time.Second, "the healed job completes", c.jobEnded("stuck", batchv1.JobComplete))
}

// testUnready has a fault on before the pod exists, which must then never be Ready.
func (c *cluster) testUnready(t *testing.T) {
	c.run(t, "unready", "pod/early-1")
	watch, err := c.CoreV1().Pods(namespace).Watch(t.Context(), metav1.ListOptions{LabelSelector: "app=early"})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	c.createStatefulSet(t, "early", 2)
	until := time.After(3 * time.Second)
	for {
		select {
		case event := <-watch.ResultChan():
			if pod, ok := event.Object.(*corev1.Pod); ok && pod.Name == "early-1" && isReady(*pod) {
				t.Fatal("the pod became Ready")
			}
			continue
		case <-until:
		}
		break
	}
	if ok, err := c.setReady("early", 1)(t.Context()); !ok {
		t.Errorf("want 1 pod ready (%v)", err)
	}
	c.run(t, "heal", "pod/early-1")
	eventually(t, 5*time.Second, "the healed pod is ready", c.setReady("early", 2))
	c.run(t, "unready", "-l", "app=early")
	eventually(t, 5*time.Second, "running pods become unready", c.setReady("early", 0))
	c.run(t, "heal", "-l", "app=early")
	eventually(t, 5*time.Second, "all are ready again", c.setReady("early", 2))
}

func (c *cluster) testSlow(t *testing.T) {
	c.run(t, "slow", "pod/late-*", "--delay", "3s")
	began := time.Now()
	c.createStatefulSet(t, "late", 1)
	eventually(t, 10*time.Second, "the slow pod is ready", c.setReady("late", 1))
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("ready after only %s", took)
	}
}

func (c *cluster) testCrashLoop(t *testing.T) {
	c.run(t, "fail", "pod/db-2")
	eventually(t, 5*time.Second, "the pod crash-loops", func(ctx context.Context) (bool, error) {
		pod, err := c.CoreV1().Pods(namespace).Get(ctx, "db-2", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		s := pod.Status.ContainerStatuses[0]
		return s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff" && s.RestartCount == 1 && !isReady(*pod), nil
	})
	c.run(t, "heal", "pod/db-2")
	eventually(t, 5*time.Second, "the healed pod is ready", c.setReady("db", 3))
}

func (c *cluster) testHeal(t *testing.T) {
	if _, err := c.try("heal", "pod/no-such-fault"); err == nil {
		t.Error("healing what is not broken gives no error")
	}
	if status := c.run(t, "status"); !strings.Contains(status, "slow pod/late-*") || !strings.Contains(status, "3 of 3 ready") {
		t.Errorf("status:\n%s", status)
	}
	c.run(t, "heal", "--all")
	if status := c.run(t, "status"); strings.Contains(status, "fault:") {
		t.Errorf("status after healing all:\n%s", status)
	}
}

func (c *cluster) testLostNode(t *testing.T) {
	status := func(want corev1.ConditionStatus) func(context.Context) (bool, error) {
		return func(ctx context.Context) (bool, error) {
			node, err := c.CoreV1().Nodes().Get(ctx, "node-1", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			for _, condition := range node.Status.Conditions {
				if condition.Type == corev1.NodeReady {
					return condition.Status == want, nil
				}
			}
			return false, nil
		}
	}
	c.run(t, "node", "lose", "node-1")
	began := time.Now()
	eventually(t, 30*time.Second, "the lost node is not ready", status(corev1.ConditionUnknown))
	t.Logf("lost node Unknown after %s", time.Since(began))
	c.run(t, "node", "restore", "node-1")
	began = time.Now()
	eventually(t, 30*time.Second, "the restored node is ready", status(corev1.ConditionTrue))
	eventually(t, 30*time.Second, "its pods are ready", func(ctx context.Context) (bool, error) {
		d, err := c.AppsV1().Deployments(namespace).Get(ctx, "web", metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == 100, err
	})
	t.Logf("restored node and its pods Ready after %s", time.Since(began))
}

func (c *cluster) testToken(t *testing.T) {
	request, err := c.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "default",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	review, err := c.AuthenticationV1().TokenReviews().Create(t.Context(),
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: request.Status.Token}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := review.Status.User.Username; got != "system:serviceaccount:default:default" {
		t.Errorf("the token is %q's (%s)", got, review.Status.Error)
	}
}

func (c *cluster) testKubectl(t *testing.T) {
	cmd := exec.Command(c.bin, "kubectl", "get", "nodes", "--output=name")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	out, err := cmd.CombinedOutput()
	if want := "node/node-0\nnode/node-1\nnode/node-2\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v", out, err)
	}
}

func (c *cluster) testAudit(t *testing.T, file string) {
	_, err := c.CoreV1().ConfigMaps(namespace).Get(t.Context(), "audited", metav1.GetOptions{})
	if err == nil {
		t.Fatal("unexpected ConfigMap")
	}
	log := readFile(t, file)
	if !strings.Contains(log, "configmaps/audited") || strings.Contains(log, `"stage":"RequestReceived"`) {
		t.Error("the audit log lacks a request, or has the stage RequestReceived")
	}
}

func (c *cluster) testRestart(t *testing.T) {
	before := readFile(t, c.kubeconfig)
	pid, err := strconv.Atoi(strings.TrimSpace(readFile(t, filepath.Join(c.dir, "pid"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the killed cluster is gone", func(context.Context) (bool, error) {
		_, err := c.try("status")
		return err != nil, nil
	})
	c.up(t)
	server := func(s string) string {
		_, after, _ := strings.Cut(s, "server:")
		line, _, _ := strings.Cut(after, "\n")
		return line
	}
	if after := readFile(t, c.kubeconfig); server(after) != server(before) {
		t.Errorf("the server changed: %s", server(after))
	}
	if _, err := c.AppsV1().Deployments(namespace).Get(t.Context(), "web", metav1.GetOptions{}); err != nil {
		t.Errorf("the data is gone: %v", err)
	}
	c.run(t, "up") // one that runs already
	if _, err := c.CoreV1().Pods(namespace).Watch(t.Context(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c.run(t, "down", "--keep")
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("with an open watch down took %s", took)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "etcd")); err != nil {
		t.Errorf("down --keep removed the data: %v", err)
	}
}

// TestTied checks that a cluster ends with the process it is tied to.
func TestTied(t *testing.T) {
	parent := exec.Command("sleep", "300")
	if err := parent.Start(); err != nil {
		t.Skipf("cannot start a process to tie a cluster to: %v", err)
	}
	c := &cluster{bin: os.Getenv("DEVCLUSTER_BIN"), dir: filepath.Join(t.TempDir(), "cluster")}
	if c.bin == "" {
		t.Skip("DEVCLUSTER_BIN is not set: give the path of a built devcluster")
	}
	t.Cleanup(func() { c.run(t, "down") })
	c.run(t, "up", "--nodes", "1", "--parent-pid", strconv.Itoa(parent.Process.Pid))
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, 10*time.Second, "the cluster ends", func(context.Context) (bool, error) {
		_, err := c.try("status")
		return err != nil, nil
	})
}
