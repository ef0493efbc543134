// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/leaderelection"
)

// How long nobody leads is at most what the lease says, whatever the machine does.
func TestSuccession(t *testing.T) {
	o := managerOptions(&options{leaderElect: true, metricsAddress: "0"}, runtime.NewScheme(), nil)
	look := time.Duration((1 + leaderelection.JitterFactor) * float64(*o.RetryPeriod))
	if crash := *o.LeaseDuration + 2*look; crash > 17*time.Second {
		t.Errorf("after a crash nobody leads for up to %s", crash)
	}
	// The stop itself takes some of the three seconds.
	if look > 2*time.Second {
		t.Errorf("after an orderly stop nobody leads for up to %s more", look)
	}
	if !o.LeaderElection || !o.LeaderElectionReleaseOnCancel {
		t.Error("the lease is not released in an orderly stop")
	}
	if *o.RenewDeadline >= *o.LeaseDuration || *o.RenewDeadline < 3*look {
		t.Errorf("a leader gives up after %s: too late for a lease of %s, or after less than three tries", *o.RenewDeadline, *o.LeaseDuration)
	}
	if o.Controller.EnableWarmup == nil || !*o.Controller.EnableWarmup {
		t.Error("a standby leads with empty caches")
	}
	if *o.GracefulShutdownTimeout <= inFlight {
		t.Errorf("the manager ends after %s, while a write may take %s", *o.GracefulShutdownTimeout, inFlight)
	}
}
