// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// podFields is where an object has the template of its pods.
func podFields(gk schema.GroupKind) []string {
	switch gk {
	case schema.GroupKind{Kind: "Pod"}:
		return []string{}
	case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		return []string{"spec", "jobTemplate", "spec", "template"}
	case schema.GroupKind{Group: "batch", Kind: "Job"}, schema.GroupKind{Kind: "ReplicationController"}:
		return []string{"spec", "template"}
	}
	if gk.Group == "apps" && (gk.Kind == "Deployment" || gk.Kind == "StatefulSet" || gk.Kind == "DaemonSet" || gk.Kind == "ReplicaSet") {
		return []string{"spec", "template"}
	}
	return nil
}

func podOf(o *unstructured.Unstructured) *pod {
	fields := podFields(o.GroupVersionKind().GroupKind())
	if fields == nil {
		return nil
	}
	raw, found, err := unstructured.NestedFieldNoCopy(o.Object, fields...)
	template, ok := raw.(map[string]any)
	if err != nil || !found || !ok {
		return nil
	}
	var typed corev1.PodTemplateSpec
	// What is not of its type is the finding of another rule.
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, &typed); err != nil {
		return nil
	}
	return &pod{fields: fields, labels: typed.Labels, notes: typed.Annotations, spec: typed.Spec}
}

// container is one of a pod, and where it stands.
type container struct {
	corev1.Container
	path []string
	init bool
}

// containers lists those of a pod, init containers first.
func (o *object) containers() []container {
	if o.pod == nil {
		return nil
	}
	var out []container
	add := func(list []corev1.Container, key string) {
		for i := range list {
			c := container{Container: list[i], path: []string{key, strconv.Itoa(i)}, init: key == "initContainers"}
			if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
				c.init = false
			}
			out = append(out, c)
		}
	}
	add(o.pod.spec.InitContainers, "initContainers")
	add(o.pod.spec.Containers, "containers")
	return out
}

// serves says whether the pods of an object run for as long as it is there.
func (o *object) serves() bool {
	return o.pod != nil && o.is("apps", o.GetKind())
}
