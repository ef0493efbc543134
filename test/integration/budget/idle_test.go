// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"kudo.dev/kudo/internal/testing/cluster"
)

const (
	idlers = 20
	// restful is how long nothing may happen, unless KUDO_IDLE says how long.
	restful = 15 * time.Second
)

// TestIdle: with nothing to do, Kudo asks the API server for nothing but its lease, and
// logs nothing, however many Instances there are.
func TestIdle(t *testing.T) {
	long := restful
	if asked := os.Getenv("KUDO_IDLE"); asked != "" {
		var err error
		if long, err = time.ParseDuration(asked); err != nil {
			t.Fatal("KUDO_IDLE:", err)
		}
	}
	w := newWorld(t, "--leader-elect")
	rules := w.publish([]string{"trio-1.0.0", "trio-1.1.0"}, "test", "integration", "budget", "testdata", "trio.yaml")
	w.tenant("idle", append(rules["trio-1.0.0"], rules["trio-1.1.0"]...))
	for i := range idlers {
		w.roll(instance("idle", fmt.Sprintf("one-%d", i), "trio", fmt.Sprintf("1.%d.0", i%2)), nil)
	}
	time.Sleep(2 * time.Second) // what was on the way has arrived
	before, err := os.ReadFile(w.options.Log)
	w.must(err)
	requests := w.requests(func() { time.Sleep(long) })
	after, err := os.ReadFile(w.options.Log)
	w.must(err)
	renewals := len(requests)
	requests = slices.DeleteFunc(requests, func(r cluster.Request) bool {
		return r.Resource == "leases" || (r.Verb == "watch" && r.Code == 200)
	})
	for _, r := range requests {
		t.Errorf("%s %s (%s) as %q", r.Verb, r.URI, r.Resource, r.As)
	}
	if len(after) != len(before) {
		t.Errorf("logged while idle:\n%s", after[len(before):])
	}
	t.Logf("%d Instances idle for %s: %d requests, and %d for leases and watches", idlers, long, len(requests), renewals-len(requests))
}
