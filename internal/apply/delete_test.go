// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// broken is a mapper whose API server does not answer.
type broken struct {
	meta.RESTMapper
	err error
}

func (b broken) RESTMapping(schema.GroupKind, ...string) (*meta.RESTMapping, error) {
	return nil, b.err
}

// What can not be found out must not count as gone: a delete would be told as done.
func TestAKindIsUndefinedOnlyWhereThatIsKnown(t *testing.T) {
	thing := schema.GroupKind{Group: "example.com", Kind: "Thing"}
	known := meta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: "example.com", Version: "v2"}})
	known.Add(thing.WithVersion("v2"), meta.RESTScopeNamespace)
	for name, tt := range map[string]struct {
		mapper meta.RESTMapper
		want   bool
	}{
		"defined in another version": {known, false},
		"not defined":                {meta.NewDefaultRESTMapper(nil), true},
		"no answer":                  {broken{err: errors.New("connection refused")}, false},
		"a group that is not served now": {broken{err: &meta.NoResourceMatchError{
			PartialResource: schema.GroupVersionResource{Group: "example.com", Version: "v2"},
		}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Undefined(tt.mapper, thing); got != tt.want {
				t.Errorf("undefined: %t, want %t", got, tt.want)
			}
		})
	}
}
