// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package dynamic

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
)

// trim keeps of an object what is asked for, and drops the rest.
func trim(o *metav1.PartialObjectMetadata) {
	owner, owned := o.Annotations[v1alpha1.AnnotationOwner]
	o.Annotations = nil
	if owned {
		o.Annotations = map[string]string{v1alpha1.AnnotationOwner: owner}
	}
	o.ManagedFields = slices.DeleteFunc(o.ManagedFields, func(e metav1.ManagedFieldsEntry) bool { return !drift.Relevant(&e) })
}

// store takes in an object and wakes its Instance.
func (s *stream) store(o *metav1.PartialObjectMetadata) {
	o.SetGroupVersionKind(s.key.GVK) // a watch tells it as PartialObjectMetadata
	s.mu.Lock()
	before := s.objects[o.Name]
	s.mu.Unlock()
	changed := before == nil
	if s.key.observes() {
		o.Annotations, o.ManagedFields = nil, nil
		changed = changed || before.UID != o.UID || before.ResourceVersion != o.ResourceVersion
	} else {
		trim(o)
		changed = changed || !drift.SameClaims(before, o)
	}
	s.mu.Lock()
	s.objects[o.Name] = o
	s.mu.Unlock()
	s.wake(o, changed)
}

func (s *stream) forget(o *metav1.PartialObjectMetadata) {
	s.mu.Lock()
	delete(s.objects, o.Name)
	s.mu.Unlock()
	trim(o)
	s.wake(o, true)
}

// wake tells the Instance of an object, if it is one that holds this stream: another
// account's Instances may have objects in the same namespace. What is watched whoever made
// it concerns all that hold the stream.
func (s *stream) wake(o *metav1.PartialObjectMetadata, atRest bool) {
	if s.key.observes() {
		if atRest {
			s.wakeAll()
		}
		return
	}
	instance, ok := InstanceOf(o)
	if !ok || !s.holds(instance) {
		return
	}
	s.watcher.tell(Event{Instance: instance, AtRest: atRest})
}

// all are the objects that the stream knows; ok says whether it runs.
func (s *stream) all() (objects []*metav1.PartialObjectMetadata, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		objects = append(objects, o)
	}
	return objects, s.running
}

func (s *stream) holds(instance types.NamespacedName) bool {
	for _, i := range s.instances() {
		if i == instance {
			return true
		}
	}
	return false
}

func (s *stream) instances() []types.NamespacedName {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []types.NamespacedName
	for _, i := range s.holders {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// up says that the watch runs. What a watch that began anew did not tell is gone.
func (s *stream) up(seen map[string]bool, version string) {
	s.version = version
	s.mu.Lock()
	changed := !s.running
	s.running, s.err = true, nil
	if seen != nil {
		for name := range s.objects {
			if !seen[name] {
				delete(s.objects, name)
				changed = true
			}
		}
	}
	s.mu.Unlock()
	if changed {
		s.wakeAll()
	}
}

// down says that the watch does not run: who relied on it has to look for itself.
func (s *stream) down(err error) {
	s.mu.Lock()
	changed := s.running || s.err == nil
	s.running, s.err = false, err
	s.mu.Unlock()
	if changed {
		s.wakeAll()
	}
}

func (s *stream) wakeAll() {
	for _, i := range s.instances() {
		s.watcher.tell(Event{Instance: i, AtRest: true, Observed: s.key.Any})
	}
}
