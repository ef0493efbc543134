// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// remove deletes the object, shows its cleanup, and that nothing but the data stays.
func (d *demo) remove(ctx context.Context) error {
	claims := &corev1.PersistentVolumeClaimList{}
	if err := d.client.List(ctx, claims, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("listing the volume claims: %w", err)
	}
	if err := d.client.Delete(ctx, d.object()); err != nil {
		return fmt.Errorf("deleting zookeeper/%s: %w", objectName, err)
	}
	if err := d.showPlan(ctx, v1alpha1.PlanCleanup, "zookeeper/zk is deleted"); err != nil {
		return err
	}
	if err := d.screen.Step("everything is gone", func() (string, error) { return "", d.awaitGone(ctx) }); err != nil {
		return err
	}
	return d.screen.Step("the data stays", func() (string, error) { return d.checkData(ctx, claims) })
}

// awaitGone waits until no object is left in the namespace but what was there before
// the Instance, and the volume claims.
func (d *demo) awaitGone(ctx context.Context) error {
	// The cluster puts this one into every namespace.
	rootCA := "kube-root-ca.crt"
	for _, kind := range []struct {
		list   client.ObjectList
		object client.Object
	}{
		{d.objects(), d.object()},
		{&v1alpha1.InstanceList{}, &v1alpha1.Instance{}},
		{&v1alpha1.PlanExecutionList{}, &v1alpha1.PlanExecution{}},
		{&appsv1.StatefulSetList{}, &appsv1.StatefulSet{}},
		{&corev1.PodList{}, &corev1.Pod{}},
		{&batchv1.JobList{}, &batchv1.Job{}},
		{&corev1.ServiceList{}, &corev1.Service{}},
		{&corev1.ConfigMapList{}, &corev1.ConfigMap{}},
		{&policyv1.PodDisruptionBudgetList{}, &policyv1.PodDisruptionBudget{}},
		{&appsv1.ControllerRevisionList{}, &appsv1.ControllerRevision{}},
		{&corev1.SecretList{}, &corev1.Secret{}},
	} {
		var left []string
		err := until(ctx, d.client, kind.list, kind.object, func(all map[string]client.Object) bool {
			left = left[:0]
			for name := range all {
				if name != rootCA {
					left = append(left, name)
				}
			}
			return len(left) == 0
		}, client.InNamespace(namespace))
		if err != nil {
			slices.Sort(left)
			return fmt.Errorf("waiting until every %T is gone (left: %s): %w", kind.object, strings.Join(left, ", "), err)
		}
	}
	return nil
}

// checkData compares the claims with those from before the deletion.
func (d *demo) checkData(ctx context.Context, before *corev1.PersistentVolumeClaimList) (string, error) {
	after := &corev1.PersistentVolumeClaimList{}
	if err := d.client.List(ctx, after, client.InNamespace(namespace)); err != nil {
		return "", fmt.Errorf("listing the volume claims: %w", err)
	}
	if len(before.Items) == 0 {
		return "", errors.New("there were no volume claims")
	}
	var names []string
	for i := range before.Items {
		name := before.Items[i].Name
		same := slices.ContainsFunc(after.Items, func(c corev1.PersistentVolumeClaim) bool {
			return c.UID == before.Items[i].UID && c.DeletionTimestamp == nil
		})
		if !same {
			return "", fmt.Errorf("the volume claim %s is gone", name)
		}
		names = append(names, name)
	}
	return "volume claims " + strings.Join(names, ", "), nil
}
