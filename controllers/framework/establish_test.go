// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/crdinstall"
)

// What passes by itself is no stall: a Framework that waits for its first version has none,
// and what is transient is tried again.
func TestBecause(t *testing.T) {
	passing := errors.New("connection refused")
	tests := map[string]struct {
		problem error
		reason  string
		stalled bool
		waits   bool
	}{
		"no version yet": {&kindError{crdgen.ErrNoVersion}, v1alpha1.ReasonNoValidVersion, false, false},
		"a long name":    {&kindError{errors.New("too long")}, v1alpha1.ReasonKindInvalid, true, false},
		"another name":   {errRenamed, v1alpha1.ReasonKindInvalid, true, false},
		"foreign":        {&crdinstall.ForeignError{Name: "as"}, v1alpha1.ReasonNameTaken, true, false},
		"held":           {&crdinstall.HeldError{}, v1alpha1.ReasonSchemaHeld, true, true},
		"refused":        {apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind("A").GroupKind(), "a", nil), v1alpha1.ReasonKindRefused, true, false},
		"nothing":        {nil, v1alpha1.ReasonEstablished, false, false},
	}
	for name, tc := range tests {
		v, err := verdict{established: true, reason: v1alpha1.ReasonEstablished}.because(tc.problem)
		if err != nil || v.reason != tc.reason || v.stalled != tc.stalled || v.waits != tc.waits || v.established != (tc.problem == nil) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if _, err := (verdict{}).because(passing); !errors.Is(err, passing) {
		t.Errorf("what passes: %v", err)
	}
}
