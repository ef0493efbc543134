// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
)

// warnings are what the API server tells a client beside its answers.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeaderWithContext keeps a warning.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

// take returns the warnings since the last time.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.Clone(w.texts)
	w.texts = nil
	return out
}

// References may come late: whoever applies them learns what waits for what.
func TestLateReferencesWarn(t *testing.T) {
	t.Parallel()
	w := theWorld(t)
	c, heard := w.as(t, "")
	fw, ns := unique("late"), w.tenant(t)
	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"version", func() error { return c.Create(t.Context(), versionOf(t, fw, "1.0.0")) }, "Framework " + fw + " does not exist yet: the version waits for it"},
		{"Instance", func() error { return c.Create(t.Context(), instanceOf(t, ns, "one", fw, "2.0.0")) }, "FrameworkVersion " + fw + "-2.0.0 does not exist yet: the Instance waits for it"},
		{"execution", func() error { return c.Create(t.Context(), executionOf(t, ns, "run", "two", "deploy")) }, "Instance two does not exist yet: the execution waits for it"},
		{"execution of a late version", func() error { return c.Create(t.Context(), executionOf(t, ns, "run-2", "one", "anything")) }, ""},
		{"Framework", func() error { return c.Create(t.Context(), object(t, frameworkYAML, set{"metadata.name": fw})) }, ""},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := strings.Join(heard.take(), "; "); got != s.want {
			t.Errorf("%s: warned %q, want %q", s.name, got, s.want)
		}
	}
}
