// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// markup is text of the template: its layout counts, and strings that came from
// values stand in it as holes. A Go string, in contrast, is always data.
type markup string

// A hole is holeOpen, an index in decimal, holeClose. Both runes are printable
// in YAML, mean nothing to it, and are refused in sources.
const (
	holeOpen  = "\ue0f1"
	holeClose = "\ue0f2"
)

// hole is a string that takes part in no parsing.
type hole struct {
	style holeStyle
	value string
}

// holeStyle says how a hole reads in text that YAML does not decode.
type holeStyle uint8

const (
	holeRaw    holeStyle = iota // the string itself
	holeBlock                   // its further lines are indented like the first
	holeQuoted                  // between double quotes that the markup provides
	holeYAML                    // as a YAML scalar
)

func (x *execution) hole(style holeStyle, value string) (markup, error) {
	if !utf8.ValidString(value) {
		return "", fault("use b64enc for binary data", "the string is not valid UTF-8")
	}
	if err := x.charge(len(value) + 16); err != nil {
		return "", err
	}
	x.holes = append(x.holes, hole{style, value})
	return markup(holeOpen + strconv.Itoa(len(x.holes)-1) + holeClose), nil
}

// pieces calls text and hole in the order in which they stand in m.
func (x *execution) pieces(m string, text func(string), fill func(hole)) {
	for {
		before, rest, found := strings.Cut(m, holeOpen)
		text(before)
		if !found {
			return
		}
		index, after, _ := strings.Cut(rest, holeClose)
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(x.holes) {
			fill(x.holes[i])
		}
		m = after
	}
}

// resolvedLen is at most what the text takes with its holes filled, escapes and
// added indentation aside.
func (x *execution) resolvedLen(m markup) int {
	n := 0
	x.pieces(string(m), func(s string) { n += len(s) }, func(h hole) { n += len(h.value) })
	return n
}

// resolve fills the holes for a reader who is not our YAML parser.
func (x *execution) resolve(m markup) (string, error) {
	if !strings.Contains(string(m), holeOpen) {
		return string(m), x.charge(len(m))
	}
	if err := x.charge(2 * x.resolvedLen(m)); err != nil {
		return "", err
	}
	return x.fill(string(m), 0, true)
}

// fillNode fills the holes of one decoded scalar or key of the given style.
func (x *execution) fillNode(text string, style yaml.Style) (string, error) {
	if len(x.holes) == 0 || !strings.Contains(text, holeOpen) {
		return text, nil
	}
	filled, err := x.fill(text, style, false)
	if err != nil || style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return filled, err
	}
	return chomp(text, filled), nil
}

// chomp gives a block scalar that ends in a hole the line breaks at its end that
// its header asks for, as if the value had stood there before parsing.
func chomp(before, after string) string {
	switch {
	case strings.HasSuffix(before, holeClose):
		return strings.TrimRight(after, "\n")
	case strings.HasSuffix(before, holeClose+"\n"):
		if after = strings.TrimRight(after, "\n"); after != "" {
			return after + "\n"
		}
	}
	return after
}

func (x *execution) fill(text string, style yaml.Style, plain bool) (string, error) {
	var b strings.Builder
	var failed error
	block := plain || style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	whole := strings.HasPrefix(text, holeOpen) && strings.Index(text, holeClose) == len(text)-len(holeClose)
	x.pieces(text, func(s string) { b.WriteString(s) }, func(h hole) {
		value := h.value
		switch {
		case h.style == holeQuoted && (plain || style&yaml.DoubleQuotedStyle == 0):
			value = escaped(value)
		case h.style == holeYAML && (block || !whole):
			value = yamlScalar(value)
		case h.style == holeBlock && block:
			value = hang(b.String(), value)
		}
		if err := x.charge(len(value)); err != nil && failed == nil {
			failed = err
		}
		if failed == nil {
			b.WriteString(value)
		}
	})
	return b.String(), failed
}

// hang repeats the spaces before the value in front of its further lines.
func hang(before, value string) string {
	pad := before[len(strings.TrimRight(before, " ")):]
	return strings.ReplaceAll(value, "\n", "\n"+pad)
}

// escaped is the inside of a JSON string, which YAML reads the same way.
func escaped(s string) string {
	q := jsonString(s)
	return q[1 : len(q)-1]
}

func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var (
	plainScalar = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)
	plainWords  = regexp.MustCompile(`^(?i:true|false|null|yes|no|on|off|y|n)$`)
)

// yamlScalar writes a string so that every YAML reader takes it for a string.
func yamlScalar(s string) string {
	if plainScalar.MatchString(s) && !plainWords.MatchString(s) {
		return s
	}
	return jsonString(s)
}
