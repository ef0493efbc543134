// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/x509"
	"time"
)

// publication is how far callers are known to trust the newest CA.
type publication struct {
	// since is when every webhook configuration was first seen to trust it
	// without a break; zero means that one does not.
	since time.Time
	// settle is how long API servers may take to notice.
	settle time.Duration
}

// leafPlan says with which CA to sign a new leaf, or, if signer is nil, to keep
// the one in use and when to ask again.
type leafPlan struct {
	signer *authority
	next   time.Time
}

// planLeaf decides which leaf to serve. The newest CA signs as soon as callers
// have had time to learn it; until then the one before does, and as long as
// that one lives well there is no hurry.
func planLeaf(c *contents, leaf *x509.Certificate, pub publication, now time.Time) leafPlan {
	switchAt := c.switchAt(pub, now)
	signer := c.current
	if now.Before(switchAt) {
		signer = c.previous
	}
	if leaf == nil || !c.signed(leaf) || !now.Before(twoThirds(leaf)) {
		return leafPlan{signer: signer}
	}
	fromCurrent := signedBy(leaf, c.current)
	if signer == c.current && !fromCurrent {
		return leafPlan{signer: signer}
	}
	next := twoThirds(leaf)
	if !fromCurrent && switchAt.Before(next) {
		next = switchAt
	}
	return leafPlan{next: next}
}

// switchAt is when the newest CA may sign: now if there is no other.
func (c *contents) switchAt(pub publication, now time.Time) time.Time {
	if c.previous == nil {
		return now
	}
	// Near its end the previous CA is the worse risk, published or not.
	life := c.previous.cert.NotAfter.Sub(c.previous.cert.NotBefore)
	at := c.previous.cert.NotAfter.Add(-life / 12)
	if pub.since.IsZero() {
		return at
	}
	if settled := pub.since.Add(min(pub.settle, life/12)); settled.Before(at) {
		return settled
	}
	return at
}

// signed reports whether a CA of the bundle signed the leaf.
func (c *contents) signed(leaf *x509.Certificate) bool {
	for _, cert := range c.trusted {
		if bytes.Equal(leaf.AuthorityKeyId, cert.SubjectKeyId) {
			return true
		}
	}
	return false
}

func signedBy(leaf *x509.Certificate, a *authority) bool {
	return bytes.Equal(leaf.AuthorityKeyId, a.cert.SubjectKeyId)
}
