// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// errGone is the problem with a CA Secret that was there before.
var errGone = errors.New("the Secret was deleted or emptied")

// change says what a plan does to the CA Secret.
type change string

const (
	keep   change = "keep"
	create change = "create"
	repair change = "repair"
	rotate change = "rotate"
	prune  change = "prune"
)

// plan is the desired state of the CA Secret.
type plan struct {
	change change
	want   *contents
	// problem is why the Secret needs a repair.
	problem error
}

// planSecret decides what the CA Secret must hold, given what it holds and what
// this process remembers of it. It does nothing but compute; every CA that may
// still have signed a leaf in use stays in the bundle until it expires.
func planSecret(data map[string][]byte, remembered *contents, now time.Time, life time.Duration) (plan, error) {
	if len(data) == 0 && remembered == nil {
		want, err := succeed(nil, nil, now, life)
		return plan{change: create, want: want}, err
	}
	have, problem := parse(data)
	if len(data) == 0 {
		problem = errGone
	}
	if problem != nil {
		var last *authority
		leftover := have.trusted
		if remembered != nil {
			last = remembered.current
			leftover = append(leftover, remembered.trusted...)
		}
		want, err := succeed(last, leftover, now, life)
		return plan{change: repair, want: want, problem: problem}, err
	}
	if !now.Before(twoThirds(have.current.cert)) {
		want, err := succeed(have.current, have.trusted, now, life)
		return plan{change: rotate, want: want}, err
	}
	return prunePlan(have, now), nil
}

// succeed makes a new CA that follows last. The certificate of last is among
// the leftover ones, which stay trusted.
func succeed(last *authority, leftover []*x509.Certificate, now time.Time, life time.Duration) (*contents, error) {
	next, err := newAuthority(now, life)
	if err != nil {
		return nil, fmt.Errorf("making a new CA: %w", err)
	}
	c := &contents{current: next, trusted: []*x509.Certificate{next.cert}}
	if last != nil && !expired(last.cert, now) {
		c.previous = last
	}
	c.trust(now, leftover...)
	return c, nil
}

// prunePlan drops what has expired from the Secret.
func prunePlan(have *contents, now time.Time) plan {
	want := &contents{current: have.current}
	want.trust(now, have.trusted...)
	if have.previous != nil && !expired(have.previous.cert, now) {
		want.previous = have.previous
	}
	if len(want.trusted) == len(have.trusted) && (want.previous == nil) == (have.previous == nil) {
		return plan{change: keep, want: have}
	}
	return plan{change: prune, want: want}
}

// nextChange is when planSecret will next decide something else than keep.
func (c *contents) nextChange() time.Time {
	next := twoThirds(c.current.cert)
	for _, cert := range c.trusted {
		if cert.NotAfter.Before(next) {
			next = cert.NotAfter
		}
	}
	return next
}
