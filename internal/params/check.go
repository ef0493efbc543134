// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const maxShown = 128

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func child(path *field.Path, name string) *field.Path {
	if identifier.MatchString(name) {
		return path.Child(name)
	}
	return path.Key(name)
}

// invalid shows scalars only: a list or a map would bury the sentence.
func invalid(path *field.Path, v any, format string, args ...any) *field.Error {
	var shown any = field.OmitValueType{}
	switch x := v.(type) {
	case string:
		if len(x) <= maxShown {
			shown = x
		}
	case bool, int64, uint64, float64:
		shown = x
	}
	return field.Invalid(path, shown, fmt.Sprintf(format, args...))
}

// check says what is wrong with a value.
func (n *node) check(v any, path *field.Path) field.ErrorList {
	typ := typeOf(v)
	if v == nil && n.nullable {
		return nil
	}
	if (v == nil && (n.typ != "" || n.intOrString)) || !finite(v) || (v != nil && !n.accepts(typ)) {
		return field.ErrorList{n.wrongType(v, typ, path)}
	}
	var errs field.ErrorList
	if len(n.enum) > 0 && !contains(n.enum, v) {
		errs = append(errs, invalid(path, v, "must be one of %s", list(n.enum)))
	}
	switch x := v.(type) {
	case string:
		errs = append(errs, n.checkString(x, path)...)
	case []any:
		errs = append(errs, n.checkList(x, path)...)
	case map[string]any:
		errs = append(errs, n.checkObject(x, path)...)
	case int64, uint64, float64:
		errs = append(errs, n.checkNumber(x, path)...)
	}
	return append(errs, n.checkJunctors(v, path)...)
}

var typeNames = map[string]string{
	typeArray: "a list", typeBoolean: "true or false", typeInteger: "an integer",
	typeNumber: "a number", typeObject: "an object", typeString: "a string", "null": "null",
}

func (n *node) wrongType(v any, typ string, path *field.Path) *field.Error {
	want := typeNames[n.typ]
	if n.intOrString {
		want = "an integer or a string"
	}
	if want == "" {
		want = "a value"
	}
	if typ == "null" {
		return invalid(path, v, "must be %s, not null; leave it out to take the default", want)
	}
	hint := ""
	if s, ok := v.(string); ok && len(s) <= maxShown {
		if d, err := Decode([]byte(s)); err == nil && n.typ != "" && n.accepts(typeOf(d)) {
			hint = "; write it without quotes"
		}
	} else if n.typ == typeString && typ != typeObject && typ != typeArray {
		hint = "; write it in quotes"
	}
	return invalid(path, v, "must be %s, not %s%s", want, typeNames[typ], hint)
}

func (n *node) checkString(s string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	size := int64(utf8.RuneCountInString(s))
	if n.minLength != nil && size < *n.minLength {
		errs = append(errs, invalid(path, s, "must have at least %s", count(*n.minLength, "character")))
	}
	if n.maxLength != nil && size > *n.maxLength {
		errs = append(errs, invalid(path, s, "must have at most %s, not %d", count(*n.maxLength, "character"), size))
	}
	if n.pattern != nil && !n.pattern.MatchString(s) {
		errs = append(errs, invalid(path, s, "must match the pattern %s", n.pattern))
	}
	if n.format != "" && (n.typ == typeString || n.typ == "") {
		if wrong := checkFormat(n.format, s); wrong != "" {
			errs = append(errs, invalid(path, s, "%s", wrong))
		}
	}
	return errs
}

func (n *node) checkNumber(v any, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if n.minimum != nil {
		if c := compareNumbers(v, n.minimum); c < 0 || c == 0 && n.aboveMin {
			word := "at least"
			if n.aboveMin {
				word = "greater than"
			}
			errs = append(errs, invalid(path, v, "must be %s %v", word, n.minimum))
		}
	}
	if n.maximum != nil {
		if c := compareNumbers(v, n.maximum); c > 0 || c == 0 && n.belowMax {
			word := "at most"
			if n.belowMax {
				word = "less than"
			}
			errs = append(errs, invalid(path, v, "must be %s %v", word, n.maximum))
		}
	}
	if n.multipleOf != nil && !isMultiple(v, n.multipleOf) {
		errs = append(errs, invalid(path, v, "must be a multiple of %v", n.multipleOf))
	}
	if limit, ok := formatLimits[n.format]; ok {
		if compareNumbers(v, limit[0]) < 0 || compareNumbers(v, limit[1]) > 0 {
			errs = append(errs, invalid(path, v, "must fit the format %s (%v to %v)", n.format, limit[0], limit[1]))
		}
	}
	return errs
}

func (n *node) checkList(items []any, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	size := int64(len(items))
	if n.minItems != nil && size < *n.minItems {
		errs = append(errs, invalid(path, items, "must have at least %s, not %d", count(*n.minItems, "item"), size))
	}
	if n.maxItems != nil && size > *n.maxItems {
		return append(errs, invalid(path, items, "must have at most %s, not %d", count(*n.maxItems, "item"), size))
	}
	if n.unique {
		if i, ok := firstDuplicate(items); ok {
			errs = append(errs, invalid(path.Index(i), items[i], "must not be in the list twice"))
		}
	}
	if n.items != nil {
		for i, item := range items {
			errs = append(errs, n.items.check(item, path.Index(i))...)
		}
	}
	return errs
}

func (n *node) checkObject(object map[string]any, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	size := int64(len(object))
	if n.minProperties != nil && size < *n.minProperties {
		errs = append(errs, invalid(path, object, "must have at least %s, not %d", count(*n.minProperties, "entry"), size))
	}
	if n.maxProperties != nil && size > *n.maxProperties {
		return append(errs, invalid(path, object, "must have at most %s, not %d", count(*n.maxProperties, "entry"), size))
	}
	for _, name := range n.required {
		if _, ok := object[name]; !ok {
			errs = append(errs, field.Required(child(path, name), ""))
		}
	}
	for _, name := range sortedKeys(object) {
		p := n.property(name)
		switch {
		case p != nil:
			errs = append(errs, p.check(object[name], child(path, name))...)
		case !n.open:
			errs = append(errs, invalid(child(path, name), nil, "unknown field%s", Hint(name, sortedKeys(n.properties))))
		}
	}
	return errs
}

func contains(list []any, v any) bool {
	for _, item := range list {
		if equal(item, v) {
			return true
		}
	}
	return false
}

func firstDuplicate(items []any) (int, bool) {
	for i := range items {
		if contains(items[:i], items[i]) {
			return i, true
		}
	}
	return 0, false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		noun = stem + "ie"
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// list writes values as people do: strings in quotes, the first sixteen.
func list(values []any) string {
	const most = 16
	var parts []string
	for i, v := range values {
		if i == most {
			parts = append(parts, fmt.Sprintf("… (%d more)", len(values)-most))
			break
		}
		switch x := v.(type) {
		case string:
			parts = append(parts, strconv.Quote(x))
		default:
			parts = append(parts, fmt.Sprint(x))
		}
	}
	return strings.Join(parts, ", ")
}
