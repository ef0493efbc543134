// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestSecretParameters(t *testing.T) {
	s := mustCompile(t,
		v1alpha1.Parameter{Name: "tls", SecretRef: true},
		v1alpha1.Parameter{Name: "password", Generate: &v1alpha1.Generate{Length: 24}},
	)
	tests := map[string]struct {
		set  map[string]string
		want Values
		errs []string
	}{
		"nothing set": {nil, Values{"tls": nil, "password": nil}, nil},
		"references": {
			map[string]string{"tls": `"front-tls"`, "password": `{"name":"mine","key":"pw"}`},
			Values{"tls": "front-tls", "password": map[string]any{"name": "mine", "key": "pw"}}, nil,
		},
		"a secret where its name belongs": {
			map[string]string{"tls": `"Correct Horse"`, "password": `{"name":"mine","key":"a b"}`},
			nil, []string{"parameters.password.key: Invalid value: is not the key of a Secret", "parameters.tls: Invalid value: is not the name of a Secret"},
		},
		"a secret as the value": {map[string]string{"password": `"hush"`}, nil, []string{"parameters.password: Invalid value"}},
		"no key":                {map[string]string{"password": `{"name":"mine"}`}, nil, []string{"parameters.password.key: Required value"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			errs := messages(s.Validate(given(tc.set), field.NewPath("parameters")))
			if len(errs) != len(tc.errs) {
				t.Fatalf("errors %q, want %q", errs, tc.errs)
			}
			for i := range errs {
				if !strings.HasPrefix(errs[i], tc.errs[i]) || strings.Contains(errs[i], "Horse") {
					t.Errorf("error %q, want %q without the value", errs[i], tc.errs[i])
				}
			}
			if len(errs) > 0 {
				return
			}
			got, err := s.Resolve(given(tc.set))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff(map[string]v1alpha1.Generate{"password": {Length: 24}}, s.Generated()); diff != "" {
		t.Error(diff)
	}
}
