// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// views decide what the managers see of the cluster, and when: their watches and lists.
type views struct {
	mu sync.Mutex
	// changed is closed when anything below changes.
	changed chan struct{}
	// delay of every event.
	delay time.Duration
	// frozen resources show no event.
	frozen map[string]bool
	// cuts counts how often the watches were cut.
	cuts int
	// expired resources have lost their history: the next watch that goes on is refused.
	expired map[string]bool
	// open watches by resource.
	open map[string]int
	// past is the resourceVersion that lists are answered from; empty for the present.
	past string
	// pastOf is the only resource that lags; empty for all: each has a cache of its own.
	pastOf string
}

func newViews() *views {
	return &views{changed: make(chan struct{}), frozen: map[string]bool{}, expired: map[string]bool{}, open: map[string]int{}}
}

// change changes what is seen.
func (v *views) change(edit func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	edit()
	close(v.changed)
	v.changed = make(chan struct{})
}

// reset shows everything as it is.
func (v *views) reset() {
	v.change(func() {
		v.delay, v.past, v.pastOf = 0, "", ""
		v.frozen, v.expired = map[string]bool{}, map[string]bool{}
	})
}

// cut ends all watches, and lets the API server have forgotten where they were.
func (v *views) cut() {
	v.change(func() {
		v.cuts++
		for resource, n := range v.open {
			if n > 0 {
				v.expired[resource] = true
			}
		}
	})
}

// watched is the resource that a request watches; empty if it does not.
func watched(u *url.URL) string {
	if w := u.Query().Get("watch"); w != "true" && w != "1" {
		return ""
	}
	return strings.Split(placeOf(u.Path), "/")[0]
}

// refuses says whether a watch goes on from where nobody remembers.
func (v *views) refuses(r *http.Request) bool {
	resource := watched(r.URL)
	if resource == "" || r.URL.Query().Get("sendInitialEvents") == "true" {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	refused := v.expired[resource]
	delete(v.expired, resource)
	return refused
}

// rewrite lets a list that would take any state get an old one, as from an API server
// that lags behind.
func (v *views) rewrite(r *http.Request) {
	v.mu.Lock()
	past := v.past
	if v.pastOf != "" && v.pastOf != strings.Split(placeOf(r.URL.Path), "/")[0] {
		past = ""
	}
	v.mu.Unlock()
	query := r.URL.Query()
	if past == "" || r.Method != http.MethodGet || watched(r.URL) != "" || query.Get("resourceVersion") != "0" {
		return
	}
	query.Set("resourceVersion", past)
	query.Set("resourceVersionMatch", "Exact")
	r.URL.RawQuery = query.Encode()
}

// follow gets hold of the events of a watch.
func (v *views) follow(response *http.Response) error {
	resource := watched(response.Request.URL)
	if resource == "" || response.StatusCode != http.StatusOK {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open[resource]++
	s := &stream{
		body: response.Body, views: v, resource: resource, cuts: v.cuts,
		chunks: make(chan chunk, 4096), closed: make(chan struct{}),
	}
	go s.pump()
	response.Body = s
	return nil
}

// stream is a watch.
type stream struct {
	body     io.ReadCloser
	views    *views
	resource string
	cuts     int
	chunks   chan chunk
	rest     []byte
	once     sync.Once
	closed   chan struct{}
}

type chunk struct {
	data []byte
	at   time.Time
	err  error
}

// pump reads events as they come.
func (s *stream) pump() {
	for {
		buffer := make([]byte, 64<<10)
		n, err := s.body.Read(buffer)
		select {
		case s.chunks <- chunk{data: buffer[:n], at: time.Now(), err: err}:
		case <-s.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read gives events when it is time.
func (s *stream) Read(out []byte) (int, error) {
	for len(s.rest) == 0 {
		next, err := s.next()
		if err != nil {
			return 0, err
		}
		if s.rest = next.data; next.err != nil && len(s.rest) == 0 {
			return 0, next.err
		}
	}
	n := copy(out, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next waits for a chunk, until it is due, and until the resource is not frozen.
func (s *stream) next() (chunk, error) {
	var got *chunk
	for {
		s.views.mu.Lock()
		changed, cut, frozen, delay := s.views.changed, s.views.cuts > s.cuts, s.views.frozen[s.resource], s.views.delay
		s.views.mu.Unlock()
		if cut {
			return chunk{}, io.EOF
		}
		incoming := s.chunks
		var due <-chan time.Time
		if got != nil {
			incoming = nil
			if wait := time.Until(got.at.Add(delay)); !frozen && wait <= 0 {
				return *got, nil
			} else if !frozen {
				due = time.After(wait)
			}
		}
		select {
		case c := <-incoming:
			got = &c
		case <-due:
		case <-changed:
		case <-s.closed:
			return chunk{}, io.EOF
		}
	}
}

// Close ends the watch.
func (s *stream) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.views.mu.Lock()
		s.views.open[s.resource]--
		s.views.mu.Unlock()
	})
	return s.body.Close()
}
