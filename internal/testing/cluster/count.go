// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Key is what requests are counted by.
type Key struct {
	// User who asked.
	User string
	// As is the impersonated user.
	As string
	// Verb of the request.
	Verb string
	// Resource with its subresource.
	Resource string
}

// Count counts requests per user, verb and resource.
func Count(requests []Request) map[Key]int {
	out := map[Key]int{}
	for _, r := range requests {
		out[Key{User: r.User, As: r.As, Verb: r.Verb, Resource: r.Resource}]++
	}
	return out
}

// By keeps the requests of one user, for example install.ManagerUser; also those that it
// makes as someone else.
func By(user string, requests []Request) []Request {
	return slices.DeleteFunc(slices.Clone(requests), func(r Request) bool { return r.User != user })
}

// Work keeps what a request budget counts: not leases, watches and events, nor discovery
// and probes, which concern no resource.
func Work(requests []Request) []Request {
	return slices.DeleteFunc(slices.Clone(requests), func(r Request) bool {
		return r.Verb == "watch" || r.Resource == "" || r.Resource == "leases" || r.Resource == "events"
	})
}

// Writes keeps the requests that change something: not reviews, which only ask.
func Writes(requests []Request) []Request {
	return slices.DeleteFunc(slices.Clone(requests), func(r Request) bool {
		switch r.Verb {
		case "create", "update", "patch", "delete", "deletecollection":
			return r.Group == "authorization.k8s.io" || r.Group == "authentication.k8s.io"
		}
		return true
	})
}

// Table shows counts, one line each, the most frequent first, with the sum at the end.
func Table(counts map[Key]int) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b Key) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb),
			cmp.Compare(a.As, b.As), cmp.Compare(a.User, b.User))
	})
	var out strings.Builder
	sum := 0
	for _, k := range keys {
		who := k.User
		if k.As != "" {
			who += " as " + k.As
		}
		fmt.Fprintf(&out, "%5d  %-7s %-28s %s\n", counts[k], k.Verb, k.Resource, who)
		sum += counts[k]
	}
	fmt.Fprintf(&out, "%5d  in all\n", sum)
	return out.String()
}
