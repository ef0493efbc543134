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
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// proxy stands between managers and the API server: it takes down the writes that
// concern one namespace, spoils some of them, and what the managers see of the cluster.
// It holds no credentials of its own.
type proxy struct {
	server  *httptest.Server
	forward *httputil.ReverseProxy
	views   *views
	// strike hands a write to a fault.
	strike func(*fault, *exchange)

	// down says that nothing is passed on: the API server is dead, or not ready yet. Until
	// then a load balancer lets nobody through to it, for it does not know the roles.
	down atomic.Bool

	mu        sync.Mutex
	namespace string
	seen      map[string]int
	records   []*record
	chain     []*armed
	// marked is called when a write comes, before anything is done with it.
	marked map[write]func()
}

// armed is a fault that waits for its write.
type armed struct {
	*fault
	// ready says that it is this one's turn.
	ready bool
	// count of writes since then.
	count int
	fired chan struct{}
	once  sync.Once
	// lifted ends a sticky one.
	lifted bool
}

func (a *armed) fire() { a.once.Do(func() { close(a.fired) }) }

func (a *armed) hasFired() bool {
	select {
	case <-a.fired:
		return true
	default:
		return false
	}
}

// matches counts a write and says whether the fault strikes it.
func (a *armed) matches(w write) bool {
	if !a.ready || a.lifted || a.strike == nil {
		return false
	}
	a.count++
	if a.hasFired() {
		return a.sticky && w.key == a.write.key
	}
	if a.write.key == "" {
		return a.count == a.write.nth
	}
	return w == a.write || (w.key == a.write.key && a.sticky && w.nth > a.write.nth)
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
	p := &proxy{views: newViews()}
	p.forward = &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      transport,
		FlushInterval:  -1, // watches stream
		ModifyResponse: p.views.follow,
		ErrorLog:       quiet,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // as if there were no proxy: the connection breaks
		},
	}
	p.watch("", nil)
	p.server = httptest.NewUnstartedServer(p)
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = quiet
	p.server.StartTLS()
	return p, nil
}

// watch starts to take down the writes that concern a namespace, with a chain of faults.
func (p *proxy) watch(namespace string, f *fault) []*armed {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.namespace, p.seen, p.records, p.chain, p.marked = namespace, map[string]int{}, nil, nil, map[write]func(){}
	for ; f != nil; f = f.next {
		p.chain = append(p.chain, &armed{fault: f, fired: make(chan struct{}), ready: len(p.chain) == 0})
	}
	return p.chain
}

// arm makes it a fault's turn.
func (p *proxy) arm(a *armed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.ready = true
}

// mark has a function called when a write comes.
func (p *proxy) mark(w write, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marked[w] = f
}

// tell calls whoever waits for a write.
func (p *proxy) tell(w write) {
	p.mu.Lock()
	f := p.marked[w]
	delete(p.marked, w)
	p.mu.Unlock()
	if f != nil {
		f()
	}
}

// lift ends what strikes again and again.
func (p *proxy) lift() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.chain {
		a.lifted = true
	}
}

// writes are those that were seen since watch, in their order.
func (p *proxy) writes() []write {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]write, 0, len(p.records))
	for _, r := range p.records {
		out = append(out, r.write)
	}
	return out
}

// log is what is known of those writes.
func (p *proxy) log() []record {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]record, 0, len(p.records))
	for _, r := range p.records {
		out = append(out, *r)
	}
	return out
}

// count takes a request down and says which fault it meets, if any.
func (p *proxy) count(r *http.Request) (*record, *armed) {
	p.mu.Lock()
	namespace := p.namespace
	p.mu.Unlock()
	key, counts := identify(r, namespace)
	if !counts {
		return nil, nil
	}
	taken := newRecord(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.namespace != namespace {
		return nil, nil
	}
	p.seen[key]++
	taken.write = write{key: key, nth: p.seen[key]}
	p.records = append(p.records, taken)
	for _, a := range p.chain {
		if a.matches(taken.write) {
			return taken, a
		}
	}
	return taken, nil
}

// ServeHTTP passes a request on, unless it is one that is to be spoiled.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.down.Load() {
		panic(http.ErrAbortHandler)
	}
	if p.views.refuses(r) {
		refuse(w, http.StatusGone)
		return
	}
	p.views.rewrite(r)
	taken, a := p.count(r)
	if taken == nil {
		p.forward.ServeHTTP(w, r)
		return
	}
	p.tell(taken.write)
	pass := func(w http.ResponseWriter) {
		answer := &answer{ResponseWriter: w}
		defer p.answered(taken, answer)
		p.forward.ServeHTTP(answer, r)
	}
	if a == nil {
		pass(w)
		return
	}
	defer a.fire()
	p.strike(a.fault, &exchange{answer: w, request: r, pass: pass, hit: a.fire})
}

// answered completes the record of a write that was passed on.
func (p *proxy) answered(taken *record, a *answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken.passed, taken.ended, taken.code = true, time.Now(), a.code
}

func (p *proxy) close() {
	p.views.reset()
	p.server.CloseClientConnections()
	p.server.Close()
}

// answer remembers the status that the API server answered with.
type answer struct {
	http.ResponseWriter
	code int
}

// WriteHeader takes it down.
func (a *answer) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}

// Unwrap lets the answer be flushed.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
