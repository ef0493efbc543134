// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The keys of the CA Secret.
const (
	// BundleKey holds every CA certificate that callers must trust, PEM.
	BundleKey = "ca.crt"
	// SignerKey holds the private key of the CA that signs, PEM.
	SignerKey = "ca.key"
	// PreviousKey holds the private key of the CA that signed before, PEM. It
	// signs until every caller trusts the new one.
	PreviousKey = "previous.key"
)

// contents is what the CA Secret says.
type contents struct {
	// current is the newest CA.
	current *authority
	// previous is the CA before it, or nil.
	previous *authority
	// trusted are the certificates of the bundle: those of current and previous,
	// and any other that may still have signed a leaf in use.
	trusted []*x509.Certificate
}

// parse reads the data of the CA Secret. With an error, the contents hold no
// current CA but whatever CA certificates could be read, so that leaves they
// signed stay trusted.
func parse(data map[string][]byte) (*contents, error) {
	list, err := decodeCerts(data[BundleKey])
	c := &contents{trusted: slices.DeleteFunc(list, func(cert *x509.Certificate) bool { return !cert.IsCA })}
	if err != nil {
		return c, fmt.Errorf("%s: %w", BundleKey, err)
	}
	if len(c.trusted) == 0 {
		return c, fmt.Errorf("%s: no CA certificate", BundleKey)
	}
	current, err := c.pair(data[SignerKey])
	if err != nil {
		return c, fmt.Errorf("%s: %w", SignerKey, err)
	}
	c.current = current
	if len(data[PreviousKey]) > 0 {
		if c.previous, err = c.pair(data[PreviousKey]); err != nil {
			c.current = nil
			return c, fmt.Errorf("%s: %w", PreviousKey, err)
		}
	}
	return c, nil
}

// pair finds the certificate to a private key.
func (c *contents) pair(data []byte) (*authority, error) {
	key, err := decodeKey(data)
	if err != nil {
		return nil, err
	}
	for _, cert := range c.trusted {
		if key.PublicKey.Equal(cert.PublicKey) {
			return &authority{cert: cert, key: key}, nil
		}
	}
	return nil, fmt.Errorf("belongs to no certificate in %s", BundleKey)
}

// data is the reverse of parse.
func (c *contents) data() (map[string][]byte, error) {
	if c.current == nil {
		return nil, errors.New("encoding the CA: there is none")
	}
	key, err := encodeKey(c.current.key)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{BundleKey: c.bundle(), SignerKey: key}
	if c.previous == nil {
		return out, nil
	}
	if out[PreviousKey], err = encodeKey(c.previous.key); err != nil {
		return nil, err
	}
	return out, nil
}

// bundle is what callers must trust, PEM.
func (c *contents) bundle() []byte {
	return encodeCerts(c.trusted)
}

// trust adds certificates to the bundle, each once, and leaves out the expired.
func (c *contents) trust(now time.Time, list ...*x509.Certificate) {
	for _, cert := range list {
		if !expired(cert, now) && !c.trusts(cert) {
			c.trusted = append(c.trusted, cert)
		}
	}
}

func (c *contents) trusts(cert *x509.Certificate) bool {
	return slices.ContainsFunc(c.trusted, cert.Equal)
}

// covers reports whether bundle trusts every CA of c and holds nothing that is
// broken or expired. A bundle with another valid CA in it is left alone: two
// managers that see the Secret at different times must not fight.
func (c *contents) covers(bundle []byte, now time.Time) bool {
	have, err := decodeCerts(bundle)
	if err != nil {
		return false
	}
	for _, cert := range have {
		if expired(cert, now) && !c.trusts(cert) {
			return false
		}
	}
	for _, want := range c.trusted {
		if expired(want, now) {
			continue
		}
		if !slices.ContainsFunc(have, want.Equal) {
			return false
		}
	}
	return true
}
