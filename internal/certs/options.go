// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
)

// The lifetimes that hold unless Options says otherwise.
const (
	DefaultCALifetime   = 365 * 24 * time.Hour
	DefaultLeafLifetime = 90 * 24 * time.Hour
	DefaultSettle       = 5 * time.Minute
)

// Options tells a Keeper what to keep.
type Options struct {
	// Secret holds the CA. It is created if it does not exist.
	Secret types.NamespacedName
	// Service is what the API server calls the webhooks by.
	Service types.NamespacedName
	// ExtraHosts are further DNS names and IP addresses to be called by, such as
	// 127.0.0.1 while developing.
	ExtraHosts []string

	// Validating and Mutating name the webhook configurations whose caBundle is
	// kept; empty means that there is none of that kind.
	Validating string
	Mutating   string

	// CALifetime and LeafLifetime say how long certificates are valid; they are
	// renewed when two thirds have passed. A leaf may live a third of a CA.
	CALifetime   time.Duration
	LeafLifetime time.Duration
	// Settle is how long API servers may take to notice a changed caBundle; a
	// new CA signs nothing before. At most a twelfth of CALifetime is used.
	Settle time.Duration

	// Clock is the time; nil means the real one.
	Clock clock.Clock
	// Log receives what happens; the zero value means controller-runtime's.
	Log logr.Logger
}

func (o *Options) setDefaults() {
	if o.CALifetime == 0 {
		o.CALifetime = DefaultCALifetime
	}
	if o.LeafLifetime == 0 {
		o.LeafLifetime = DefaultLeafLifetime
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log.IsZero() {
		o.Log = ctrl.Log.WithName("certs")
	}
}

func (o *Options) validate() error {
	switch {
	case o.Secret.Namespace == "" || o.Secret.Name == "":
		return fmt.Errorf("the CA Secret %q needs a namespace and a name", o.Secret)
	case o.Service.Namespace == "" || o.Service.Name == "":
		return fmt.Errorf("the webhook Service %q needs a namespace and a name", o.Service)
	case o.CALifetime < 0 || o.LeafLifetime < 0 || o.Settle < 0:
		return errors.New("a lifetime of certificates is negative")
	case o.LeafLifetime > o.CALifetime/3:
		return fmt.Errorf("serving certificates live %s, more than a third of the CA's %s", o.LeafLifetime, o.CALifetime)
	}
	return nil
}

// hosts are the names that a leaf is valid for.
func (o *Options) hosts() []string {
	short := o.Service.Name + "." + o.Service.Namespace
	return append([]string{short, short + ".svc", short + ".svc.cluster.local"}, o.ExtraHosts...)
}
