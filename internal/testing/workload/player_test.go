// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
)

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }

// stage is a namespace with a player.
type stage struct {
	client.Client
	*Player
	namespace string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	c := cluster.Get(t)
	if _, err := install.Install(t.Context(), c.Client, 1); err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "play-"}}
	if err := c.Client.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	p, err := Start(context.Background(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &stage{Client: c.Client, Player: p, namespace: ns.Name}
}

func (s *stage) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name, Labels: map[string]string{"app": name}}
}

func (s *stage) create(t *testing.T, o client.Object) {
	t.Helper()
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// until reads an object until it is as wanted.
func (s *stage) until(t *testing.T, what string, o client.Object, ok func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
		return ok(), s.Get(ctx, client.ObjectKeyFromObject(o), o)
	})
	if err != nil {
		t.Fatalf("%s: %v; last seen: %+v", what, err, o)
	}
}

func (s *stage) untilGone(t *testing.T, o client.Object) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
		err := s.Get(ctx, client.ObjectKeyFromObject(o), o)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		t.Fatalf("%T %s is still there: %v", o, o.GetName(), err)
	}
}

func template(name string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/main"}}},
	}
}

func (s *stage) job(name string) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: s.meta(name), Spec: batchv1.JobSpec{Template: template(name)}}
	job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return job
}

func (s *stage) statefulSet(name string) *appsv1.StatefulSet {
	three := int32(3)
	return &appsv1.StatefulSet{ObjectMeta: s.meta(name), Spec: appsv1.StatefulSetSpec{
		Replicas: &three, ServiceName: name, Template: template(name),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
		VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
			ObjectMeta: metav1.ObjectMeta{Name: "data"},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}},
			},
		}},
	}}
}

func TestStatefulSet(t *testing.T) {
	s := newStage(t)
	set := s.statefulSet("db")
	s.create(t, set)
	s.until(t, "a new set is ready", set, func() bool { return set.Status.ReadyReplicas == 3 && set.Status.CurrentRevision != "" })
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: s.meta("data-db-2")}
	s.until(t, "its claim is bound", claim, func() bool { return claim.Status.Phase == corev1.ClaimBound && claim.Labels["app"] == "db" })

	two := int32(2)
	set.Spec.Template.Spec.Containers[0].Image = "example.com/main:2"
	set.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &two}
	if err := s.Update(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	s.until(t, "it rolls to the partition", set, func() bool {
		return set.Status.UpdatedReplicas == 1 && set.Status.CurrentRevision != set.Status.UpdateRevision
	})
	if err := s.Delete(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	s.untilGone(t, claim)
}

func TestOtherWorkloads(t *testing.T) {
	s := newStage(t)
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	deployment := &appsv1.Deployment{ObjectMeta: s.meta("web"), Spec: appsv1.DeploymentSpec{Selector: selector, Template: template("web")}}
	daemons := &appsv1.DaemonSet{ObjectMeta: s.meta("web"), Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template("web")}}
	pod := &corev1.Pod{ObjectMeta: s.meta("web"), Spec: template("web").Spec}
	s.create(t, deployment)
	s.create(t, daemons)
	s.create(t, pod)
	s.until(t, "deployment", deployment, func() bool { return deployment.Status.AvailableReplicas == 1 })
	s.until(t, "daemon set", daemons, func() bool { return daemons.Status.NumberAvailable == 1 })
	s.until(t, "pod", pod, func() bool { return pod.Status.Phase == corev1.PodRunning })
}

func TestJobs(t *testing.T) {
	s := newStage(t)
	held, failing, fine := s.job("held"), s.job("failing"), s.job("fine")
	held.Annotations = map[string]string{Annotation: "hold"}
	failing.Annotations = map[string]string{Annotation: "fail"}
	for _, job := range []*batchv1.Job{held, failing, fine} {
		s.create(t, job)
	}
	s.until(t, "the job succeeds", fine, func() bool { return fine.Status.Succeeded == 1 && fine.Status.CompletionTime != nil })
	s.until(t, "the job fails", failing, func() bool { return failing.Status.Failed == 1 && len(failing.Status.Conditions) == 2 })
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(held), held); err != nil || len(held.Status.Conditions) > 0 {
		t.Errorf("the held job has status %+v, %v", held.Status, err)
	}
	if err := s.Set(t.Context(), func(client.Object) Act { return Play }); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the job goes on when it is let go", held, func() bool { return held.Status.Succeeded == 1 })

	if err := s.Delete(t.Context(), fine, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		t.Fatal(err)
	}
	s.untilGone(t, fine)
	s.create(t, s.job("fine"))
	again := s.job("fine")
	s.until(t, "a second one of that name", again, func() bool { return again.Status.Succeeded == 1 })
	seen := 0
	for _, job := range s.Jobs() {
		if job.Namespace == s.namespace && job.Name == "fine" {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("%d jobs of that name were seen, want 2: %+v", seen, s.Jobs())
	}
}

// What was made and went while nobody watched is made up for.
func TestReconnect(t *testing.T) {
	s := newStage(t)
	s.blind()
	owner := s.statefulSet("owner")
	s.create(t, owner)
	owned := &corev1.ConfigMap{ObjectMeta: s.meta("owned")}
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: owner.Name, UID: "gone"}}
	s.create(t, owned)
	if err := s.Reconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the set is ready", owner, func() bool { return owner.Status.ReadyReplicas == 3 })
	s.untilGone(t, owned)
	job := s.job("after")
	s.create(t, job)
	s.until(t, "a new job ends", job, func() bool { return ended(job) })
}

func TestCollection(t *testing.T) {
	s := newStage(t)
	owner := &corev1.ConfigMap{ObjectMeta: s.meta("owner")}
	s.create(t, owner)
	controller := true
	owned := func(name string) *corev1.ConfigMap {
		o := &corev1.ConfigMap{ObjectMeta: s.meta(name)}
		o.OwnerReferences = []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID, Controller: &controller},
		}
		return o
	}
	before, after := owned("before"), owned("after")
	s.create(t, before)
	if err := s.Delete(t.Context(), owner, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		t.Fatal(err)
	}
	s.untilGone(t, before)
	s.untilGone(t, owner)
	// An object of the owner's name is not the owner.
	s.create(t, &corev1.ConfigMap{ObjectMeta: s.meta("owner")})
	s.create(t, after)
	s.untilGone(t, after)
}
