// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package impersonate

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// recorder is an HTTP server that answers every request with an empty ConfigMap
// and remembers who asked.
type recorder struct {
	*httptest.Server
	mu          sync.Mutex
	requests    []*http.Request
	connections int
}

func newRecorder(tb testing.TB) *recorder {
	tb.Helper()
	r := &recorder{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.answer))
	r.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			r.mu.Lock()
			r.connections++
			r.mu.Unlock()
		}
	}
	r.EnableHTTP2 = true
	r.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	r.StartTLS()
	tb.Cleanup(r.Close)
	return r
}

func (r *recorder) answer(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, req.Clone(context.Background()))
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	cm := corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}}
	cm.APIVersion, cm.Kind = "v1", "ConfigMap"
	if strings.Contains(req.Header.Get("Accept"), "as=PartialObjectMetadata") {
		cm.APIVersion, cm.Kind = "meta.k8s.io/v1", "PartialObjectMetadata"
	}
	_ = json.NewEncoder(w).Encode(&cm)
}

func (r *recorder) seen() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// config is how a manager in a pod reaches the server: a CA and a token file.
func (r *recorder) config(tb testing.TB) *rest.Config {
	tb.Helper()
	token := filepath.Join(tb.TempDir(), "token")
	if err := os.WriteFile(token, []byte("manager-token"), 0o600); err != nil {
		tb.Fatal(err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	return &rest.Config{
		Host:            r.URL,
		BearerTokenFile: token,
		UserAgent:       "kudo-manager/test",
		TLSClientConfig: rest.TLSClientConfig{CAData: ca},
	}
}

func staticMapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	m.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	return m
}

func newTestPool(tb testing.TB, config *rest.Config, size int) *Pool {
	tb.Helper()
	p, err := NewPool(config, staticMapper(), clientgoscheme.Scheme, Options{Size: size})
	if err != nil {
		tb.Fatalf("NewPool: %v", err)
	}
	return p
}

func clientFor(tb testing.TB, p *Pool, a Account) client.Client {
	tb.Helper()
	c, err := p.ClientFor(a)
	if err != nil {
		tb.Fatalf("ClientFor(%s): %v", a, err)
	}
	return c
}
