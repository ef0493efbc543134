// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
)

func status(code int32, reason metav1.StatusReason, message string, causes ...metav1.StatusCause) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message,
		Details: &metav1.StatusDetails{Kind: "configmaps", Name: "a", Causes: causes},
	}}
}

// Section 8 of the design by HTTP code: what a person must change stalls with the API
// server's words, what may work in a moment is tried again.
func TestClassify(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	forbidden := func(words string) error { return apierrors.NewForbidden(pods, "a", errors.New(words)) }
	conflict := metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Field: ".data.a", Message: `conflict with "kubectl"`}
	invalid := func(words string) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, "a", field.ErrorList{field.Forbidden(field.NewPath("data"), words)})
	}
	const user, transient = engine.OutcomeUser, engine.OutcomeTransient
	tests := map[string]struct {
		err    error
		class  engine.Class
		reason string
		words  []string
	}{
		"400 strict decoding":  {status(400, metav1.StatusReasonBadRequest, `strict decoding error: unknown field "spec.spek"`), user, "Refused", []string{`unknown field "spec.spek"`}},
		"403 quota":            {forbidden("exceeded quota: small, requested: pods=1"), user, "Refused", []string{"exceeded quota: small", "Raise the quota"}},
		"403 pod security":     {forbidden(`violates PodSecurity "restricted:latest": privileged`), user, "Refused", []string{"violates PodSecurity", "pod security level"}},
		"403 RBAC":             {forbidden(`User "x" cannot create resource "pods"`), user, "Refused", []string{`cannot create resource "pods"`, "status.rules"}},
		"403 impersonation":    {forbidden(`User "m" cannot impersonate resource "users"`), user, "Refused", []string{"kudo-impersonate-on"}},
		"403 terminating":      {status(403, metav1.StatusReasonForbidden, "namespace is being terminated", metav1.StatusCause{Type: "NamespaceTerminating"}), user, "Refused", nil},
		"404 namespace":        {apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "n"), user, "Refused", []string{`namespaces "n" not found`, "Create the namespace"}},
		"404 not served":       {status(404, metav1.StatusReasonNotFound, "the server could not find the requested resource", metav1.StatusCause{Type: metav1.CauseTypeUnexpectedServerResponse, Message: "404 page not found"}), transient, "Retrying", nil},
		"404 no kind":          {&meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "g", Kind: "K"}}, user, "Refused", []string{`"K"`, "Install the CustomResourceDefinition"}},
		"405 method":           {apierrors.NewMethodNotSupported(pods, "patch"), user, "Refused", nil},
		"409 field conflict":   {apierrors.NewApplyConflict([]metav1.StatusCause{conflict}, "conflict"), user, "FieldConflict", []string{".data.a", `conflict with "kubectl"`, "Remove their claim"}},
		"409 lost race":        {apierrors.NewConflict(pods, "a", errors.New("the object has been modified")), transient, "Retrying", nil},
		"413 too large":        {apierrors.NewRequestEntityTooLargeError("limit is 3145728"), user, "Refused", []string{"limit is 3145728"}},
		"422 immutable":        {invalid("field is immutable when `immutable` is set"), user, "Refused", []string{"immutable", "undo the change, or delete the object"}},
		"422 claim templates":  {invalid("updates to statefulset spec for fields other than 'replicas' are forbidden"), user, "Refused", []string{"updates to statefulset", "An immutable field"}},
		"422 of a whole pod":   {invalid(strings.Repeat("x", 5000) + ": field is immutable"), user, "Refused", []string{"data", "field is immutable. An immutable field", "made anew"}},
		"422 other":            {invalid("too long"), user, "Refused", []string{"too long"}},
		"429":                  {apierrors.NewTooManyRequests("slow down", 1), transient, "Retrying", []string{"slow down"}},
		"500":                  {apierrors.NewInternalError(errors.New("boom")), transient, "Retrying", []string{"boom"}},
		"500 of etcd":          {status(500, "", "etcdserver: request is too large"), user, "Refused", []string{"request is too large"}},
		"500 field unknown":    {status(500, "", "failed to create typed patch object: .spec.spek: field not declared in schema"), user, "Refused", []string{"field not declared in schema"}},
		"503":                  {apierrors.NewServiceUnavailable("no endpoints"), transient, "Retrying", nil},
		"504":                  {apierrors.NewTimeoutError("took too long", 1), transient, "Retrying", nil},
		"our own time-out":     {fmt.Errorf("applying: %w", context.DeadlineExceeded), transient, "Retrying", []string{"applying"}},
		"no route":             {&net.OpError{Op: "dial", Err: errors.New("no route to host")}, transient, "Retrying", nil},
		"anything else":        {errors.New("what"), transient, "Retrying", []string{"what"}},
		"a refusal":            {fmt.Errorf("applying: %w", &Refusal{Reason: "NotOwned", Message: "it is theirs"}), user, "NotOwned", []string{"it is theirs"}},
		"a refusal that ends":  {&Refusal{Reason: "Waiting", Message: "it is being deleted", Transient: true}, transient, "Waiting", nil},
		"a wrapped 403":        {fmt.Errorf("applying Pod n/a: %w", forbidden("exceeded quota: small")), user, "Refused", []string{"applying Pod n/a", "Raise the quota"}},
		"a message of a novel": {status(422, metav1.StatusReasonInvalid, strings.Repeat("x", 5000)), user, "Refused", []string{"..."}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := Classify(tc.err)
			if tc.class == transient && tc.reason == "" {
				tc.reason = v1alpha1.ReasonRetrying
			}
			if o.Class != tc.class || o.Reason != tc.reason {
				t.Errorf("%s %s, want %s %s; message %q", o.Class, o.Reason, tc.class, tc.reason, o.Message)
			}
			if len(o.Message) > maxMessage {
				t.Errorf("the message has %d bytes", len(o.Message))
			}
			if strings.Contains(name, "terminating") && strings.Contains(o.Message, "Grant") {
				t.Errorf("message %q: no grant helps", o.Message)
			}
			for _, words := range tc.words {
				if !strings.Contains(o.Message, words) {
					t.Errorf("message %q does not say %q", o.Message, words)
				}
			}
		})
	}
	if o := Classify(nil); o.Class != engine.OutcomeDone {
		t.Errorf("no error is %+v", o)
	}
}

// A code that nobody thought of is not a reason to stop for ever.
func TestUnknownCodesAreTriedAgain(t *testing.T) {
	for _, code := range []int{http.StatusTeapot, http.StatusBadGateway, http.StatusInsufficientStorage} {
		if o := Classify(status(int32(code), "", "?")); o.Class != engine.OutcomeTransient {
			t.Errorf("%d is %s", code, o.Class)
		}
	}
}

// A cache that is behind names an object that is gone: another of the same name is not a
// field that a person could put right.
func TestAnotherObjectOfTheNameIsNoRefusal(t *testing.T) {
	uid := metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "metadata.uid", Message: "field is immutable"}
	selector := metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "spec.selector", Message: "field is immutable"}
	for name, tc := range map[string]struct {
		err  error
		anew bool
	}{
		"made anew":       {fmt.Errorf("applying: %w", status(422, metav1.StatusReasonInvalid, "no", uid)), true},
		"immutable field": {status(422, metav1.StatusReasonInvalid, "no", selector), false},
		"a conflict":      {status(409, metav1.StatusReasonConflict, "no", uid), false},
		"nothing":         {nil, false},
	} {
		if got := anew(tc.err); got != tc.anew {
			t.Errorf("%s: %v", name, got)
		}
	}
}
