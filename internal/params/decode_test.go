// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	cases := map[string]struct {
		in   string
		want any
		err  string
	}{
		"int":          {in: `9007199254740993`, want: int64(9007199254740993)},
		"negative":     {in: `-9223372036854775808`, want: int64(math.MinInt64)},
		"uint":         {in: `18446744073709551615`, want: uint64(math.MaxUint64)},
		"float":        {in: `18446744073709551616`, want: 18446744073709551616.0},
		"exponent":     {in: `1e3`, want: 1000.0},
		"string":       {in: `"010"`, want: "010"},
		"nested":       {in: ` {"a":[null,true,{"b":1.5}]} `, want: map[string]any{"a": []any{nil, true, map[string]any{"b": 1.5}}}},
		"huge":         {in: `1e999`, err: "reading JSON: the number 1e999 is out of range"},
		"duplicate":    {in: `{"a":1,"a":1}`, err: `reading JSON: the key "a" appears twice`},
		"trailing":     {in: `1 2`, err: "reading JSON: there is more after the value"},
		"empty":        {in: ``, err: "reading JSON: the value ends too early"},
		"unterminated": {in: `[1,`, err: "reading JSON: the value ends too early"},
		"deep":         {in: strings.Repeat("[", 100), err: "reading JSON: the value is nested deeper than 64 levels"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(tc.in))
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Fatalf("got %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseQuantity(t *testing.T) {
	for in, ok := range map[string]bool{
		"1Gi": true, "0.5": true, "100m": true, "1e3": true, "-1": true, "1E": true,
		"": false, "1GB": false, "1e1000": false, "1 Gi": false, "..": false, "+": false,
	} {
		if _, err := ParseQuantity(in); (err == nil) != ok {
			t.Errorf("%q: %v", in, err)
		}
	}
}
