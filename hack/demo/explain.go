// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/screen"
)

const (
	logLines       = 40
	explainTimeout = 5 * time.Second
)

// kubectl runs a kubectl command in the demo's namespace and shows both.
func (d *demo) kubectl(ctx context.Context, args ...string) error {
	d.screen.Title("$ kubectl -n %s %s", namespace, strings.Join(args, " "))
	all := append([]string{"kubectl", "--kubeconfig", d.kubeconfig, "-n", namespace}, args...)
	out, err := d.devcluster(ctx, all...).CombinedOutput()
	d.screen.Print(strings.TrimRight(string(out), "\n"))
	if err != nil {
		return fmt.Errorf("running kubectl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// explain shows what a person would look at after a failure.
func (d *demo) explain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	if d.client != nil {
		d.explainObjects(ctx)
	}
	if d.manager == nil {
		return
	}
	d.screen.Title("The end of the manager's log")
	tail, err := d.manager.LogTail(logLines)
	if err != nil {
		tail = err.Error()
	}
	d.screen.Print(tail)
}

func (d *demo) explainObjects(ctx context.Context) {
	var versions v1alpha1.FrameworkVersionList
	if err := d.client.List(ctx, &versions); err == nil {
		for i := range versions.Items {
			d.conditions("FrameworkVersion "+versions.Items[i].Name, versions.Items[i].Status.Conditions)
		}
	}
	var instances v1alpha1.InstanceList
	if err := d.client.List(ctx, &instances, client.InNamespace(namespace)); err == nil {
		for i := range instances.Items {
			d.conditions("Instance "+instances.Items[i].Name, instances.Items[i].Status.Conditions)
		}
	}
	var executions v1alpha1.PlanExecutionList
	if err := d.client.List(ctx, &executions, client.InNamespace(namespace)); err != nil {
		return
	}
	for i := range executions.Items {
		pe := &executions.Items[i]
		d.conditions("PlanExecution "+pe.Name, pe.Status.Conditions)
		d.screen.Print(screen.Tree(pe, time.Now(), screen.Look{})...)
	}
}

func (d *demo) conditions(of string, all []metav1.Condition) {
	d.screen.Title("Conditions of %s", of)
	for _, c := range all {
		d.screen.Print(fmt.Sprintf("  %-15s %-8s %-20s %s", c.Type, c.Status, c.Reason, c.Message))
	}
}
