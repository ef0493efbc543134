// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/authority"
)

// Watched are the kinds that the manager watches under its own read-only role.
func Watched() []schema.GroupVersionKind { return authority.Watched() }

// Reader reads objects of an Instance: from the manager's cache where the kind is
// watched, as the account where not.
type Reader struct {
	cache   client.Reader
	watched sets.Set[schema.GroupVersionKind]
}

// NewReader returns a Reader over the manager's cache.
func NewReader(cache client.Reader) *Reader {
	return &Reader{cache: cache, watched: sets.New(Watched()...)}
}

// IsWatched says whether a change of an object of this kind wakes the manager.
func (r *Reader) IsWatched(gvk schema.GroupVersionKind) bool { return r.watched.Has(gvk) }

// Get returns the object, or nil if there is none.
func (r *Reader) Get(ctx context.Context, as client.Reader, ref v1alpha1.ObjectReference) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(ref.APIVersion)
	u.SetKind(ref.Kind)
	from := as
	if r.watched.Has(u.GroupVersionKind()) {
		from = r.cache
	}
	err := from.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, u)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", Describe(ref), err)
	}
	return u, nil
}

// Describe names an object for people: "StatefulSet default/zk".
func Describe(ref v1alpha1.ObjectReference) string {
	if ref.Namespace == "" {
		return ref.Kind + " " + ref.Name
	}
	return ref.Kind + " " + ref.Namespace + "/" + ref.Name
}
