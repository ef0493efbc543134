// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// object checks that a document is one Kubernetes object with a name.
func object(v any) (*unstructured.Unstructured, *Error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, &Error{Reason: ReasonObject, Msg: "the document is a " + kindOf(v) + " and no Kubernetes object", Hint: "it needs apiVersion, kind and metadata.name"}
	}
	obj := &unstructured.Unstructured{Object: m}
	kind, _ := m["kind"].(string)
	version, _ := m["apiVersion"].(string)
	if version == "" {
		return nil, &Error{Reason: ReasonObject, Object: kind, Field: "apiVersion", Msg: "is missing or no string"}
	}
	if kind == "" {
		return nil, &Error{Reason: ReasonObject, Field: "kind", Msg: "is missing or no string"}
	}
	if _, err := schema.ParseGroupVersion(version); err != nil {
		return nil, &Error{Reason: ReasonObject, Object: kind, Field: "apiVersion", Msg: "is not of the form group/version"}
	}
	if _, items := m["items"]; items && strings.HasSuffix(kind, "List") {
		return nil, &Error{Reason: ReasonObject, Object: kind, Msg: "lists of objects are not accepted", Hint: "write its items as documents of their own, between lines of ---"}
	}
	return obj, metadataShape(m, kind)
}

func metadataShape(m map[string]any, kind string) *Error {
	meta, ok := m["metadata"].(map[string]any)
	if !ok {
		return &Error{Reason: ReasonObject, Object: kind, Field: "metadata", Msg: "is missing or no map"}
	}
	if _, found := meta["generateName"]; found {
		return &Error{Reason: ReasonObject, Object: kind, Field: "metadata.generateName", Msg: "is not accepted: every render would be another object", Hint: "set metadata.name"}
	}
	name, _ := meta["name"].(string)
	if name == "" {
		return &Error{Reason: ReasonObject, Object: kind, Field: "metadata.name", Msg: "is missing or no string"}
	}
	if ns, found := meta["namespace"]; found && ns != nil {
		if _, ok := ns.(string); !ok {
			return &Error{Reason: ReasonObject, Object: kind + "/" + name, Field: "metadata.namespace", Msg: "is no string"}
		}
	}
	for _, field := range []string{"labels", "annotations"} {
		if err := stringMap(meta[field], kind+"/"+name, "metadata."+field); err != nil {
			return err
		}
	}
	return nil
}

func stringMap(v any, object, path string) *Error {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return &Error{Reason: ReasonObject, Object: object, Field: path, Msg: "is no map"}
	}
	for _, item := range m {
		if _, ok := item.(string); !ok {
			return &Error{Reason: ReasonObject, Object: object, Field: path, Msg: "has a value that is no string", Hint: "use quote for numbers and booleans"}
		}
	}
	return nil
}

// identity is what the API server takes for the same object, whatever the version.
type identity struct {
	group, kind, namespace, name string
}

func identityOf(obj *unstructured.Unstructured) identity {
	gk := obj.GroupVersionKind().GroupKind()
	return identity{gk.Group, gk.Kind, obj.GetNamespace(), obj.GetName()}
}

// title names an object in messages.
func title(obj *unstructured.Unstructured) string { return obj.GetKind() + "/" + obj.GetName() }
