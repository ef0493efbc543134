// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
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

func (w write) String() string { return w.key + "#" + strconv.Itoa(w.nth) }

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
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return "", false
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		if parts[1] != namespace {
			return "", false
		}
		parts = parts[2:]
	}
	if slices.Contains(unfollowed, parts[0]) {
		return "", false
	}
	return r.Method + " " + stable(strings.Join(parts, "/")), true
}

// derived matches the hashes within a derived name: of an execution or a Job, and of what
// its revisions are named after.
var derived = regexp.MustCompile(`-[0-9a-f]{10}(-[0-9a-f]{8})?\b`)

// stable replaces the hashes of UIDs in a name.
func stable(name string) string { return derived.ReplaceAllString(name, "-HASH") }

// faultMessage is what a refusal says.
const faultMessage = "a fault of the test"

// refuse answers as the API server would.
func refuse(w http.ResponseWriter, status int) {
	reason := map[int]string{
		http.StatusConflict: "Conflict", http.StatusTooManyRequests: "TooManyRequests",
		http.StatusInternalServerError: "InternalError", http.StatusServiceUnavailable: "ServiceUnavailable",
	}[status]
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",`+
		`"message":%q,"reason":%q,"code":%d}`, faultMessage, reason, status)
}
