// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package certs lets the manager serve webhooks without anyone's help: it keeps
// a CA in a Secret, serves a leaf from memory and tells the API server, through
// the caBundle of its webhook configurations, to trust it.
//
// Every replica does all of it. Writes to the Secret are guarded by its resource
// version, so that the replicas agree on one CA; a CA is replaced in steps, so
// that at any moment every leaf in use is signed by a CA that callers trust.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldManager owns what this package writes.
const FieldManager = "kudo-certs"

// ErrNotReady reports that there is no serving certificate yet.
var ErrNotReady = errors.New("the webhook certificate is not ready")

// Keeper keeps the CA, the leaf and the caBundles in order.
type Keeper struct {
	opts Options

	leaf    atomic.Pointer[tls.Certificate]
	lagging atomic.Pointer[[]string]

	// mu makes one pass at a time; it guards what follows.
	mu       sync.Mutex
	wrote    written
	contents *contents
	since    time.Time
}

// New returns a Keeper that has done nothing yet.
func New(opts Options) (*Keeper, error) {
	opts.setDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	return &Keeper{opts: opts, wrote: written{}}, nil
}

// Bootstrap does everything once, before the manager starts: the CA, the leaf
// and the caBundles of those configurations that exist. The client must not
// read from a cache, and must know core/v1 and admissionregistration/v1.
func (k *Keeper) Bootstrap(ctx context.Context, c client.Client) error {
	patience := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 7}
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, patience, func(ctx context.Context) (bool, error) {
		_, last = k.pass(ctx, c, c)
		if outrun(last) {
			return false, nil
		}
		return true, last
	})
	if err != nil && last != nil {
		err = last
	}
	if err != nil {
		return fmt.Errorf("preparing the webhook certificate: %w", err)
	}
	return nil
}

// outrun reports that another manager wrote first; what it wrote is to be used.
func outrun(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
}

// GetCertificate is for tls.Config.GetCertificate. It never waits.
func (k *Keeper) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if leaf := k.leaf.Load(); leaf != nil {
		return leaf, nil
	}
	return nil, ErrNotReady
}

// Check is a readiness check: there is a valid leaf, and every webhook
// configuration that exists trusts it.
func (k *Keeper) Check(*http.Request) error {
	leaf := k.leaf.Load()
	if leaf == nil {
		return ErrNotReady
	}
	if expired(leaf.Leaf, k.opts.Clock.Now()) {
		return fmt.Errorf("the webhook certificate has expired at %s", leaf.Leaf.NotAfter.Format(time.RFC3339))
	}
	if names := k.lagging.Load(); names != nil && len(*names) > 0 {
		return fmt.Errorf("the webhook certificate is not trusted by %s", strings.Join(*names, ", "))
	}
	return nil
}

// pass compares everything with what it should be, writes what differs, and
// returns when time alone will make the next difference.
func (k *Keeper) pass(ctx context.Context, reader client.Reader, writer client.Writer) (time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	secretErr := k.syncSecret(ctx, reader, writer)
	if k.contents == nil {
		return time.Time{}, secretErr
	}
	// Callers first: a leaf is signed by a new CA only when they trust it.
	publishErr := k.publish(ctx, reader, writer)
	next, leafErr := k.renewLeaf()
	if change := k.contents.nextChange(); change.Before(next) {
		next = change
	}
	return next, errors.Join(secretErr, publishErr, leafErr)
}

func (k *Keeper) renewLeaf() (time.Time, error) {
	now := k.opts.Clock.Now()
	p := k.planLeaf(now)
	if p.signer == nil {
		return p.next, nil
	}
	leaf, err := p.signer.issueLeaf(now, k.opts.LeafLifetime, k.opts.hosts())
	if err != nil {
		return now, err
	}
	k.leaf.Store(leaf)
	k.opts.Log.Info("Issued a webhook certificate", "notAfter", leaf.Leaf.NotAfter, "caSerial", p.signer.cert.SerialNumber.Text(16))
	return k.planLeaf(now).next, nil
}

func (k *Keeper) planLeaf(now time.Time) leafPlan {
	var inUse *x509.Certificate
	if leaf := k.leaf.Load(); leaf != nil {
		inUse = leaf.Leaf
	}
	return planLeaf(k.contents, inUse, publication{since: k.since, settle: k.opts.Settle}, now)
}
