// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apply writes the objects of an Instance to the API server, as the
// Instance's account: server-side apply, run-once jobs, deletes.
package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/revision"
)

// maxMessage bounds what an outcome says: the path of the task comes before it.
const maxMessage = 1000

// Refusal is an error that Kudo itself found before or after it asked the API server.
type Refusal struct {
	Reason  string
	Message string
	// Transient says that it may work in a moment.
	Transient bool
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// Classify turns an error into the outcome of a task: what may work in a moment,
// and what can not work until a person changes something.
func Classify(err error) engine.Outcome {
	if err == nil {
		return engine.Outcome{Class: engine.OutcomeDone}
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		class := engine.OutcomeUser
		if refusal.Transient {
			class = engine.OutcomeTransient
		}
		return engine.Outcome{Class: class, Reason: refusal.Reason, Message: engine.Brief(err.Error(), maxMessage)}
	}
	var size *revision.SizeError
	if errors.As(err, &size) {
		return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonRefused, Message: engine.Brief(err.Error(), maxMessage)}
	}
	if conflict := fieldConflict(err); conflict != "" {
		return engine.Outcome{Class: engine.OutcomeUser, Reason: v1alpha1.ReasonConflict, Message: engine.Brief(conflict, maxMessage)}
	}
	out := engine.Outcome{Class: engine.OutcomeTransient, Reason: v1alpha1.ReasonRetrying, Message: engine.Brief(err.Error(), maxMessage)}
	if permanent(err) {
		out.Class, out.Reason = engine.OutcomeUser, v1alpha1.ReasonRefused
		what := hint(err)
		out.Message = shorten(err.Error(), maxMessage-len(what)) + what
	}
	return out
}

// permanent says whether the same request can not work until something changes.
func permanent(err error) bool {
	switch {
	case transientNetwork(err), unserved(err):
		return false
	case apierrors.HasStatusCause(err, "NamespaceTerminating"), // 403, but no person can help
		apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err),
		apierrors.IsRequestEntityTooLargeError(err), apierrors.IsNotFound(err),
		apierrors.IsMethodNotSupported(err), meta.IsNoMatchError(err):
		return true
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	// etcd's own limit and unknown fields of an apply come as opaque 500s.
	text := status.Status().Message
	return strings.Contains(text, "request is too large") || strings.Contains(text, "field not declared in schema")
}

// unserved says whether the API server knows no such path, in contrast to no such object:
// one of several servers may serve a new kind a moment after another.
func unserved(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

func transientNetwork(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) ||
		utilnet.IsConnectionReset(err) || utilnet.IsConnectionRefused(err) || utilnet.IsProbableEOF(err)
}

// shorten cuts a text in the middle: the API server begins with the field, quotes a value
// that may be a whole pod template, and ends with what is wrong with it.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const gap, end = " [...] ", 300
	return strings.ToValidUTF8(text[:limit-len(gap)-end], "") + gap + strings.ToValidUTF8(text[len(text)-end:], "")
}

// hint says what to do about a refusal.
func hint(err error) string {
	text := err.Error()
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(text, "exceeded quota"):
		return ". Raise the quota or lower the parameters"
	case apierrors.IsForbidden(err) && strings.Contains(text, "violates PodSecurity"):
		return ". The namespace's pod security level does not allow this pod"
	case apierrors.IsForbidden(err) && strings.Contains(text, "impersonate"):
		return ". Kudo may not act as accounts of this namespace: let an admin run kubectl kudo deploy with --grant-only, or bind the ClusterRole kudo-impersonate-on here"
	case apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return ""
	case apierrors.IsForbidden(err):
		return ". Grant the account the rules in the FrameworkVersion's status.rules"
	case immutable(err):
		return ". An immutable field can not be changed in place: undo the change, or delete the object so that it is made anew"
	case apierrors.IsNotFound(err) && strings.Contains(text, "namespaces"):
		return ". Create the namespace"
	case meta.IsNoMatchError(err):
		return ". Install the CustomResourceDefinition of this kind"
	}
	return ""
}

// anew says whether an apply meant another object of the same name: one that a cache still
// shows, which is behind.
func anew(err error) bool {
	var status apierrors.APIStatus
	return apierrors.IsInvalid(err) && errors.As(err, &status) && status.Status().Details != nil &&
		slices.ContainsFunc(status.Status().Details.Causes, func(c metav1.StatusCause) bool { return c.Field == "metadata.uid" })
}

// immutable says whether the API server refused to change an immutable field.
func immutable(err error) bool {
	return apierrors.IsInvalid(err) &&
		(strings.Contains(err.Error(), "immutable") || strings.Contains(err.Error(), "updates to statefulset spec for fields other than"))
}

// fieldConflict describes a conflict with other field managers, or returns "".
func fieldConflict(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return ""
	}
	var parts []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			parts = append(parts, cause.Field+": "+cause.Message)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	d := status.Status().Details
	return fmt.Sprintf("%s %s: other managers own fields that Kudo wants to set (%s). Remove their claim, or change the template",
		d.Kind, d.Name, strings.Join(parts, "; "))
}
