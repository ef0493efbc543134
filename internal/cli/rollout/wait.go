// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/evidence"
)

// waiting is the flag --wait.
type waiting struct {
	wait    bool
	timeout time.Duration
}

func (w *waiting) addFlags(cmd *cobra.Command, until string) {
	cmd.Flags().BoolVar(&w.wait, "wait", false, "Wait "+until)
	cmd.Flags().DurationVar(&w.timeout, "timeout", 10*time.Minute, "How long to wait")
}

// settle waits until the spec of a target is rolled out. One that stalls is an error, in the
// words of its condition.
func (w *waiting) settle(ctx context.Context, s *session, u *unstructured.Unstructured) error {
	follow := fmt.Sprintf("kubectl kudo status %s -n %s --watch", titleOf(u), s.namespace)
	if !w.wait {
		s.Printf("follow it with: %s\n", follow)
		return nil
	}
	generation, uid := u.GetGeneration(), u.GetUID()
	last := "the manager has not looked at it. Is it running? kubectl get pods --all-namespaces -l app.kubernetes.io/name=kudo"
	err := wait.PollUntilContextTimeout(ctx, time.Second, w.timeout, true, func(context.Context) (bool, error) {
		// Not with the deadline of the wait: near it a request would fail in words about itself.
		err := s.client.Get(ctx, client.ObjectKeyFromObject(u), u)
		if apierrors.IsNotFound(err) || err == nil && u.GetUID() != uid {
			return false, fmt.Errorf("%s was removed by somebody else", titleOf(u))
		}
		if err != nil {
			return false, evidence.Denied("reading "+titleOf(u), err) //nolint:wrapcheck // it says what it is about
		}
		ready, stalled := standing(u, generation)
		if ready == nil {
			return false, nil
		}
		last = ready.Reason + ": " + ready.Message
		if stalled {
			return false, fmt.Errorf("%s is stalled: %s. What to do: kubectl kudo diagnose %s -n %s", titleOf(u), last, titleOf(u), s.namespace)
		}
		return ready.Status == metav1.ConditionTrue, nil
	})
	switch {
	case err == nil:
		s.Printf("%s is ready\n", titleOf(u))
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %s goes on. Follow it with: %s", titleOf(u), follow)
	case wait.Interrupted(err):
		return fmt.Errorf("%s is not ready after %s: %s. What it waits for: kubectl kudo status %s -n %s", titleOf(u), w.timeout, last, titleOf(u), s.namespace)
	}
	return err //nolint:wrapcheck // it says what it is about
}

// standing is the condition Ready of a generation, or a newer one, and whether it is stalled;
// nil while the status is about an older one.
func standing(u *unstructured.Unstructured, generation int64) (ready *metav1.Condition, stalled bool) {
	var status struct {
		ObservedGeneration int64              `json:"observedGeneration"`
		Conditions         []metav1.Condition `json:"conditions"`
	}
	raw, err := json.Marshal(u.Object["status"])
	if err == nil {
		err = json.Unmarshal(raw, &status)
	}
	if err != nil || status.ObservedGeneration < generation {
		return nil, false
	}
	return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady),
		meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)
}

// gone waits until a target has been removed. Another one of its name is not it.
func (w *waiting) gone(ctx context.Context, s *session, u *unstructured.Unstructured) error {
	if !w.wait {
		s.Printf("%s is being removed\n", titleOf(u))
		return nil
	}
	uid := u.GetUID()
	err := wait.PollUntilContextTimeout(ctx, time.Second, w.timeout, true, func(context.Context) (bool, error) {
		err := s.client.Get(ctx, client.ObjectKeyFromObject(u), u)
		if apierrors.IsNotFound(err) || err == nil && u.GetUID() != uid {
			return true, nil
		}
		return false, evidence.Denied("reading "+titleOf(u), err)
	})
	switch {
	case err == nil:
		s.Printf("%s is gone\n", titleOf(u))
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: the removal of %s goes on", titleOf(u))
	case wait.Interrupted(err):
		return fmt.Errorf("%s is still there after %s. Why: kubectl kudo diagnose %s -n %s", titleOf(u), w.timeout, titleOf(u), s.namespace)
	}
	return err //nolint:wrapcheck // it says what it is about
}

// ended waits until a run has ended. One that stalls, or does not succeed, is an error in its
// own words.
func (w *waiting) ended(ctx context.Context, s *session, pe *v1alpha1.PlanExecution, of string) error {
	follow := fmt.Sprintf("kubectl kudo status %s -n %s --watch", of, pe.Namespace)
	if !w.wait {
		s.Printf("follow it with: %s\n", follow)
		return nil
	}
	err := wait.PollUntilContextTimeout(ctx, time.Second, w.timeout, true, func(context.Context) (bool, error) {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(pe), pe); err != nil {
			return false, evidence.Denied("reading the PlanExecution "+pe.Name, err) //nolint:wrapcheck // it says what it is about
		}
		return evidence.Ended(pe) //nolint:wrapcheck // it says what it is about
	})
	switch {
	case err == nil:
		s.Printf("plan %s of %s has ended: %s\n", pe.Spec.Plan, of, pe.Status.State)
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: plan %s goes on. Follow it with: %s", pe.Spec.Plan, follow)
	case wait.Interrupted(err):
		return fmt.Errorf("plan %s has not ended after %s: %s. What it waits for: kubectl kudo status %s -n %s", pe.Spec.Plan, w.timeout, pe.Status.Message, of, pe.Namespace)
	}
	return err //nolint:wrapcheck // it says what it is about
}
