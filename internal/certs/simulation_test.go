// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"testing"
	"time"
)

const (
	simStep   = 10 * time.Minute
	simSettle = time.Hour
)

// replica is one manager: what it has seen and what it serves.
type replica struct {
	contents *contents
	since    time.Time
	leaf     *x509.Certificate
	// every says in which steps the replica notices anything at all.
	every int
}

// cluster is what the replicas share.
type cluster struct {
	secret map[string][]byte
	// history is the published bundle after each step.
	history [][]byte
	bundle  []byte
	changes map[change]int
	leaves  int
}

// act lets one replica do what Keeper.pass does, without an API server.
func (c *cluster) act(t *testing.T, r *replica, now time.Time) {
	t.Helper()
	p, err := planSecret(c.secret, r.contents, now, caLife)
	if err != nil {
		t.Fatalf("planSecret: %v", err)
	}
	c.changes[p.change]++
	if p.change != keep {
		c.secret = mustData(t, p.want)
	}
	fresh := r.contents == nil || !r.contents.current.cert.Equal(p.want.current.cert)
	r.contents = p.want
	missing := !r.contents.covers(c.bundle, now)
	if missing {
		c.bundle = r.contents.bundle()
	}
	if fresh || missing {
		r.since = now
	}
	if lp := planLeaf(r.contents, r.leaf, publication{since: r.since, settle: simSettle}, now); lp.signer != nil {
		r.leaf = mustLeaf(t, lp.signer, now, caLife/4)
		c.leaves++
	}
}

// TestNoCallFailsOverManyRotations plays three replicas, of which two notice
// late and all restart now and then, over ten lives of a CA, with the Secret
// spoiled from time to time. At every moment every leaf in use must verify
// against the published bundle, also for an API server that lags behind by
// nearly the time to settle.
func TestNoCallFailsOverManyRotations(t *testing.T) {
	const host = "kudo.kudo-system.svc"
	lag := int(simSettle/simStep) - 1
	c := &cluster{changes: map[change]int{}}
	replicas := []*replica{{every: 1}, {every: 2}, {every: 3}}
	for i := range 10 * int(caLife/simStep) {
		now := epoch.Add(time.Duration(i) * simStep)
		if i%331 == 330 {
			c.secret[SignerKey] = []byte("spoiled")
		}
		for n, r := range replicas {
			if i%97 == 30*n+7 {
				*r = replica{every: r.every}
			}
			if r.leaf == nil || i%r.every == 0 {
				c.act(t, r, now)
			}
		}
		c.history = append(c.history, c.bundle)
		for n, r := range replicas {
			if err := verify(r.leaf, c.bundle, host, now); err != nil {
				t.Fatalf("step %d, replica %d: %v", i, n, err)
			}
			if err := verify(r.leaf, c.history[max(0, i-lag)], host, now); err != nil {
				t.Fatalf("step %d, replica %d, lagging API server: %v", i, n, err)
			}
		}
	}
	if c.changes[create] != 1 || c.changes[rotate] < 10 || c.changes[repair] != 5 || c.leaves < 100 {
		t.Errorf("the simulation is too quiet: %v, %d leaves", c.changes, c.leaves)
	}
}
