// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package packtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
)

// objects compares what is applied and started.
func (c *Case) objects(f *forecast.Forecast) []string {
	var all []map[string]any
	for _, t := range f.Tasks {
		if t.Kind != engine.TaskApply && t.Kind != engine.TaskJob {
			continue
		}
		for _, o := range t.Objects {
			all = append(all, o.Object.Object)
		}
	}
	var wrong []string
	for i, want := range c.Expect.Objects {
		if why := nearest(all, want); why != "" {
			wrong = append(wrong, fmt.Sprintf("expect.objects[%d]: %s", i, why))
		}
	}
	for i, not := range c.Expect.Absent {
		for _, o := range all {
			if differs(o, not, "") == "" {
				wrong = append(wrong, fmt.Sprintf("expect.absent[%d]: %s is there", i, called(o)))
			}
		}
	}
	return wrong
}

// nearest says, where no object holds what is wanted, how the likeliest one differs.
func nearest(all []map[string]any, want map[string]any) string {
	why := ""
	for _, o := range all {
		d := differs(o, want, "")
		if d == "" {
			return ""
		}
		if o["kind"] == want["kind"] {
			why = called(o) + ": " + d
		}
	}
	if why == "" {
		names := make([]string, 0, len(all))
		for _, o := range all {
			names = append(names, called(o))
		}
		why = fmt.Sprintf("there is no %v; there are: %s", want["kind"], strings.Join(names, ", "))
	}
	return why
}

func called(o map[string]any) string {
	meta, _ := o["metadata"].(map[string]any)
	return fmt.Sprintf("%v/%v", o["kind"], meta["name"])
}

// differs says where a value does not hold what is wanted: a map may hold more, anything
// else must be equal.
func differs(have, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		m, ok := have.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %s", place(at), text(have))
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if d := differs(m[k], want[k], at+"."+k); d != "" {
				return d
			}
		}
		return ""
	case []any:
		list, ok := have.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %s", place(at), text(have))
		}
		for i := range want {
			if d := differs(list[i], want[i], at+"["+strconv.Itoa(i)+"]"); d != "" {
				return d
			}
		}
		return ""
	}
	if reflect.DeepEqual(have, want) || text(have) == text(want) {
		return ""
	}
	return fmt.Sprintf("%s is %s, not %s", place(at), text(have), text(want))
}

func place(at string) string {
	if at == "" {
		return "the object"
	}
	return strings.TrimPrefix(at, ".")
}

// text is a value as JSON, so that numbers of different types compare.
func text(v any) string {
	if v == nil {
		return "missing"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
