// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func TestBriefCutsBetweenCharacters(t *testing.T) {
	for most := 4; most < 20; most++ {
		got := Brief("ä€😀ä€😀ä€😀", most)
		if len(got) > most || !utf8.ValidString(got) || !strings.HasSuffix(got, "...") {
			t.Errorf("%d: %q", most, got)
		}
	}
}

// A message that is too long to be stored is not told again with every look.
func TestALongMessageIsStoredOnce(t *testing.T) {
	long := strings.Repeat("ä€😀 ", 1000)
	for name, o := range map[string]Outcome{
		"waiting": {Class: OutcomeWaiting, Reason: v1alpha1.ReasonWaiting, Message: long},
		"refused": {Class: OutcomeUser, Reason: v1alpha1.ReasonRefused, Message: long},
		"failed":  {Class: OutcomeFailed, Reason: v1alpha1.ReasonJobFailed, Message: long},
	} {
		t.Run(name, func(t *testing.T) {
			s := &story{program: zookeeper(), facts: admitted(), now: epoch0}
			s.settle()
			becomes("network/services/services", o)(s)
			passes(30 * time.Second)(s)
			s.settle()
			if len(s.state.Message) > MaxMessage {
				t.Errorf("the message of the run takes %d bytes", len(s.state.Message))
			}
			passes(15 * time.Second)(s)
			s.facts.Outcomes["network/services/services"] = o
			d := Decide(s.program, s.state, s.facts, s.now)
			if o.Class != OutcomeFailed && len(d.Notes) > 0 {
				t.Errorf("told again: %+v", d.Notes)
			}
			if diff := cmp.Diff(s.state, d.State); o.Class != OutcomeFailed && diff != "" {
				t.Errorf("the state changes (-was +is):\n%s", diff)
			}
		})
	}
}
