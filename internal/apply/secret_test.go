// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestRandom(t *testing.T) {
	tests := map[string]struct {
		how  v1alpha1.Generate
		from string
	}{
		"letters and digits": {v1alpha1.Generate{Length: 64}, letters},
		"of its own":         {v1alpha1.Generate{Length: 500, Alphabet: "aaé€"}, "aé€"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			value, err := random(tc.how)
			if err != nil {
				t.Fatal(err)
			}
			again, err := random(tc.how)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(value, again) {
				t.Error("the same value twice")
			}
			if n := utf8.RuneCount(value); n != int(tc.how.Length) {
				t.Errorf("%d characters, want %d", n, tc.how.Length)
			}
			for _, c := range string(value) {
				if !strings.ContainsRune(tc.from, c) {
					t.Errorf("%q is not in the alphabet", c)
				}
			}
		})
	}
}
