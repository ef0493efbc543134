// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kubelet makes a node on which only logs work: the API server asks it as it would ask a
// kubelet. Each log is the text, the path that was asked for and whether the previous one was.
func (w *World) Kubelet(t testing.TB, node, log string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprintf(w, "%s of %s, previous=%s\n", log, r.URL.Path, r.URL.Query().Get("previous")) //nolint:gosec // no browser reads it
	}))
	t.Cleanup(server.Close)
	_, text, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	o := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
	if err := w.Admin().Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	o.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(port)
	if err := w.Admin().Status().Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}
