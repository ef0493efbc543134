// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"

	"k8s.io/client-go/rest"
)

// fault is what happens to one write.
type fault struct {
	// write that is meant.
	write write
	// before: the API server never sees it. Else it does, and nobody hears the answer.
	before bool
	// crash is called at that moment: it returns once the manager is gone. Nil: only the
	// connection breaks.
	crash func()
	// status is answered instead, where it is not 0.
	status int
}

// proxy stands between the manager and the API server: it counts the writes that
// concern one namespace, and spoils one of them. It holds no credentials of its own.
type proxy struct {
	server  *httptest.Server
	forward *httputil.ReverseProxy

	mu        sync.Mutex
	namespace string
	seen      map[string]int
	trace     []write
	fault     *fault
	fired     chan struct{}
}

// newProxy serves HTTPS on loopback, with a certificate of its own.
func newProxy(admin *rest.Config) (*proxy, error) {
	target, err := url.Parse(admin.Host)
	if err != nil {
		return nil, fmt.Errorf("parsing the address of the API server: %w", err)
	}
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(admin))
	if err != nil {
		return nil, fmt.Errorf("connecting to the API server: %w", err)
	}
	p := &proxy{forward: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // watches stream
		ErrorLog:      quiet,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // as if there were no proxy: the connection breaks
		},
	}}
	p.watch("", nil)
	p.server = httptest.NewUnstartedServer(p)
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = quiet
	p.server.StartTLS()
	return p, nil
}

// watch starts to count the writes that concern a namespace, with at most one fault.
// The returned channel is closed once the fault has happened.
func (p *proxy) watch(namespace string, f *fault) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.namespace, p.fault, p.seen, p.trace, p.fired = namespace, f, map[string]int{}, nil, make(chan struct{})
	return p.fired
}

// writes are those that were seen since watch, in their order.
func (p *proxy) writes() []write {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]write(nil), p.trace...)
}

// count takes a request down and says which fault it meets, if any.
func (p *proxy) count(r *http.Request) (f *fault, fired chan struct{}) {
	key, counts := identify(r, p.watched())
	if !counts {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[key]++
	w := write{key: key, nth: p.seen[key]}
	p.trace = append(p.trace, w)
	if p.fault == nil || p.fault.write != w {
		return nil, nil
	}
	f, p.fault = p.fault, nil
	return f, p.fired
}

func (p *proxy) watched() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.namespace
}

// ServeHTTP passes a request on, unless it is the one that is to be spoiled.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, fired := p.count(r)
	if f == nil {
		p.forward.ServeHTTP(w, r)
		return
	}
	defer close(fired)
	if f.status != 0 {
		refuse(w, f.status)
		return
	}
	if !f.before {
		p.forward.ServeHTTP(httptest.NewRecorder(), r)
	}
	if f.crash != nil {
		f.crash()
	}
	panic(http.ErrAbortHandler)
}

func (p *proxy) close() {
	p.server.CloseClientConnections()
	p.server.Close()
}
