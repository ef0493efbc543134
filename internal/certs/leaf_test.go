// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestPlanLeaf(t *testing.T) {
	const leafLife, settle = 6 * time.Hour, time.Hour
	at := func(hours float64) time.Time { return epoch.Add(time.Duration(hours * float64(time.Hour))) }
	a := mustAuthority(t, epoch, caLife)
	b := mustAuthority(t, at(20), caLife)
	first := &contents{current: a, trusted: []*x509.Certificate{a.cert}}
	rotating := &contents{current: b, previous: a, trusted: []*x509.Certificate{b.cert, a.cert}}
	// forced is when the old CA stops signing whatever happens.
	forced := a.cert.NotAfter.Add(-a.cert.NotAfter.Sub(a.cert.NotBefore) / 12)
	leafA, leafB := mustLeaf(t, a, at(19), leafLife), mustLeaf(t, b, at(21.5), leafLife)

	tests := map[string]struct {
		c     *contents
		leaf  *x509.Certificate
		since time.Time
		now   time.Time
		// signer is nil if the leaf is kept until next.
		signer *authority
		next   time.Time
	}{
		"first leaf":                           {c: first, since: at(0), now: at(0), signer: a},
		"first leaf, not published":            {c: first, now: at(0), signer: a},
		"fresh leaf":                           {c: first, leaf: leafA, since: at(0), now: at(20), next: twoThirds(leafA)},
		"old leaf":                             {c: first, leaf: leafA, since: at(0), now: at(24), signer: a},
		"leaf of an unknown CA":                {c: first, leaf: leafB, since: at(0), now: at(22), signer: a},
		"new CA, not published":                {c: rotating, leaf: leafA, now: at(20.5), next: twoThirds(leafA)},
		"new CA, published a moment ago":       {c: rotating, leaf: leafA, since: at(20), now: at(20.5), next: at(21)},
		"new CA, settled":                      {c: rotating, leaf: leafA, since: at(20), now: at(21), signer: b},
		"new process, not settled":             {c: rotating, since: at(20.5), now: at(20.6), signer: a},
		"new process, not published":           {c: rotating, now: at(25), signer: a},
		"new process, settled":                 {c: rotating, since: at(20), now: at(22), signer: b},
		"leaf renewed before it has settled":   {c: rotating, leaf: leafA, since: at(23.5), now: at(24), signer: a},
		"never published, old CA at its end":   {c: rotating, now: forced, signer: b},
		"published late, old CA at its end":    {c: rotating, since: forced.Add(-time.Minute), now: forced, signer: b},
		"new leaf, bundle reset by a stranger": {c: rotating, leaf: leafB, now: at(22), next: twoThirds(leafB)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := planLeaf(tc.c, tc.leaf, publication{since: tc.since, settle: settle}, tc.now)
			if got.signer != tc.signer {
				t.Fatalf("signer = %s, want %s", nameOf(got.signer, a, b), nameOf(tc.signer, a, b))
			}
			if tc.signer == nil && !got.next.Equal(tc.next) {
				t.Errorf("next = %v, want %v", got.next, tc.next)
			}
		})
	}
}

func TestSettleIsCappedByTheLifeOfTheCA(t *testing.T) {
	a, b := mustAuthority(t, epoch, caLife), mustAuthority(t, epoch, caLife)
	c := &contents{current: b, previous: a, trusted: []*x509.Certificate{b.cert, a.cert}}
	got := c.switchAt(publication{since: epoch, settle: 1000 * time.Hour}, epoch)
	life := a.cert.NotAfter.Sub(a.cert.NotBefore)
	if want := epoch.Add(life / 12); !got.Equal(want) {
		t.Errorf("switchAt = %v, want %v", got, want)
	}
}

func nameOf(x, a, b *authority) string {
	switch x {
	case nil:
		return "none"
	case a:
		return "the old CA"
	case b:
		return "the new CA"
	}
	return "a stranger"
}
