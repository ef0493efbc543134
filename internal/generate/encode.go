// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Object encodes an object as people store it: YAML without a status, without what Go's
// zero values add, keys in order.
func Object(o any) ([]byte, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encoding a %T: %w", o, err)
	}
	var content map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // an integer must not lose digits
	if err := decoder.Decode(&content); err != nil {
		return nil, fmt.Errorf("encoding a %T: %w", o, err)
	}
	delete(content, "status")
	if meta, ok := content["metadata"].(map[string]any); ok {
		delete(meta, "creationTimestamp")
	}
	return YAML(content)
}

// YAML encodes a value.
func YAML(v any) ([]byte, error) {
	raw, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding YAML: %w", err)
	}
	return raw, nil
}

// Documents joins objects into a file with a comment at its head.
func Documents(header string, objects ...any) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(Comment(header))
	for i, o := range objects {
		if i > 0 {
			out.WriteString("---\n")
		}
		raw, err := Object(o)
		if err != nil {
			return nil, err
		}
		out.Write(raw)
	}
	return out.Bytes(), nil
}

// Comment is a text as lines that YAML and shells skip.
func Comment(text string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		out.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	return out.String()
}

// Compact is a JSON value on one line, with keys in order; "" where there is none.
func Compact(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	var v any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return string(raw)
	}
	return Inline(v)
}

// Inline is a value as JSON on one line.
func Inline(v any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(out.String())
}
