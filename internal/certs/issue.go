// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
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
	authorityName = "kudo-webhook-ca"
	certBlock     = "CERTIFICATE"
	keyBlock      = "EC PRIVATE KEY"
	// maxBackdate lets a machine whose clock is behind accept a new certificate.
	maxBackdate = time.Hour
)

// authority is a CA that can sign: its certificate and its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes a self-signed CA that is valid for life from now on.
func newAuthority(now time.Time, life time.Duration) (*authority, error) {
	template, key, err := newTemplate(now, now.Add(life), life)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{CommonName: authorityName}
	template.IsCA = true
	template.MaxPathLenZero = true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing the CA certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading back the CA certificate: %w", err)
	}
	return &authority{cert: cert, key: key}, nil
}

// issueLeaf makes a serving certificate for hosts, DNS names and IP addresses.
// It never outlives the CA: a bundle without the CA must not orphan it.
func (a *authority) issueLeaf(now time.Time, life time.Duration, hosts []string) (*tls.Certificate, error) {
	end := now.Add(life)
	if end.After(a.cert.NotAfter) {
		end = a.cert.NotAfter
	}
	template, key, err := newTemplate(now, end, life)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{CommonName: "kudo-webhook"}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("signing the serving certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading back the serving certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func newTemplate(now, end time.Time, life time.Duration) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generating a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, fmt.Errorf("generating a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		NotBefore:             now.Add(-min(maxBackdate, life/10)),
		NotAfter:              end,
		BasicConstraintsValid: true,
	}, key, nil
}

// twoThirds is when a certificate is due for renewal.
func twoThirds(c *x509.Certificate) time.Time {
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3)
}

func expired(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotAfter)
}

func encodeCerts(list []*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, c := range list {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: c.Raw}))
	}
	return out.Bytes()
}

// decodeCerts reads what it can: the certificates that are fine are returned
// together with an error about the rest.
func decodeCerts(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	var problems []error
	for len(bytes.TrimSpace(data)) > 0 {
		block, rest := pem.Decode(data)
		if block == nil {
			problems = append(problems, errors.New("not PEM"))
			break
		}
		data = rest
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		list = append(list, cert)
	}
	return list, errors.Join(problems...)
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}

func decodeKey(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	return x509.ParseECPrivateKey(block.Bytes)
}
