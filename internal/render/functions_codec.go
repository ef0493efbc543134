// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/Masterminds/semver/v3"
)

func codecFunctions() map[string]function {
	return map[string]function{
		"toYaml":       {min: 1, max: 1, impl: toYAML},
		"toJson":       {min: 1, max: 1, impl: func(x *execution, a []any) (any, error) { return x.json(a[0], "") }},
		"toPrettyJson": {min: 1, max: 1, impl: func(x *execution, a []any) (any, error) { return x.json(a[0], "  ") }},
		"fromYaml":     {min: 1, max: 1, lazy: true, impl: fromYAML},
		"fromJson":     {min: 1, max: 1, impl: fromJSON},
		"b64enc":       text1(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"b32enc":       text1(func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }),
		"b64dec":       decoder(base64.StdEncoding.DecodeString, "base64"),
		"b32dec":       decoder(base32.StdEncoding.DecodeString, "base32"),
		"urlParse":     {min: 1, max: 1, impl: urlParse},
		"semver":       {min: 1, max: 1, impl: semverParts},
	}
}

// decoder turns decoding errors into errors, where Sprig prints them.
func decoder(decode func(string) ([]byte, error), name string) function {
	return function{min: 1, max: 1, impl: func(_ *execution, a []any) (any, error) {
		s, err := toText(a[0])
		if err != nil {
			return nil, err
		}
		out, err := decode(s)
		if err != nil {
			return nil, fault("", "the string is not %s", name)
		}
		return string(out), nil
	}}
}

func toYAML(x *execution, a []any) (any, error) {
	var b strings.Builder
	if err := x.yamlBlock(&b, a[0], 0, false); err != nil {
		return nil, err
	}
	return markup(strings.TrimPrefix(b.String(), "\n")), nil
}

// yamlBlock writes v in block style. Strings are holes, so nothing needs quotes.
// In a list the first key of a map stands behind the dash.
func (x *execution) yamlBlock(b *strings.Builder, v any, depth int, dash bool) error {
	pad := "\n" + strings.Repeat("  ", depth)
	if err := x.charge(len(pad)); err != nil {
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		return x.yamlMap(b, v, depth, dash, pad)
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
		}
		for i, item := range v {
			if i > 0 || !dash {
				b.WriteString(pad)
			}
			b.WriteString("- ")
			if err := x.yamlBlock(b, item, depth+1, true); err != nil {
				return err
			}
		}
		return nil
	}
	m, err := x.scalar(v, holeYAML)
	b.WriteString(string(m))
	return err
}

func (x *execution) yamlMap(b *strings.Builder, v map[string]any, depth int, dash bool, pad string) error {
	if len(v) == 0 {
		b.WriteString("{}")
	}
	for i, key := range slices.Sorted(maps.Keys(v)) {
		if i > 0 || !dash {
			b.WriteString(pad)
		}
		name, err := x.yamlKey(key)
		if err != nil {
			return err
		}
		b.WriteString(string(name) + ":")
		nested := depth + 1
		if list, ok := v[key].([]any); ok && len(list) > 0 {
			nested = depth
		} else if m, ok := v[key].(map[string]any); !ok || len(m) == 0 {
			b.WriteString(" ")
		}
		if err := x.yamlBlock(b, v[key], nested, false); err != nil {
			return err
		}
	}
	return nil
}

// yamlKey keeps ordinary keys readable in error messages and positions.
func (x *execution) yamlKey(key string) (markup, error) {
	if yamlScalar(key) == key {
		return markup(key), nil
	}
	return x.hole(holeYAML, key)
}

func (x *execution) scalar(v any, style holeStyle) (markup, error) {
	switch v := v.(type) {
	case nil:
		return "null", nil
	case string:
		return x.hole(style, v)
	}
	text, err := scalarText(v)
	return markup(text), err
}

func (x *execution) json(v any, unit string) (markup, error) {
	var b strings.Builder
	err := x.jsonValue(&b, v, unit, "\n")
	return markup(b.String()), err
}

