// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	cases := map[string]struct {
		source string
		want   Result
	}{
		"plain":            {`plain $ {text}`, Result{Value: `plain $ {text}`}},
		"empty":            {``, Result{Value: ``}},
		"one keeps type":   {`${params.replicas}`, Result{Value: int64(3)}},
		"list keeps type":  {`${params.hosts}`, Result{Value: []any{"a", "b"}}},
		"within text":      {`${instance.name}-${params.replicas}.x ${params.ratio} ${instance.deployed}`, Result{Value: `zk-3.x 2 true`}},
		"escape":           {`$${params.replicas} and ${params.replicas}`, Result{Value: `${params.replicas} and 3`}},
		"dollar before":    {`$$${params.replicas}`, Result{Value: `$${params.replicas}`}},
		"braces of a map":  {`${{'a': {'b': 1}}.a.b}!`, Result{Value: `1!`}},
		"brace in quotes":  {`${'}' + "}" + r'\}' + '''}'''}`, Result{Value: `}}\}}`}},
		"escaped quote":    {`${'\'}'}`, Result{Value: `'}`}},
		"missing":          {`x ${objects.gone.metadata.name}`, Result{Outcome: Missing, Note: `objects.gone.metadata.name is not set`}},
		"null within text": {`x ${params.zone}`, Result{Outcome: Failed, Err: &Error{Msg: `null cannot stand within a text`}}},
		"list within text": {`x ${params.hosts}`, Result{Outcome: Failed, Err: &Error{Msg: `a list cannot stand within a text`}}},
	}
	e := env(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := e.CompileString(When, tc.source)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, text.Eval(vars())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextRefuses(t *testing.T) {
	cases := map[string]struct {
		kind   Kind
		source string
		want   string
	}{
		"not closed":  {Value, "one\ntwo ${params.replicas", "2:5: ${ is not closed; write $${ for ${ itself"},
		"no content":  {Value, "a ${ }", "1:3: ${} has no expression"},
		"place":       {Value, "one\nä ${parms.x}", `2:5: undeclared reference 'parms'; did you mean "params"?`},
		"out of rule": {Rule, "x ${objects.pods}", `1:5: objects is not available here; there is params, old`},
	}
	e := env(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := e.CompileString(tc.kind, tc.source)
			if err == nil {
				t.Fatal("compiled")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextReferences(t *testing.T) {
	text, err := env(t).CompileString(Value, "${params.zone}-${params.replicas}-${objects.sts}")
	if err != nil {
		t.Fatal(err)
	}
	want := References{Params: []string{"replicas", "zone"}, Objects: []string{"sts"}}
	if diff := cmp.Diff(want, text.References()); diff != "" {
		t.Error(diff)
	}
	if _, ok := text.Constant(); ok {
		t.Error("it is no constant")
	}
}
