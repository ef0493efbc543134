// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// quiet is for what only says that the manager was killed.
var quiet = log.New(io.Discard, "", 0)

// write is one write of a run: the n-th of those that look alike. The order of writes
// of controllers that work side by side may differ from run to run, their names do not.
type write struct {
	key string
	nth int
}

func (w write) String() string {
	if w.key == "" {
		return ""
	}
	return w.key + "#" + strconv.Itoa(w.nth)
}

// sorted are writes by name: two runs of a workload have the same.
func sorted(trace []write) []write {
	return slices.SortedFunc(slices.Values(trace), func(a, b write) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.nth, b.nth))
	})
}

// unfollowed are the resources whose writes are no part of what a plan does: leases,
// events, questions to the API server, and the webhooks' certificate.
var unfollowed = []string{
	"leases", "events", "secrets", "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
	"subjectaccessreviews", "selfsubjectaccessreviews", "tokenreviews",
}

// identify names a request by method, resource and object, if it is a write in the
// namespace or one of cluster scope.
func identify(r *http.Request, namespace string) (key string, counts bool) {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return "", false
	}
	if ns := namespaceOf(r.URL.Path); ns != "" && ns != namespace {
		return "", false
	}
	parts := strings.Split(place(r), "/")
	if parts[0] == "" {
		return "", false
	}
	if slices.Contains(unfollowed, parts[0]) {
		return "", false
	}
	return r.Method + " " + stable(strings.Join(parts, "/")), true
}

// segments are the parts of a path behind the group and version; none if it is no resource.
func segments(path string) []string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		return parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		return parts[3:]
	}
	return nil
}

// namespaceOf is the namespace that a path lies in; empty for cluster scope.
func namespaceOf(path string) string {
	if parts := segments(path); len(parts) > 2 && parts[0] == "namespaces" {
		return parts[1]
	}
	return ""
}

// placeOf is the resource, name and subresource of a path.
func placeOf(path string) string {
	parts := segments(path)
	if namespaceOf(path) != "" {
		parts = parts[2:]
	}
	return strings.Join(parts, "/")
}

func place(r *http.Request) string { return placeOf(r.URL.Path) }

// derived matches the hashes within a derived name: of an execution or a Job, and of what
// its revisions are named after; and of the revisions of an execution that a user named.
var derived = regexp.MustCompile(`-[0-9a-f]{10}(-[0-9a-f]{8})?\b|-[0-9a-f]{8}(-inputs|-applied)\b`)

// stable replaces the hashes of UIDs in a name.
func stable(name string) string { return derived.ReplaceAllString(name, "-HASH$2") }

// faultMessage is what a refusal says.
const faultMessage = "a fault of the test"

// refuse answers as the API server would.
func refuse(w http.ResponseWriter, status int) {
	reason := map[int]string{
		http.StatusConflict: "Conflict", http.StatusTooManyRequests: "TooManyRequests",
		http.StatusInternalServerError: "InternalError", http.StatusServiceUnavailable: "ServiceUnavailable",
		http.StatusGatewayTimeout: "Timeout", http.StatusForbidden: "Forbidden", http.StatusUnprocessableEntity: "Invalid",
		http.StatusGone: "Expired",
	}[status]
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",`+
		`"message":%q,"reason":%q,"code":%d}`, faultMessage, reason, status)
}
