// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"fmt"
)

// servers are the class d: the API server or etcd dies and comes back.
func servers() []*class {
	dies := func(program string, commits bool) func(w write) *fault {
		return func(w write) *fault {
			// Whoever watches waits longer and longer between its tries.
			f := &fault{write: w, fresh: true, slack: 2 * patience, excuses: append([]string{
				"etcdserver", "unable to decode an event from the watch stream", "the server is currently unable to handle the request",
				"apiserver not ready", "context deadline exceeded", "timed out", "Internal error occurred", "failed to renew", "error trying to reach service",
			}, disconnected...)}
			f.strike = func(h *harness, x *exchange) {
				if commits {
					x.commit()
				}
				h.proxy.down.Store(program != "etcd")
				var err error
				if h.revive, err = h.cluster.Crash(program); err != nil {
					h.revive = func(context.Context) error { return err }
				}
				if program == "etcd" {
					x.hit()
					x.pass(x.answer) // the API server waits for it
					return
				}
				x.abort()
			}
			f.heal = func(ctx context.Context, h *harness, _ *run) error {
				err := h.revive(ctx)
				h.proxy.down.Store(false)
				if err != nil {
					return fmt.Errorf("starting %s again: %w", program, err)
				}
				return h.player.Reconnect(ctx)
			}
			return f
		}
	}
	return []*class{
		{letter: "d", name: "server-before", title: "API server killed before the write", faults: each(dies("kube-apiserver", false))},
		{letter: "d", name: "server-after", title: "API server killed after the commit", faults: each(dies("kube-apiserver", true))},
		{letter: "d", name: "etcd", title: "etcd killed before the write", faults: each(dies("etcd", false))},
	}
}