func (x *execution) jsonValue(b *strings.Builder, v any, unit, pad string) error {
	if err := x.charge(len(pad)); err != nil {
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		ordered := slices.Sorted(maps.Keys(v))
		return x.jsonItems(b, "{}", len(ordered), unit, pad, func(i int, pad string) error {
			if err := x.jsonString(b, ordered[i]); err != nil {
				return err
			}
			b.WriteString(":" + unit[:min(1, len(unit))])
			return x.jsonValue(b, v[ordered[i]], unit, pad)
		})
	case []any:
		return x.jsonItems(b, "[]", len(v), unit, pad, func(i int, pad string) error {
			return x.jsonValue(b, v[i], unit, pad)
		})
	case string:
		return x.jsonString(b, v)
	}
	m, err := x.scalar(v, holeQuoted)
	b.WriteString(string(m))
	return err
}

func (x *execution) jsonString(b *strings.Builder, s string) error {
	m, err := x.hole(holeQuoted, s)
	b.WriteString(`"` + string(m) + `"`)
	return err
}

func (x *execution) jsonItems(b *strings.Builder, brackets string, n int, unit, pad string, write func(int, string) error) error {
	b.WriteString(brackets[:1])
	inner := pad + unit
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		if unit != "" {
			b.WriteString(inner)
		}
		if err := write(i, inner); err != nil {
			return err
		}
	}
	if unit != "" && n > 0 {
		b.WriteString(pad)
	}
	b.WriteString(brackets[1:])
	return nil
}

// fromYAML reads one document. Of markup it reads the layout with its holes, so
// values stay data here too.
func fromYAML(x *execution, a []any) (any, error) {
	var text string
	var err error
	if m, ok := a[0].(markup); ok {
		text = string(m)
	} else if text, err = toText(a[0]); err == nil && strings.ContainsAny(text, holeOpen+holeClose) {
		err = fault("", "the text holds a reserved character")
	}
	if err == nil {
		err = x.charge(4 * len(text))
	}
	if err != nil {
		return nil, err
	}
	docs, err := x.documents(text)
	if err != nil {
		return nil, nested(err)
	}
	if len(docs) > 1 {
		return nil, fault("", "the text holds more than one YAML document")
	}
	if len(docs) == 0 {
		return nil, nil
	}
	return docs[0].value, nil
}

// nested says where a text that a template made is wrong: its lines are not
// those of the template.
func nested(err error) error {
	var own *Error
	if !errors.As(err, &own) {
		return err
	}
	return &Error{Reason: own.Reason, Msg: "the text is not acceptable YAML: " + own.Msg, Hint: own.Hint}
}

func fromJSON(x *execution, a []any) (any, error) {
	text, err := toText(a[0])
	if err == nil {
		err = x.charge(32 * len(text))
	}
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fault("", "the text is not JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fault("", "text follows the JSON value")
	}
	return plainData(out, "", 0)
}

func urlParse(_ *execution, a []any) (any, error) {
	text, err := toText(a[0])
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || !utf8.ValidString(text) {
		return nil, fault("", "the text is not a URL")
	}
	return map[string]any{
		"scheme": u.Scheme, "host": u.Host, "hostname": u.Hostname(), "port": u.Port(), "path": u.Path,
		"query": u.RawQuery, "fragment": u.Fragment, "opaque": u.Opaque, "userinfo": u.User.String(),
	}, nil
}

// semverParts gives a map with the fields of Sprig's object.
func semverParts(_ *execution, a []any) (any, error) {
	text, err := toText(a[0])
	if err != nil || len(text) > 256 {
		return nil, fault("", "a version is expected")
	}
	v, err := semver.NewVersion(text)
	if err != nil {
		return nil, fault("", "the text is not a semantic version")
	}
	return map[string]any{
		"Major": unsignedData(v.Major()), "Minor": unsignedData(v.Minor()), "Patch": unsignedData(v.Patch()),
		"Prerelease": v.Prerelease(), "Metadata": v.Metadata(), "Original": v.Original(),
	}, nil
}
