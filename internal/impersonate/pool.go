// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package impersonate

import (
	"errors"
	"fmt"
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldOwner is the field manager of everything that is written as an account.
const FieldOwner = "kudo"

// DefaultSize is how many accounts a Pool remembers unless told otherwise.
const DefaultSize = 512

// Options tunes a Pool.
type Options struct {
	// Size bounds how many accounts are remembered; the one that was not used
	// for longest goes first. Zero means DefaultSize.
	Size int
}

// Pool hands out one small client per account. All of them share one HTTP
// transport, with the manager's authentication in it, and one REST mapper.
// A Pool is safe for concurrent use.
type Pool struct {
	base   *rest.Config
	shared http.RoundTripper
	mapper meta.RESTMapper
	scheme *runtime.Scheme

	// mu makes build-and-add one step, so that an account has one client.
	mu      sync.Mutex
	members *lru.Cache
}

type member struct {
	http     *http.Client
	client   client.Client
	metadata metadata.Interface
}

// NewPool returns a Pool whose clients authenticate as base does.
func NewPool(base *rest.Config, mapper meta.RESTMapper, scheme *runtime.Scheme, opts Options) (*Pool, error) {
	switch {
	case base == nil:
		return nil, errors.New("a pool of accounts needs a REST config")
	case mapper == nil || scheme == nil:
		return nil, errors.New("a pool of accounts needs a REST mapper and a scheme")
	case base.Impersonate.UserName != "" || base.Impersonate.UID != "" ||
		len(base.Impersonate.Groups) > 0 || len(base.Impersonate.Extra) > 0:
		return nil, errors.New("the REST config of a pool of accounts must not impersonate anyone itself")
	case opts.Size < 0:
		return nil, fmt.Errorf("size %d of a pool of accounts is negative", opts.Size)
	case opts.Size == 0:
		opts.Size = DefaultSize
	}
	base = rest.CopyConfig(base)
	// Priority and fairness in the API server is the rate limit; one per client
	// would multiply with the accounts.
	base.QPS, base.Burst, base.RateLimiter = -1, 0, nil
	if base.UserAgent == "" {
		base.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	shared, err := rest.TransportFor(base)
	if err != nil {
		return nil, fmt.Errorf("building the transport that all accounts share: %w", err)
	}
	return &Pool{base: base, shared: shared, mapper: mapper, scheme: scheme, members: lru.New(opts.Size)}, nil
}

// ClientFor returns the client that acts as the account. It reads from the API
// server, not from a cache, and writes as FieldOwner.
func (p *Pool) ClientFor(a Account) (client.Client, error) {
	m, err := p.memberFor(a)
	if err != nil {
		return nil, err
	}
	return m.client, nil
}

// MetadataFor returns the metadata client that acts as the account, for watches
// over any kind. It stays usable after the Pool has forgotten the account.
func (p *Pool) MetadataFor(a Account) (metadata.Interface, error) {
	m, err := p.memberFor(a)
	if err != nil {
		return nil, err
	}
	return m.metadata, nil
}

// ConfigFor returns a REST config that acts as the account, for protocols that
// dial on their own: exec, attach and port-forward. Prefer ClientFor and
// MetadataFor, whose connections are shared.
func (p *Pool) ConfigFor(a Account) (*rest.Config, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	config := rest.CopyConfig(p.base)
	config.Impersonate = rest.ImpersonationConfig{UserName: a.UserName()}
	return config, nil
}

// Forget drops what is remembered for the account, for instance when the
// ServiceAccount is gone. Clients already handed out go on working.
func (p *Pool) Forget(a Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members.Remove(a)
}

// Len returns how many accounts are remembered.
func (p *Pool) Len() int {
	return p.members.Len()
}

func (p *Pool) memberFor(a Account) (*member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.members.Get(a); ok {
		if m, ok := found.(*member); ok {
			return m, nil
		}
	}
	if err := a.Validate(); err != nil {
		return nil, err
	}
	m, err := p.build(a)
	if err != nil {
		return nil, fmt.Errorf("building the client of account %s: %w", a, err)
	}
	p.members.Add(a, m)
	return m, nil
}

func (p *Pool) build(a Account) (*member, error) {
	// Only the user name: with groups, a UID or extras, constrained
	// impersonation refuses and plain impersonation would be needed.
	as := transport.ImpersonationConfig{UserName: a.UserName()}
	httpClient := &http.Client{
		Transport: transport.NewImpersonatingRoundTripper(as, p.shared),
		Timeout:   p.base.Timeout,
	}
	c, err := client.New(p.base, client.Options{
		HTTPClient: httpClient,
		Scheme:     p.scheme,
		Mapper:     p.mapper,
		FieldOwner: FieldOwner,
	})
	if err != nil {
		return nil, err
	}
	m, err := metadata.NewForConfigAndClient(metadata.ConfigFor(p.base), httpClient)
	if err != nil {
		return nil, err
	}
	return &member{http: httpClient, client: c, metadata: m}, nil
}
