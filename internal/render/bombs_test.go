// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// bounded fails if f does not end, or takes 64 MiB. Without bounds these templates run
// for minutes or for ever; how fast they end is for the benchmarks to say.
func bounded(t *testing.T, f func()) {
	t.Helper()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if took > 20*time.Second*raceFactor {
		t.Errorf("took %v", took)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20*raceFactor {
		t.Errorf("allocated %d MiB", used>>20)
	}
}

var bombs = map[string]string{
	"until":              `{{ until 200000000 }}`,
	"until in a loop":    `{{ range until 10000 }}{{ $x := until 10000 }}{{ end }}`,
	"untilStep":          `{{ untilStep 0 9223372036854775807 1 }}`,
	"seq":                `{{ seq 1 1000000000 }}`,
	"repeat":             `{{ repeat 1000000000 "x" }}`,
	"repeat twice":       `{{ repeat 1000000 (repeat 1000000 "x") }}`,
	"repeat in a loop":   `{{ range until 10000 }}{{ $x := repeat 1000000 "x" }}{{ end }}`,
	"printf width":       `{{ printf "%1000000000d" 1 }}`,
	"printf star":        `{{ printf "%*d" 1000000000 1 }}`,
	"printf precision":   `{{ printf "%.1000000000f" 1.5 }}`,
	"indent":             `{{ indent 1000000000 "x" }}`,
	"replace":            `{{ $x := repeat 1000000 "a" }}{{ $x = replace "a" $x $x }}`,
	"replace empty":      `{{ $x := repeat 1000000 "a" }}{{ $x = replace "" $x $x }}`,
	"doubling text":      `{{ $x := "xx" }}{{ range until 64 }}{{ $x = print $x $x }}{{ end }}`,
	"doubling join":      `{{ $x := "xx" }}{{ range until 64 }}{{ $x = join $x (list $x $x $x) }}{{ end }}`,
	"doubling list":      `{{ $x := list 1 }}{{ range until 64 }}{{ $x = concat $x $x }}{{ end }}`,
	"growing list":       `{{ $x := list }}{{ range until 10000 }}{{ $x = append $x . }}{{ end }}`,
	"shared tree":        `{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ toYaml $x }}`,
	"shared map":         `{{ $x := dict "a" 1 }}{{ range until 64 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ toJson $x }}`,
	"shared and printed": `{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ print $x }}`,
	"shared and equal":   `{{ $x := list 1 }}{{ range until 64 }}{{ $x = list $x $x }}{{ end }}{{ deepEqual $x $x }}`,
	"map in itself":      `{{ $x := dict }}{{ $x = set $x "x" $x }}{{ toYaml $x }}`,
	"itself printed":     `{{ $x := dict }}{{ $x = set $x "x" $x }}{{ print $x }}`,
	"itself copied":      `{{ $x := dict }}{{ $x = set $x "x" $x }}{{ deepCopy $x }}`,
	"itself in a range":  `{{ $x := dict }}{{ $x = set $x "x" $x }}{{ range until 10000 }}{{ range until 10000 }}{{ $x = $x.x }}{{ end }}{{ end }}`,
	"empty loop":         `{{ range 1000000000 }}{{ end }}`,
	"empty loop cubed":   `{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}`,
	"comment loop":       `{{ range 1000000000 }}{{/* nothing */}}{{ end }}`,
	"break loop":         `{{ range 1000000000 }}{{ range 10 }}{{ break }}{{ end }}{{ end }}`,
	"continue loop":      `{{ range 1000000000 }}{{ continue }}{{ end }}`,
	"builtin loop":       `{{ range 1000000000 }}{{ $x := and 1 2 3 (or 1 2) (not 3) (len "x") }}{{ end }}`,
	"text loop":          `{{ range 1000000000 }}x{{ end }}`,
	"else loop":          `{{ range 1000000000 }}{{ if false }}{{ else }}{{ end }}{{ end }}`,
	"with loop":          `{{ range 1000000000 }}{{ with 1 }}{{ end }}{{ end }}`,
	"include loop":       `{{ define "big" }}` + strings.Repeat("x", 200_000) + `{{ end }}{{ range 1000000000 }}{{ $x := include "big" . }}{{ end }}`,
	"nested templates":   nestedTemplates(40),
	"self recursion":     `{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}`,
	"self include":       `{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}`,
	"self and block":     `{{ define "r" }}{{ range 3 }}{{ template "r" . }}{{ end }}{{ end }}{{ template "r" . }}`,
	"sorting maps":       `{{ $x := dict }}{{ range until 5000 }}{{ $x = set $x (print .) . }}{{ end }}{{ range until 10000 }}{{ range $x }}{{ break }}{{ end }}{{ end }}`,
	"hashing":            `{{ $x := repeat 1000000 "x" }}{{ range until 10000 }}{{ $y := sha512sum $x }}{{ end }}`,
	"regex":              `{{ $x := repeat 1000000 "a" }}{{ range until 10000 }}{{ $y := regexMatch "(a+)+$" $x }}{{ end }}`,
	"regex program":      `{{ $x := repeat 1000000 "a" }}{{ range until 10000 }}{{ $y := regexMatch "(a?){500}(a|aa|aaa)+b" $x }}{{ end }}`,
	"regex quadratic":    `{{ $x := repeat 60000 "a" }}{{ $y := regexFindAll "(?:.*b)|." $x -1 }}`,
	"regex replacement":  `{{ $x := repeat 60000 "a" }}{{ $y := regexReplaceAll "a" $x $x }}`,
	"decimals":           `{{ $x := 1e18 }}{{ range until 10000 }}{{ $y := mulf $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x }}{{ end }}`,
	"quantity":           `{{ quantityBytes "1e999999999" }}`,
	"holes":              `{{ $x := repeat 500000 "x" }}{{ range until 10000 }}{{ $x }}{{ end }}`,
	"holes of json":      `{{ $x := toJson (list (repeat 300000 "x")) }}{{ range until 10000 }}{{ $x }}{{ end }}`,
	"many documents":     `{{ range 10000 }}` + "\n---\na: b\n" + `{{ end }}`,
	"many nodes":         `[{{ range 90000 }}1,{{ end }}{{ repeat 500000 "1," }}]`,
	"many raw nodes":     "[" + strings.Repeat("1,", 400_000) + "]",
	"many flow maps":     "[" + strings.Repeat("{},", 60_000) + "]",
	"many keys":          "{" + strings.Repeat("? ,", 60_000) + "}",
	"split":              `{{ $x := splitList "" (repeat 1000000 "x") }}`,
	"fromYaml":           `{{ $x := fromYaml (repeat 300000 "- ") }}`,
	"fromJson":           `{{ $x := fromJson (repeat 300000 "[") }}`,
	"fromJson wide":      `{{ range until 10000 }}{{ $x := fromJson (print "[" (repeat 100000 "1,") "1]") }}{{ end }}`,
	"long pipeline":      `{{ range 1000000000 }}{{ 1` + strings.Repeat(` | add 1`, 5000) + ` }}{{ end }}`,
}

func nestedTemplates(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{{ define "n%d" }}{{ template "n%d" . }}{{ template "n%d" . }}{{ end }}`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `{{ define "n%d" }}{{ end }}{{ template "n0" . }}`, n)
	return b.String()
}

func TestCase14to16BombsEndWithin64MiB(t *testing.T) {
	for name, content := range bombs {
		t.Run(name, func(t *testing.T) {
			set, err := Compile([]Source{{Name: "t", Content: content}})
			if err != nil {
				t.Fatal(err)
			}
			bounded(t, func() {
				if _, err := set.Render("t", params()); err == nil {
					t.Error("the template was rendered")
				} else if len(err.Error()) > 500 {
					t.Errorf("the message is %d bytes long", len(err.Error()))
				}
			})
		})
	}
}

func TestHostileSourcesDoNotExhaustTheParser(t *testing.T) {
	for name, content := range map[string]string{
		"blocks":      strings.Repeat("{{if 1}}", 100_000),
		"parentheses": "{{" + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000) + "}}",
		"size":        strings.Repeat("x", 2<<20),
		"markers":     "a: \ue0f1",
		"names":       `{{ define "a: executing b" }}{{ end }}`,
		"define":      `{{ define "a" }}x{{ end }}{{ define "a" }}y{{ end }}`,
	} {
		t.Run(name, func(t *testing.T) {
			bounded(t, func() {
				if _, err := Compile([]Source{{Name: "t", Content: content}}); err == nil {
					t.Error("the source compiles")
				}
			})
		})
	}
	_, err := Compile([]Source{{Name: "a", Content: `{{ define "x" }}1{{ end }}`}, {Name: "b", Content: `{{ define "x" }}2{{ end }}`}, {Name: "x", Content: ""}})
	if err == nil || !strings.Contains(err.Error(), "template x is defined twice; the other definition is in a") {
		t.Errorf("got %v", err)
	}
}
