// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestFinish(t *testing.T) {
	const long = time.Hour
	tests := map[string]struct {
		method string
		grace  time.Duration
		// before cancels before the request is sent, not while it is under way.
		before   bool
		deadline bool
		answered bool
	}{
		"a write is finished":         {method: http.MethodPatch, grace: long, answered: true},
		"a creation is finished":      {method: http.MethodPost, grace: long, answered: true},
		"a read is cut off":           {method: http.MethodGet, grace: long},
		"nothing new begins":          {method: http.MethodPut, grace: long, before: true},
		"a deadline holds":            {method: http.MethodPut, grace: long, deadline: true},
		"no write outlasts the grace": {method: http.MethodDelete, grace: time.Millisecond},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, release := make(chan struct{}), make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				select {
				case <-release:
					_, _ = io.WriteString(w, "done")
				case <-r.Context().Done():
				}
			}))
			t.Cleanup(server.Close)
			ctx, cancel := context.WithCancel(t.Context())
			if tc.deadline {
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			t.Cleanup(cancel)
			if tc.before {
				cancel()
			}
			go func() {
				select {
				case <-arrived:
				case <-t.Context().Done():
					return
				}
				if tc.deadline {
					return // it is never answered
				}
				cancel()
				if tc.answered {
					time.Sleep(20 * time.Millisecond) // were it cut off, it would be by now
					close(release)
				}
			}()
			req, err := http.NewRequestWithContext(ctx, tc.method, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := Finish(tc.grace)(http.DefaultTransport).RoundTrip(req)
			if err != nil {
				if tc.answered {
					t.Fatal(err)
				}
				return
			}
			raw, err := io.ReadAll(response.Body)
			if err := response.Body.Close(); err != nil {
				t.Error(err)
			}
			if !tc.answered || err != nil || !strings.Contains(string(raw), "done") {
				t.Errorf("answered %q, %v", raw, err)
			}
			select {
			case <-arrived:
				if tc.before {
					t.Error("it was sent")
				}
			default:
			}
		})
	}
}
