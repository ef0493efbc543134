// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/install"
)

// record is a write as it came, and what became of it.
type record struct {
	write
	// resource with its subresource, and the object's name; empty when it is created.
	resource, name string
	method         string
	// account that it was made as; empty for the manager's own.
	account string
	body    []byte
	began   time.Time
	ended   time.Time
	// passed says that the API server got it. It answered with a code, or not at all: 0.
	passed bool
	code   int
}

func newRecord(r *http.Request) *record {
	out := &record{method: r.Method, account: r.Header.Get("Impersonate-User"), began: time.Now()}
	parts := strings.Split(strings.TrimPrefix(place(r), "/"), "/")
	out.resource = parts[0]
	if len(parts) > 1 {
		out.name = parts[1]
	}
	if len(parts) > 2 {
		out.resource += "/" + parts[2]
	}
	if r.Body != nil {
		// A body that breaks off is passed on as far as it came.
		out.body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(out.body))
	}
	return out
}

// committed says whether the API server did it, as far as is known.
func (r *record) committed() bool { return r.passed && (r.code == 0 || r.code/100 == 2) }

// codec decodes what clients send, in whichever encoding.
var codec = serializer.NewCodecFactory(install.Scheme()).UniversalDeserializer()

// precondition is the UID that a delete insists on.
func (r *record) precondition() types.UID {
	options := &metav1.DeleteOptions{}
	decoded, _, err := codec.Decode(r.body, nil, nil)
	if typed, ok := decoded.(*metav1.DeleteOptions); err == nil && ok {
		options = typed
	}
	if options.Preconditions == nil || options.Preconditions.UID == nil {
		return ""
	}
	return *options.Preconditions.UID
}

// decode reads the object that was sent. Kudo's own kinds are sent as JSON.
func decode[T any](r *record) (*T, error) {
	out := new(T)
	if err := json.Unmarshal(r.body, out); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", r.write, err)
	}
	return out, nil
}

// target names the object of an effect: its resource and name.
func (r *record) target() (string, error) {
	if r.name != "" {
		return r.resource + "/" + r.name, nil
	}
	o := &metav1.PartialObjectMetadata{}
	if err := json.Unmarshal(r.body, o); err != nil {
		return "", fmt.Errorf("decoding %s: %w", r.write, err)
	}
	return r.resource + "/" + o.Name, nil
}

// targetOf is the same for a reference in status.
func targetOf(ref v1alpha1.ObjectReference) string {
	return strings.ToLower(ref.Kind) + "s/" + ref.Name
}
