// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Desired is what an Instance wants now.
type Desired struct {
	// Digest over the version's digest and the resolved parameters.
	Digest     string
	Version    string
	Account    string
	Generation string
	// Plans of the version in declared order.
	Plans []string
	// Changed names the parameters that differ from the last completed run, or that a run
	// touched since which did not succeed.
	Changed []string
	// Triggers names the plan of each parameter that has one of its own.
	Triggers map[string]string
	// Shared names the plans that run beside others.
	Shared []string
	// ContentPlan runs when what pods consume has changed; empty for none.
	ContentPlan string
	// Content is the digest of what pods consume now; empty if that is not known.
	Content string
	// ContentChanged says that it is not what the last completed run took over.
	ContentChanged bool
}

// DesiredBy returns the digest of the desired state that a trigger names, or "".
func DesiredBy(trigger string) string {
	spec, ok := strings.CutPrefix(trigger, triggerSpec)
	if _, digest, found := strings.Cut(spec, "/"); ok && found {
		return digest
	}
	return ""
}

// first is the first of the named plans that the version has.
func (d *Desired) first(names ...string) string {
	for _, n := range names {
		if slices.Contains(d.Plans, n) {
			return n
		}
	}
	return ""
}

// triggered are the plans of the changed parameters in declared order.
func (d *Desired) triggered() []string {
	var out []string
	for _, p := range d.Plans {
		if slices.ContainsFunc(d.Changed, func(name string) bool { return d.Triggers[name] == p }) {
			out = append(out, p)
		}
	}
	return out
}

// OwnedBy returns the names of the parameters that a run of a plan takes over from the
// desired state; the others keep the values of the last completed run. A plan that a
// parameter names as its trigger owns only those; any other owns all the rest.
func OwnedBy(plan string, d Desired, deployed bool) func(name string) bool {
	if !deployed {
		return func(string) bool { return true }
	}
	own := slices.Contains(d.triggered(), plan)
	return func(name string) bool {
		trigger := d.Triggers[name]
		if own {
			return trigger == plan
		}
		if plan == v1alpha1.PlanUpdate || plan == v1alpha1.PlanDeploy {
			return true
		}
		return trigger == "" || !slices.Contains(d.Plans, trigger)
	}
}
