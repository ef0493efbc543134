// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// reserved are reasons that belong to the API although no code of this build uses them.
var reserved = map[string]string{}

const conditionsFile = "apis/kudo/v1alpha1/conditions.go"

// TestConditionsAreUsedAndDocumented: a reason that nothing sets misleads, and one that
// no page explains helps nobody.
func TestConditionsAreUsedAndDocumented(t *testing.T) {
	names := map[string]string{}
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.name == conditionsFile {
			names = constants(t, s)
			continue
		}
		if s.isTest() {
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				used[sel.Sel.Name] = true
			}
			return true
		})
	}
	if len(names) == 0 {
		t.Fatalf("%s has no constants", conditionsFile)
	}
	pages := specification(t)
	for name, value := range names {
		_, isReserved := reserved[name]
		switch {
		case !used[name] && !isReserved:
			t.Errorf("nothing uses %s: remove it, or reserve it here and say for what", name)
		case used[name] && isReserved:
			t.Errorf("%s is reserved but used: take it off the list", name)
		}
		if !strings.Contains(pages, "`"+value+"`") {
			t.Errorf("docs/spec does not say what `%s` (%s) means", value, name)
		}
	}
}

// constants gives the string constants of a file by name.
func constants(t *testing.T, s source) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, d := range s.tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || len(v.Names) != 1 || len(v.Values) != 1 {
				t.Fatalf("%s: one constant a line, with its value", s.position(spec))
			}
			literal, ok := v.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s: the value is no literal", s.position(v))
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			out[v.Names[0].Name] = value
		}
	}
	return out
}
