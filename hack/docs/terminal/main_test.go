// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/golden"
)

// The pictures in the README are what the commands print, as their own tests hold it.
func TestPicturesAreUpToDate(t *testing.T) {
	for _, p := range []struct{ title, from, to string }{
		{"kubectl kudo status zk -n prod --watch", "status-running", "status"},
		{"kubectl kudo diagnose zk -n prod", "diagnose", "diagnose"},
	} {
		raw, err := os.ReadFile("../../../internal/cli/oncall/testdata/" + p.from + ".tty.golden")
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "../../../docs/images/"+p.to+".svg", draw(p.title, string(raw)))
	}
}

func TestSpans(t *testing.T) {
	got := spans("a \x1b[32m<ok>\x1b[0m b")
	if want := `a <tspan style="fill:#7ee787">&lt;ok&gt;</tspan> b`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, text := range []string{"\x1b[31mx\x1b[0m", "ESC[31mxESC[0m"} {
		if svg := draw("t", text); strings.Contains(svg, "[31m") || !strings.Contains(svg, `<tspan style="fill:#ff7b72">x</tspan>`) {
			t.Errorf("an escape sequence is left in %s", svg)
		}
	}
}
