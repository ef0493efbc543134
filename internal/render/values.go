// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Values are what templates see. The keys in ValueNames always exist; one that
// is not given is null. Everything is copied, so a template changes nothing.
type Values map[string]any

// ValueNames lists the top-level names that exist in every template.
func ValueNames() []string {
	return []string{
		"Params", "Old", "Changed", "Version", "OldVersion", "Name", "Namespace",
		"Labels", "Instance", "Run", "Args", "Item",
	}
}

const maxValueDepth = 100

// data copies v into the few types that templates work with: nil, bool, int64,
// uint64, float64, string, []any and map[string]any. It has no methods to call
// and no functions to range over.
func (v Values) data() (map[string]any, error) {
	out := make(map[string]any, len(v)+12)
	for _, name := range ValueNames() {
		out[name] = nil
	}
	for name, value := range v {
		copied, err := plainData(value, "."+name, 0)
		if err != nil {
			return nil, err
		}
		out[name] = copied
	}
	return out, nil
}

func plainData(v any, path string, depth int) (any, error) {
	if depth > maxValueDepth {
		return nil, &Error{Reason: ReasonLimit, Field: path, Msg: "is nested too deeply", Hint: "at most 100 levels are allowed"}
	}
	if out, ok := scalarData(v); ok {
		return out, nil
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Map:
		return mapData(rv, path, depth)
	case reflect.Slice, reflect.Array:
		out := make([]any, rv.Len())
		for i := range out {
			item, err := plainData(rv.Index(i).Interface(), path+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = item
		}
		return out, nil
	}
	return nil, &Error{Reason: ReasonExecution, Field: path, Msg: "is not a JSON value"}
}

func mapData(rv reflect.Value, path string, depth int) (any, error) {
	if rv.Type().Key().Kind() != reflect.String {
		return nil, &Error{Reason: ReasonExecution, Field: path, Msg: "is a map whose keys are not strings"}
	}
	out := make(map[string]any, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		key := it.Key().String()
		item, err := plainData(it.Value().Interface(), path+"."+key, depth+1)
		if err != nil {
			return nil, err
		}
		out[key] = item
	}
	return out, nil
}

func scalarData(v any) (any, bool) {
	switch t := v.(type) {
	case nil:
		return nil, true
	case json.Number:
		return numberData(string(t)), true
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.String:
		return rv.String(), true
	case reflect.Bool:
		return rv.Bool(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return unsignedData(rv.Uint()), true
	case reflect.Float32, reflect.Float64:
		return floatData(rv.Float()), true
	}
	return nil, false
}

func unsignedData(u uint64) any {
	if u <= math.MaxInt64 {
		return int64(u)
	}
	return u
}

// floatData makes an integer of a float that is one exactly: JSON does not tell
// 3 from 3.0, and a count must never print as 1e+06.
func floatData(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return int64(f)
	}
	return f
}

func numberData(text string) any {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return u
	}
	f, _ := strconv.ParseFloat(text, 64)
	return floatData(f)
}

func formatFloat(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "e+", "e", 1)
}
