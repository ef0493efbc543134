// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package transport finishes the writes that are under way when the manager is stopped.
package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Finish makes a wrapper in which a write that was sent is answered although its context
// is cancelled meanwhile, within the grace. What a stopped manager has begun it knows the
// end of; nothing else begins. Deadlines hold as ever.
func Finish(grace time.Duration) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return &finisher{next: next, grace: grace} }
}

type finisher struct {
	next  http.RoundTripper
	grace time.Duration
}

// RoundTrip sends a request.
func (f *finisher) RoundTrip(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return f.next.RoundTrip(req)
	}
	asked := req.Context()
	if err := asked.Err(); err != nil {
		return nil, fmt.Errorf("nothing new begins: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(asked))
	unhook := context.AfterFunc(asked, func() {
		if errors.Is(asked.Err(), context.DeadlineExceeded) {
			cancel()
			return
		}
		late := time.AfterFunc(f.grace, cancel)
		context.AfterFunc(ctx, func() { late.Stop() })
	})
	end := sync.OnceFunc(func() {
		unhook()
		cancel()
	})
	response, err := f.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		end()
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, end: end}
	return response, nil
}

// body ends the context of its request when it is closed, not before it was read.
type body struct {
	io.ReadCloser
	end func()
}

// Close closes the body.
func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// WrappedRoundTripper lets client-go look behind the wrapper.
func (f *finisher) WrappedRoundTripper() http.RoundTripper { return f.next }
