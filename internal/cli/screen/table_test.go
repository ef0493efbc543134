// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Colours take no room: columns stand under each other with and without.
func TestTableLinesUp(t *testing.T) {
	rows := [][]Cell{Text("NAME", "STATE", "MESSAGE"), {{Text: "zk"}, {Text: "Größe", Color: Red}, {Text: "one\ntwo"}}, Text("longer", "", "x")}
	plain := []string{"NAME     STATE    MESSAGE", "zk       Größe    one two", "longer   <none>   x"}
	if diff := cmp.Diff(plain, Look{}.Table(rows)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := (Look{Color: true}).Table(rows)[1], "zk       "+Red+"Größe"+reset+"    one two"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSpan(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0.0s": -time.Second, "59.9s": 59900 * time.Millisecond, "1m05s": 65 * time.Second,
		"2h03m": 2*time.Hour + 3*time.Minute, "4d01h": 97 * time.Hour,
	} {
		if got := Span(d); got != want {
			t.Errorf("%s is shown as %q, want %q", d, got, want)
		}
	}
}

// What others wrote can not steer a terminal.
func TestPlain(t *testing.T) {
	hostile := "a\x1b]0;title\x07\n\tb\x1b[2J"
	if got, want := Plain(hostile), "a]0;title b[2J"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	l := Look{Width: 80}
	for _, got := range append(l.Table([][]Cell{Text(hostile)}), l.Cut(hostile), l.Wrap(hostile)[0]) {
		if got != "a]0;title b[2J" {
			t.Errorf("%q", got)
		}
	}
}
