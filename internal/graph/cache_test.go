// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import "testing"

// A version that is gone takes its compiled form along; one that is asked for again has it anew.
func TestTheCacheForgets(t *testing.T) {
	c, s := NewCache(), parse(t, app)
	first, errs := c.Compile(s)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if again, _ := c.Compile(s); again != first {
		t.Error("a known version is compiled again")
	}
	c.Forget(s)
	if again, _ := c.Compile(s); again == first || again == nil {
		t.Error("a version that was forgotten is still there")
	}
}
