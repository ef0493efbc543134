// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package health

import (
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// claim waits until it is bound. A class that binds on first use never binds a
// claim that nothing uses, and the claim does not show which class that is.
func claim(c *corev1.PersistentVolumeClaim) Result {
	switch {
	case c.Status.Phase == corev1.ClaimBound:
		return healthy("is bound")
	case c.Status.Phase == corev1.ClaimLost:
		return failed("ClaimLost", "its volume is gone")
	case c.Spec.VolumeName != "":
		return progressing(ReasonPending, "waits for volume %s to be bound", c.Spec.VolumeName)
	}
	return progressing(ReasonPending,
		"is not bound; if its storage class binds on first use, apply it in the task of its pods with a readyWhen such as \"true\"")
}

// service of type LoadBalancer waits for its address.
func service(s *corev1.Service) Result {
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && len(s.Status.LoadBalancer.Ingress) == 0 {
		return progressing(ReasonPending, "waits for the address of its load balancer")
	}
	return healthy("is ready")
}

func definition(d *apiextensionsv1.CustomResourceDefinition) Result {
	accepted, established := false, false
	for _, c := range d.Status.Conditions {
		isTrue := c.Status == apiextensionsv1.ConditionTrue
		switch c.Type {
		case apiextensionsv1.NamesAccepted:
			accepted = isTrue
			if c.Status == apiextensionsv1.ConditionFalse {
				return failed(either(c.Reason, ReasonFailed), either(c.Message, "its names are taken"))
			}
		case apiextensionsv1.Established:
			established = isTrue
		default:
		}
	}
	if !accepted || !established {
		return progressing(ReasonInProgress, "is not established")
	}
	return healthy("is established")
}

// instance is a child that another Instance made.
func instance(i *v1alpha1.Instance) Result {
	if i.Status.ObservedGeneration < i.Generation || i.Status.ObservedGeneration == 0 {
		return notObserved()
	}
	current := func(t string) *metav1.Condition {
		c := meta.FindStatusCondition(i.Status.Conditions, t)
		if c != nil && c.ObservedGeneration != 0 && c.ObservedGeneration < i.Generation {
			return nil
		}
		return c
	}
	if c := current(v1alpha1.ConditionStalled); c != nil && c.Status == metav1.ConditionTrue {
		return failed(c.Reason, either(c.Message, "needs a person"))
	}
	c := current(v1alpha1.ConditionReady)
	switch {
	case c == nil:
		return notObserved()
	case c.Status != metav1.ConditionTrue:
		return progressing(c.Reason, "%s", either(c.Message, "is not ready"))
	}
	return healthy("is ready")
}
