// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// write changes the status of an object and stores it if that made a difference.
func (p *Player) write(ctx context.Context, o client.Object, change func(client.Object)) error {
	before := o.DeepCopyObject()
	change(o)
	if reflect.DeepEqual(before, o) {
		return nil
	}
	return p.client.Status().Update(ctx, o)
}

// ready sets the status that the kind's controller would set in the end.
func ready(o client.Object) {
	switch o := o.(type) {
	case *appsv1.StatefulSet:
		readyStatefulSet(o)
	case *appsv1.Deployment:
		n := replicas(o.Spec.Replicas)
		o.Status.ObservedGeneration = o.Generation
		o.Status.Replicas, o.Status.UpdatedReplicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas = n, n, n, n
		o.Status.UnavailableReplicas = 0
		if len(o.Status.Conditions) == 0 {
			o.Status.Conditions = []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", LastTransitionTime: metav1.Now()},
				{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable", LastTransitionTime: metav1.Now()},
			}
		}
	case *appsv1.DaemonSet:
		s := &o.Status
		s.ObservedGeneration = o.Generation
		s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.NumberReady, s.UpdatedNumberScheduled, s.NumberAvailable = 1, 1, 1, 1, 1
	case *corev1.Pod:
		if o.Status.Phase == corev1.PodPending || o.Status.Phase == "" {
			o.Status.Phase = corev1.PodRunning
			o.Status.Conditions = []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()},
			}
		}
	case *corev1.PersistentVolumeClaim:
		if o.Status.Phase != corev1.ClaimBound {
			o.Status.Phase, o.Status.AccessModes = corev1.ClaimBound, o.Spec.AccessModes
			o.Status.Capacity = o.Spec.Resources.Requests
		}
	case *policyv1.PodDisruptionBudget:
		o.Status.ObservedGeneration = o.Generation
	}
}

func replicas(wanted *int32) int32 {
	if wanted == nil {
		return 1
	}
	return *wanted
}

// readyStatefulSet rolls as far as the partition allows.
func readyStatefulSet(set *appsv1.StatefulSet) {
	n, s, revision := replicas(set.Spec.Replicas), &set.Status, set.Name+"-"+digest(set.Spec.Template)
	kept := int32(0)
	if u := set.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil && s.CurrentRevision != "" && s.CurrentRevision != revision {
		kept = min(n, *u.Partition)
	}
	s.ObservedGeneration, s.UpdateRevision = set.Generation, revision
	s.Replicas, s.ReadyReplicas, s.AvailableReplicas = n, n, n
	s.UpdatedReplicas, s.CurrentReplicas = n-kept, kept
	if kept == 0 {
		s.CurrentRevision, s.CurrentReplicas = revision, n
	}
}

// digest is a name for a pod template.
func digest(template corev1.PodTemplateSpec) string {
	raw, err := json.Marshal(template)
	if err != nil {
		return "unknown"
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:5])
}

// playStatefulSet makes the claims first, as the pods would need them.
func (p *Player) playStatefulSet(ctx context.Context, set *appsv1.StatefulSet) error {
	for _, template := range set.Spec.VolumeClaimTemplates {
		for ordinal := range replicas(set.Spec.Replicas) {
			claim := &corev1.PersistentVolumeClaim{Spec: template.Spec}
			claim.Namespace = set.Namespace
			claim.Name = fmt.Sprintf("%s-%s-%d", template.Name, set.Name, ordinal)
			claim.Labels, claim.Annotations = maps.Clone(template.Labels), maps.Clone(template.Annotations)
			if claim.Labels == nil {
				claim.Labels = map[string]string{}
			}
			maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
			if err := p.client.Create(ctx, claim); err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("making the claim %s: %w", claim.Name, err)
			}
		}
	}
	return p.write(ctx, set, ready)
}
