// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/x509"
	"maps"
	"slices"
	"testing"
	"time"
)

const caLife = 30 * time.Hour

func TestPlanSecret(t *testing.T) {
	a := mustAuthority(t, epoch, caLife)
	steady := &contents{current: a, trusted: []*x509.Certificate{a.cert}}
	b := mustAuthority(t, epoch.Add(20*time.Hour), caLife)
	rotating := &contents{current: b, previous: a, trusted: []*x509.Certificate{b.cert, a.cert}}
	keyless := mustData(t, steady)
	delete(keyless, SignerKey)
	garbage := map[string][]byte{BundleKey: []byte("?"), "other": []byte("?")}

	tests := map[string]struct {
		data       map[string][]byte
		remembered *contents
		at         time.Duration
		change     change
		// signs is the CA that signs after; nil means a new one.
		signs    *authority
		previous *authority
		trusts   []*x509.Certificate
	}{
		"first start":                 {change: create},
		"nothing to do":               {data: mustData(t, steady), change: keep, signs: a, trusts: []*x509.Certificate{a.cert}},
		"just before two thirds":      {data: mustData(t, steady), at: 19 * time.Hour, change: keep, signs: a, trusts: []*x509.Certificate{a.cert}},
		"two thirds":                  {data: mustData(t, steady), at: 20 * time.Hour, change: rotate, previous: a, trusts: []*x509.Certificate{a.cert}},
		"slept through the end":       {data: mustData(t, steady), at: 31 * time.Hour, change: rotate},
		"in the middle of a rotation": {data: mustData(t, rotating), at: 21 * time.Hour, change: keep, signs: b, previous: a, trusts: []*x509.Certificate{b.cert, a.cert}},
		"the old CA has expired":      {data: mustData(t, rotating), at: 31 * time.Hour, change: prune, signs: b, trusts: []*x509.Certificate{b.cert}},
		"garbage, nothing known":      {data: garbage, change: repair},
		"garbage, CA remembered":      {data: garbage, remembered: steady, change: repair, previous: a, trusts: []*x509.Certificate{a.cert}},
		"garbage, expired one known":  {data: garbage, remembered: steady, at: 31 * time.Hour, change: repair},
		"key lost, bundle saved":      {data: keyless, change: repair, trusts: []*x509.Certificate{a.cert}},
		"deleted":                     {remembered: rotating, at: 21 * time.Hour, change: repair, previous: b, trusts: []*x509.Certificate{b.cert, a.cert}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			now := epoch.Add(tc.at)
			p, err := planSecret(maps.Clone(tc.data), tc.remembered, now, caLife)
			if err != nil {
				t.Fatalf("planSecret: %v", err)
			}
			if p.change != tc.change {
				t.Fatalf("change = %s, want %s", p.change, tc.change)
			}
			if (p.problem != nil) != (tc.change == repair) {
				t.Errorf("problem = %v", p.problem)
			}
			want := tc.trusts
			if tc.signs == nil {
				if !p.want.current.cert.NotAfter.Equal(now.Add(caLife)) {
					t.Errorf("the new CA ends at %v, want %v", p.want.current.cert.NotAfter, now.Add(caLife))
				}
				want = slices.Concat([]*x509.Certificate{p.want.current.cert}, want)
			} else if !p.want.current.cert.Equal(tc.signs.cert) {
				t.Error("another CA signs")
			}
			if got := p.want.previous; (got == nil) != (tc.previous == nil) || got != nil && !got.key.Equal(tc.previous.key) {
				t.Errorf("previous CA = %v, want %v", got, tc.previous)
			}
			if !bytes.Equal(p.want.bundle(), encodeCerts(want)) {
				t.Errorf("the bundle holds %d certificates, want these %d", len(p.want.trusted), len(want))
			}
		})
	}
}

func TestNextChangeIsWhenThePlanChanges(t *testing.T) {
	a := mustAuthority(t, epoch, caLife)
	b := mustAuthority(t, epoch.Add(20*time.Hour), caLife)
	tests := map[string]*contents{
		"rotation is next": {current: a, trusted: []*x509.Certificate{a.cert}},
		"expiry is next":   {current: b, previous: a, trusted: []*x509.Certificate{b.cert, a.cert}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			next := c.nextChange()
			for at, wantKeep := range map[time.Time]bool{next.Add(-time.Second): true, next: false} {
				p, err := planSecret(mustData(t, c), nil, at, caLife)
				if err != nil {
					t.Fatalf("planSecret: %v", err)
				}
				if (p.change == keep) != wantKeep {
					t.Errorf("at %v (next change %v): %s", at, next, p.change)
				}
			}
		})
	}
}
