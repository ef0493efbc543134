// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/projection"
)

// patience is how long anything may take before the demo gives up.
const patience = 90 * time.Second

var errTooLong = fmt.Errorf("it is not there after %s", patience)

// run is a plan that ran, for the summary.
type run struct {
	plan, what string
	took       string
	steps      string
}

// showPlan shows the next execution of a plan until it has succeeded.
func (d *demo) showPlan(ctx context.Context, plan, what string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errTooLong)
	defer cancel()
	pe, err := d.watchPlan(ctx, plan)
	if err != nil {
		return fmt.Errorf("plan %s: %w", plan, err)
	}
	d.runs = append(d.runs, run{plan: plan, what: what, took: screen.Parts(pe)[0].Took(time.Now()), steps: pe.Status.Progress})
	return nil
}

func (d *demo) watchPlan(ctx context.Context, plan string) (*v1alpha1.PlanExecution, error) {
	events, err := follow(ctx, d.client, &v1alpha1.PlanExecutionList{}, &v1alpha1.PlanExecution{}, client.InNamespace(namespace))
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(screen.RedrawEvery)
	defer tick.Stop()
	defer d.screen.Keep()
	var shown *v1alpha1.PlanExecution
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
			d.redraw(shown)
		case e := <-events:
			pe, _ := e.object.(*v1alpha1.PlanExecution)
			if pe == nil || !d.isNext(pe, shown, plan) {
				continue
			}
			d.show(shown, pe)
			shown = pe
			if over, err := verdict(pe, e.gone); over || err != nil {
				d.seen[pe.UID] = true
				return pe, err
			}
		}
	}
}

// isNext says whether this is the execution that is shown, or the one that was waited for.
func (d *demo) isNext(pe, shown *v1alpha1.PlanExecution, plan string) bool {
	if shown != nil {
		return pe.UID == shown.UID
	}
	return pe.Spec.Instance == instanceName && pe.Spec.Plan == plan && !d.seen[pe.UID]
}

func verdict(pe *v1alpha1.PlanExecution, gone bool) (over bool, err error) {
	switch state := pe.Status.State; {
	case state == v1alpha1.RunSucceeded:
		return true, nil
	case state == v1alpha1.RunStalled, state.Terminal():
		return false, fmt.Errorf("it is %s: %s", state, pe.Status.Message)
	case gone:
		return false, fmt.Errorf("its PlanExecution %s went before it had ended", pe.Name)
	}
	return false, nil
}

// show tells what is new about an execution.
func (d *demo) show(before, after *v1alpha1.PlanExecution) {
	if d.screen.Live {
		d.redraw(after)
		return
	}
	d.screen.Print(screen.Changes(before, after, time.Now())...)
}

func (d *demo) redraw(pe *v1alpha1.PlanExecution) {
	if d.screen.Live && pe != nil {
		d.screen.Draw(screen.Tree(pe, time.Now(), d.screen.Look()))
	}
}

// awaitReady waits until the object says that its newest spec was rolled out.
func (d *demo) awaitReady(ctx context.Context) error {
	err := until(ctx, d.client, d.objects(), d.object(), func(all map[string]*unstructured.Unstructured) bool {
		o := all[objectName]
		if o == nil {
			return false
		}
		s, err := projection.StatusOf(o)
		c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
		return err == nil && c != nil && c.Status == "True" && c.ObservedGeneration == o.GetGeneration()
	}, client.InNamespace(namespace))
	if err != nil {
		return fmt.Errorf("waiting until zookeeper/%s is ready: %w", objectName, err)
	}
	return nil
}
