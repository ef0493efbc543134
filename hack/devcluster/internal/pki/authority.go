// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pki makes the certificates and keys of a cluster.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
	// clockSkew lets a client whose clock is a little behind accept a certificate made just now.
	clockSkew = time.Minute
)

// KeyPair is a certificate and its private key, both as PEM.
type KeyPair struct {
	Cert []byte
	Key  []byte
}

// Authority is a certificate authority that signs the certificates of one cluster.
type Authority struct {
	// Pair is the authority's own certificate and key.
	Pair KeyPair

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

// NewAuthority makes an authority with a new key.
func NewAuthority(name string, now func() time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the authority's key: %w", err)
	}
	template, err := newTemplate(pkix.Name{CommonName: name}, now(), authorityLife)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	pair, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	return LoadAuthority(pair, now)
}

// LoadAuthority reads an authority from its certificate and key.
func LoadAuthority(pair KeyPair, now func() time.Time) (*Authority, error) {
	certBlock, _ := pem.Decode(pair.Cert)
	keyBlock, _ := pem.Decode(pair.Key)
	if certBlock == nil || keyBlock == nil {
		return nil, errors.New("reading the authority: certificate or key is not PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's key: %w", err)
	}
	return &Authority{Pair: pair, cert: cert, key: key, now: now}, nil
}

// Server signs a serving certificate for the names and addresses.
func (a *Authority) Server(names []string, addresses []net.IP) (KeyPair, error) {
	return a.leaf(pkix.Name{CommonName: "kube-apiserver"}, x509.ExtKeyUsageServerAuth, func(t *x509.Certificate) {
		t.DNSNames, t.IPAddresses = names, addresses
	})
}

// Client signs a client certificate: the API server takes its common name as user and its organizations as groups.
func (a *Authority) Client(user string, groups ...string) (KeyPair, error) {
	return a.leaf(pkix.Name{CommonName: user, Organization: groups}, x509.ExtKeyUsageClientAuth, func(*x509.Certificate) {})
}

func (a *Authority) leaf(subject pkix.Name, usage x509.ExtKeyUsage, edit func(*x509.Certificate)) (KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return KeyPair{}, fmt.Errorf("making the key of %s: %w", subject.CommonName, err)
	}
	template, err := newTemplate(subject, a.now(), leafLife)
	if err != nil {
		return KeyPair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	edit(template)
	return sign(template, a.cert, key, a.key)
}

// NewSigningKey makes the key that signs service account tokens, as PEM.
func NewSigningKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the service account key: %w", err)
	}
	return encodeKey(key)
}

func newTemplate(subject pkix.Name, now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(life),
	}, nil
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (KeyPair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return KeyPair{}, fmt.Errorf("signing the certificate of %s: %w", template.Subject.CommonName, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return KeyPair{}, err
	}
	return KeyPair{Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), Key: keyPEM}, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// Expires returns when the authority's own certificate ends.
func (a *Authority) Expires() time.Time { return a.cert.NotAfter }
