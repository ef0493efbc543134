// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What webhooks warn of is for the person who types, once, and not for a log that nobody set up.
func TestWarningsAreShown(t *testing.T) {
	answers := map[string]string{
		"/api":    `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":   `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`,
		"/api/v1": `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["get"]}]}`,

		"/api/v1/namespaces/ns/configmaps/a": `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"ns"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/a") {
			w.Header().Set("Warning", `299 - "there is no such account yet"`)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answers[r.URL.Path]))
	}))
	t.Cleanup(server.Close)
	var out bytes.Buffer
	e := New(genericiooptions.IOStreams{ErrOut: &out})
	cache := t.TempDir()
	e.Config.APIServer, e.Config.CacheDir = &server.URL, &cache
	c, err := e.Client()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "a"}, &corev1.ConfigMap{}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "Warning: there is no such account yet\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
