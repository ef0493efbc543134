// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package content

import (
	"encoding/base64"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// Digest is over the values of an object that pods consume: keys, or all if there are
// none. Metadata does not count. It must stay the same under every build of Kudo: pods
// carry what follows from it.
func Digest(o *unstructured.Unstructured, keys []string) (string, error) {
	values := map[string]string{} // as base64
	for key, value := range mapOf(o, "data") {
		if o.GetKind() == Secret {
			values[key] = canonical(value)
		} else {
			values[key] = base64.StdEncoding.EncodeToString([]byte(value))
		}
	}
	for key, value := range mapOf(o, "binaryData") {
		values[key] = canonical(value)
	}
	for key, value := range mapOf(o, "stringData") { // of a Secret that is rendered
		values[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	for key := range values {
		if len(keys) > 0 && !slices.Contains(keys, key) {
			delete(values, key)
		}
	}
	digest, err := revision.Digest(values)
	if err != nil {
		return "", fmt.Errorf("the values of %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return digest, nil
}

func mapOf(o *unstructured.Unstructured, field string) map[string]string {
	out := map[string]string{}
	raw, _, err := unstructured.NestedFieldNoCopy(o.Object, field)
	if err != nil {
		return out
	}
	values, _ := raw.(map[string]any)
	for key, value := range values {
		if text, ok := value.(string); ok {
			out[key] = text
		}
	}
	return out
}

// canonical is base64 as the API server writes it.
func canonical(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return text // the API server refuses it
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// readable is how much of a digest is shown where people look.
const readable = 16

// Hash is over everything that pods consume, as far as it is a reason to restart them.
// Empty if they consume nothing.
func Hash(consumed, known []revision.Content) (string, error) {
	var out []map[string]string
	for _, c := range consumed {
		if k := revision.FindContent(known, c); k != nil {
			out = append(out, map[string]string{"id": c.ID(), "digest": k.Digest})
		}
	}
	if len(out) == 0 {
		return "", nil
	}
	digest, err := revision.Digest(out)
	if err != nil {
		return "", err
	}
	return digest[:readable], nil
}

// Stamp makes the pods of an object start anew when what they consume has changed, and
// only then.
func Stamp(o *unstructured.Unstructured, hash string) error {
	at := o.Object
	for _, field := range []string{"spec", "template", "metadata", "annotations"} {
		if at[field] == nil {
			at[field] = map[string]any{}
		}
		next, ok := at[field].(map[string]any)
		if !ok {
			return fmt.Errorf("%s %s: %s of its pod template is no map", o.GetKind(), o.GetName(), field)
		}
		at = next
	}
	at[v1alpha1.AnnotationContent] = hash
	return nil
}

// Missing lists what pods need to start and what is not known to be there.
func Missing(consumed, known []revision.Content) []revision.Content {
	var out []revision.Content
	for _, c := range consumed {
		if k := revision.FindContent(known, c); k != nil && !k.Own && !c.Optional && k.Digest == "" {
			out = append(out, c)
		}
	}
	return out
}

// Merge adds to a list what it does not have yet.
func Merge(list, more []revision.Content) []revision.Content {
	for _, c := range more {
		switch known := revision.FindContent(list, c); {
		case known == nil:
			list = append(list, c)
		case known.Optional && !c.Optional:
			known.Optional = false
		}
	}
	return list
}

// Changed says whether a value that pods consume is another one than was known. What is
// gone is no other value, unless pods start without it: those that run keep what they have.
func Changed(known revision.Content, now string) bool {
	return known.Digest != now && (now != "" || known.Optional)
}

// All is one digest of what is there now.
func All(now []revision.Content) (string, error) {
	out := make([]map[string]string, 0, len(now))
	for _, c := range now {
		out = append(out, map[string]string{"id": c.ID(), "digest": c.Digest})
	}
	digest, err := revision.Digest(out)
	if err != nil {
		return "", err
	}
	return digest[:readable], nil
}
