// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Job is one Job object that was ever seen, by its UID: an effect that happened.
type Job struct {
	// Namespace of the Job.
	Namespace string
	// Name of the Job.
	Name string
	// UID of the Job.
	UID types.UID
	// Execution that made it, from its label.
	Execution string
	// Attempt that it stands for, from the environment of its first container.
	Attempt string
}

// Jobs returns every Job object that was ever seen, in the order of their creation, also
// those that are gone.
func (p *Player) Jobs() []Job {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.jobs)
}

// record keeps a Job at its first sight.
func (p *Player) record(o client.Object) {
	job, ok := o.(*batchv1.Job)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.ContainsFunc(p.jobs, func(j Job) bool { return j.UID == job.UID }) {
		return
	}
	seen := Job{Namespace: job.Namespace, Name: job.Name, UID: job.UID, Execution: job.Labels[v1alpha1.LabelExecution]}
	for _, env := range job.Spec.Template.Spec.Containers[0].Env {
		if env.Name == v1alpha1.EnvAttempt {
			seen.Attempt = env.Value
		}
	}
	p.jobs = append(p.jobs, seen)
}

// playJob starts a Job, then ends it. The API server wants both halves: a start time
// before an end, and the condition that decides beside the one that says so.
func (p *Player) playJob(ctx context.Context, job *batchv1.Job, act Act) error {
	if act == Hold || ended(job) || (job.Spec.Suspend != nil && *job.Spec.Suspend) {
		return nil
	}
	return p.write(ctx, job, func(client.Object) {
		now := metav1.Now()
		s := &job.Status
		if s.StartTime == nil {
			s.StartTime = &now
		}
		zero := int32(0)
		s.Active, s.Ready, s.Terminating = 0, &zero, &zero
		s.UncountedTerminatedPods = nil
		if act == Fail {
			s.Failed = 1
			conclude(s, batchv1.JobFailureTarget, batchv1.JobFailed, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
			return
		}
		s.Succeeded = replicas(job.Spec.Completions)
		s.CompletionTime = &now
		conclude(s, batchv1.JobSuccessCriteriaMet, batchv1.JobComplete, "CompletionsReached", "Reached expected number of succeeded pods")
	})
}

func ended(job *batchv1.Job) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue
	})
}

func conclude(s *batchv1.JobStatus, decided, done batchv1.JobConditionType, reason, message string) {
	now := metav1.Now()
	for _, t := range []batchv1.JobConditionType{decided, done} {
		s.Conditions = append(s.Conditions, batchv1.JobCondition{
			Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastProbeTime: now, LastTransitionTime: now,
		})
	}
}
