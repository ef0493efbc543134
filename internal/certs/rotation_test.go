// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testingclock "k8s.io/utils/clock/testing"
)

// allowAll is a webhook server that allows everything. Each connection gets the
// leaf of the next manager, and serves one request, so that every call is a TLS
// handshake.
func allowAll(t *testing.T, keepers ...*Keeper) (url string, calls *atomic.Int64) {
	t.Helper()
	calls = &atomic.Int64{}
	handler := func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		review := admissionv1.AdmissionReview{}
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		_ = json.NewEncoder(w).Encode(review)
	}
	var turn atomic.Int64
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return keepers[int(turn.Add(1))%len(keepers)].GetCertificate(hello)
		},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(handler), ReadHeaderTimeout: 5 * time.Second}
	server.SetKeepAlivesEnabled(false)
	go func() { _ = server.Serve(tls.NewListener(listener, config)) }()
	t.Cleanup(func() { _ = server.Close() })
	return "https://" + listener.Addr().String() + "/", calls
}

// TestNoAdmissionFailsDuringRotation lets a real API server call two managers
// while CA and leaves are replaced every few seconds.
func TestNoAdmissionFailsDuringRotation(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	f := newFixture(t)
	f.opts.CALifetime, f.opts.LeafLifetime, f.opts.Settle = 18*time.Second, 6*time.Second, time.Second
	first, second := f.newKeeper(t), f.newKeeper(t)
	url, calls := allowAll(t, first, second)
	f.install(t, url)
	for _, k := range []*Keeper{first, second} {
		f.bootstrap(t, k)
		f.run(t, k)
	}

	authorities, leaves := map[string]bool{}, map[string]bool{}
	requests, failed := 0, 0
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: f.opts.Secret.Namespace, GenerateName: "call-"}}
		requests++
		if err := f.admin.Create(t.Context(), cm); err != nil {
			failed++
			t.Errorf("create %d: %v", requests, err)
		}
		for _, k := range []*Keeper{first, second} {
			leaf := servedBy(t, k)
			leaves[leaf.SerialNumber.String()] = true
			authorities[string(leaf.AuthorityKeyId)] = true
		}
	}
	t.Logf("creates %d, webhook calls %d, failed %d, CAs %d, leaves %d", requests, calls.Load(), failed, len(authorities), len(leaves))
	if failed > 0 || len(authorities) < 3 || len(leaves) < 10 || calls.Load() < 3*int64(requests) {
		t.Errorf("failed = %d of %d, CAs = %d, leaves = %d, calls = %d", failed, requests, len(authorities), len(leaves), calls.Load())
	}
}

// TestTimersDriveARotation lets only the clock of the manager pass.
func TestTimersDriveARotation(t *testing.T) {
	f := newFixture(t)
	f.install(t, "https://127.0.0.1:1/")
	clk := testingclock.NewFakeClock(epoch)
	f.opts.Clock, f.opts.CALifetime, f.opts.LeafLifetime = clk, caLife, caLife/3
	k := f.bootstrapped(t)
	f.run(t, k)
	first := f.settle(t).current.cert
	leaf := func() *x509.Certificate { return servedBy(t, k) }
	// A leaf that is young when the CA is due: the CA's own timer must fire.
	for due := twoThirds(first).Add(-time.Minute); clk.Now().Before(due); {
		clk.SetTime(minTime(due, twoThirds(leaf())))
		old := leaf()
		if !clk.Now().Before(twoThirds(old)) {
			eventually(t, "the leaf is renewed", func() bool { return !leaf().Equal(old) })
		}
		eventually(t, "the manager sleeps again", clk.HasWaiters)
	}
	if got := f.settle(t); len(got.trusted) != 1 {
		t.Fatalf("CAs = %d before two thirds of the first", len(got.trusted))
	}
	before := leaf()
	clk.SetTime(twoThirds(first))
	eventually(t, "old and new CA are published", func() bool {
		c, err := parse(f.secret(t).Data)
		return err == nil && len(c.trusted) == 2 && c.trusts(first) && !c.current.cert.Equal(first) && f.covered(t, c)
	})
	if got := f.settle(t); got.previous == nil || !leaf().Equal(before) {
		t.Error("the new CA signed before API servers had time to learn it")
	}
	second := f.settle(t).current.cert
	clk.Step(DefaultSettle)
	eventually(t, "the new CA signs", func() bool { return bytes.Equal(leaf().AuthorityKeyId, second.SubjectKeyId) })
	clk.SetTime(first.NotAfter)
	eventually(t, "the old CA is dropped everywhere", func() bool {
		c, err := parse(f.secret(t).Data)
		return err == nil && c.previous == nil && len(c.trusted) == 1 && bytes.Equal(f.bundles(t)[2], c.bundle())
	})
}

func servedBy(t *testing.T, k *Keeper) *x509.Certificate {
	t.Helper()
	c, err := k.GetCertificate(nil)
	if err != nil {
		t.Fatalf("GetCertificate: %v", err)
	}
	return c.Leaf
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
