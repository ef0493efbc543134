// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package content finds out which Secrets and ConfigMaps pods consume, and tells by
// digests whether what they consume has changed.
package content

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/internal/revision"
)

// The kinds that pods consume.
const (
	Secret    = "Secret"
	ConfigMap = "ConfigMap"
)

// podSpec is where an object that is there for longer has the spec of its pods; nil for
// any other kind. A Job has run.
func podSpec(gk schema.GroupKind) []string {
	switch gk {
	case schema.GroupKind{Kind: "Pod"}:
		return []string{"spec"}
	case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		return []string{"spec", "jobTemplate", "spec", "template", "spec"}
	case schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, schema.GroupKind{Kind: "ReplicationController"}:
		return []string{"spec", "template", "spec"}
	}
	if Restartable(gk) {
		return []string{"spec", "template", "spec"}
	}
	return nil
}

// Restartable says whether the pods of a kind start anew when their template changes.
func Restartable(gk schema.GroupKind) bool {
	return gk.Group == "apps" && (gk.Kind == "Deployment" || gk.Kind == "StatefulSet" || gk.Kind == "DaemonSet")
}

// Consumed lists what the pods of an object consume as values: variables and volumes. Not
// what the kubelet uses for itself, such as the credentials of a registry. Sorted.
func Consumed(o *unstructured.Unstructured) []revision.Content {
	fields := podSpec(o.GroupVersionKind().GroupKind())
	if fields == nil {
		return nil
	}
	raw, found, err := unstructured.NestedMap(o.Object, fields...)
	if err != nil || !found {
		return nil
	}
	var spec corev1.PodSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &spec); err != nil {
		return nil // the API server says what is wrong with it
	}
	s := &set{}
	for i := range spec.InitContainers {
		s.container(spec.InitContainers[i].Env, spec.InitContainers[i].EnvFrom)
	}
	for i := range spec.Containers {
		s.container(spec.Containers[i].Env, spec.Containers[i].EnvFrom)
	}
	for i := range spec.Volumes {
		s.volume(&spec.Volumes[i])
	}
	return s.list()
}

// set collects what is consumed, by object.
type set struct{ objects []*object }

// object is one Secret or ConfigMap. It is optional only if everything that uses it says so.
type object struct {
	kind, name    string
	keys          []string
	all, required bool
}

// add adds keys of an object; none for all of it.
func (s *set) add(kind, name string, optional *bool, keys ...string) {
	if name == "" {
		return
	}
	i := slices.IndexFunc(s.objects, func(o *object) bool { return o.kind == kind && o.name == name })
	if i < 0 {
		i = len(s.objects)
		s.objects = append(s.objects, &object{kind: kind, name: name})
	}
	o := s.objects[i]
	o.keys, o.all = append(o.keys, keys...), o.all || len(keys) == 0
	o.required = o.required || optional == nil || !*optional
}

func (s *set) container(env []corev1.EnvVar, from []corev1.EnvFromSource) {
	for _, e := range env {
		if e.ValueFrom == nil {
			continue
		}
		if r := e.ValueFrom.SecretKeyRef; r != nil {
			s.add(Secret, r.Name, r.Optional, r.Key)
		}
		if r := e.ValueFrom.ConfigMapKeyRef; r != nil {
			s.add(ConfigMap, r.Name, r.Optional, r.Key)
		}
	}
	for _, f := range from {
		if r := f.SecretRef; r != nil {
			s.add(Secret, r.Name, r.Optional)
		}
		if r := f.ConfigMapRef; r != nil {
			s.add(ConfigMap, r.Name, r.Optional)
		}
	}
}

func (s *set) volume(v *corev1.Volume) {
	if r := v.Secret; r != nil {
		s.add(Secret, r.SecretName, r.Optional, keysOf(r.Items)...)
	}
	if r := v.ConfigMap; r != nil {
		s.add(ConfigMap, r.Name, r.Optional, keysOf(r.Items)...)
	}
	if v.Projected == nil {
		return
	}
	for _, p := range v.Projected.Sources {
		if r := p.Secret; r != nil {
			s.add(Secret, r.Name, r.Optional, keysOf(r.Items)...)
		}
		if r := p.ConfigMap; r != nil {
			s.add(ConfigMap, r.Name, r.Optional, keysOf(r.Items)...)
		}
	}
}

func keysOf(items []corev1.KeyToPath) []string {
	out := make([]string, 0, len(items))
	for _, i := range items {
		out = append(out, i.Key)
	}
	return out
}

func (s *set) list() []revision.Content {
	out := make([]revision.Content, 0, len(s.objects))
	for _, o := range s.objects {
		c := revision.Content{Kind: o.kind, Name: o.name, Optional: !o.required}
		if !o.all {
			slices.Sort(o.keys)
			c.Keys = slices.Compact(o.keys)
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b revision.Content) int { return cmp.Compare(a.ID(), b.ID()) })
	return out
}
