// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package storage gives claims of volumes to the pods of simulated nodes.
package storage

import (
	"context"
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	provisionerName = "devcluster/local"
	// className is the name of the default storage class.
	className = "standard"
	// volumeRoot is where volumes would be on a node, if there were one.
	volumeRoot = "/var/lib/devcluster/volumes"
)

// Run makes the default storage class and provisions its volumes until the context ends.
func Run(ctx context.Context, client kubernetes.Interface) error {
	wait, reclaim := storagev1.VolumeBindingWaitForFirstConsumer, corev1.PersistentVolumeReclaimDelete
	_, err := client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        className,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner: provisionerName, VolumeBindingMode: &wait, ReclaimPolicy: &reclaim,
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the storage class: %w", err)
	}
	controller.NewProvisionController(ctx, client, provisionerName, local{}, controller.LeaderElection(false)).Run(ctx)
	return nil
}

// local makes volumes that exist only as objects, bound to a node as those of a local disk are.
type local struct{}

// Provision implements the library's Provisioner.
func (local) Provision(
	_ context.Context, o controller.ProvisionOptions,
) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			VolumeMode:                    o.PVC.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: path.Join(volumeRoot, o.PVName)},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: onNode(o.SelectedNodeName)},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete implements the library's Provisioner.
func (local) Delete(context.Context, *corev1.PersistentVolume) error { return nil }

func onNode(name string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{name}},
		},
	}}}
}
