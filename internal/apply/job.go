// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// JobRun is the one attempt of a task that a Job is for.
type JobRun struct {
	// Name of the Job, derived from all that follows.
	Name string
	// Execution and UID are those of the PlanExecution.
	Execution string
	UID       types.UID
	Attempt   int32
	// Timeout of the attempt.
	Timeout time.Duration
}

// PrepareJob makes a rendered Job a run-once job of one attempt: its name tells
// executions and attempts apart, its pod runs at most once and can recognise a
// repetition by its environment.
func PrepareJob(u *unstructured.Unstructured, run JobRun) error {
	if u.GetAPIVersion() != "batch/v1" || u.GetKind() != "Job" {
		return fmt.Errorf("a job task renders one batch/v1 Job, not %s %s", u.GetAPIVersion(), u.GetKind())
	}
	u.SetName(run.Name)
	labels := u.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1alpha1.LabelExecution] = run.Execution
	u.SetLabels(labels)
	pod := []string{"spec", "template", "spec"}
	for _, set := range []struct {
		value any
		path  []string
	}{
		{int64(0), []string{"spec", "backoffLimit"}},
		{"Failed", []string{"spec", "podReplacementPolicy"}},
		{"Never", append(pod, "restartPolicy")},
	} {
		if err := unstructured.SetNestedField(u.Object, set.value, set.path...); err != nil {
			return fmt.Errorf("preparing the job: %w", err)
		}
	}
	unstructured.RemoveNestedField(u.Object, "spec", "ttlSecondsAfterFinished")
	if err := setDeadline(u, run.Timeout); err != nil {
		return err
	}
	if account, _, _ := unstructured.NestedString(u.Object, append(pod, "serviceAccountName")...); account == "" {
		if err := unstructured.SetNestedField(u.Object, false, append(pod, "automountServiceAccountToken")...); err != nil {
			return fmt.Errorf("preparing the job: %w", err)
		}
	}
	for _, field := range []string{"initContainers", "containers"} {
		if err := setEnvironment(u, append(pod, field), string(run.UID), run.Attempt); err != nil {
			return err
		}
	}
	return nil
}

// setDeadline makes the Job itself end when the attempt's time is up, so that no program
// goes on beside the next attempt. A shorter deadline of the template's own stays.
func setDeadline(u *unstructured.Unstructured, timeout time.Duration) error {
	seconds := int64(max(timeout.Round(time.Second), time.Second) / time.Second)
	own, found, err := unstructured.NestedInt64(u.Object, "spec", "activeDeadlineSeconds")
	if err == nil && found && own <= seconds {
		return nil
	}
	if err := unstructured.SetNestedField(u.Object, seconds, "spec", "activeDeadlineSeconds"); err != nil {
		return fmt.Errorf("preparing the job: %w", err)
	}
	return nil
}

func setEnvironment(u *unstructured.Unstructured, path []string, uid string, attempt int32) error {
	containers, found, err := unstructured.NestedSlice(u.Object, path...)
	if err != nil {
		return fmt.Errorf("preparing the job: %w", err)
	}
	if !found {
		if path[len(path)-1] == "initContainers" {
			return nil
		}
		return errors.New("preparing the job: it has no containers")
	}
	for i := range containers {
		c, ok := containers[i].(map[string]any)
		if !ok {
			return fmt.Errorf("preparing the job: container %d is not an object", i)
		}
		env, _ := c["env"].([]any)
		env = slices.DeleteFunc(slices.Clone(env), func(e any) bool {
			m, ok := e.(map[string]any)
			return ok && (m["name"] == v1alpha1.EnvExecutionID || m["name"] == v1alpha1.EnvAttempt)
		})
		c["env"] = append(env,
			map[string]any{"name": v1alpha1.EnvExecutionID, "value": uid},
			map[string]any{"name": v1alpha1.EnvAttempt, "value": strconv.Itoa(int(attempt))})
	}
	if err := unstructured.SetNestedSlice(u.Object, containers, path...); err != nil {
		return fmt.Errorf("preparing the job: %w", err)
	}
	return nil
}

// Start creates a run-once job with POST. One that is already there is taken as the
// same attempt's if it names the execution, and refused if not.
func (a *Applier) Start(ctx context.Context, job *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ref := revision.Reference(job)
	body := job.DeepCopy()
	a.Owner.Mark(body)
	err := a.Client.Create(ctx, body,
		client.FieldOwner(v1alpha1.FieldManager), client.FieldValidation(metav1.FieldValidationStrict))
	if err == nil {
		return body, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("creating %s: %w", Describe(ref), err)
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(job.GroupVersionKind())
	if err := a.Client.Get(ctx, client.ObjectKeyFromObject(job), live); err != nil {
		return nil, fmt.Errorf("reading %s, which exists: %w", Describe(ref), err)
	}
	if !a.Owner.Owns(live) || live.GetLabels()[v1alpha1.LabelExecution] != job.GetLabels()[v1alpha1.LabelExecution] {
		return nil, notOwned(ref)
	}
	return live, nil
}
