// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"go/ast"
	"strings"
	"testing"
)

// A file aims at 300 lines and a function at 40; these are where it ends.
const (
	aimLines      = 300
	maxLines      = 500
	maxStatements = 60
	maxReconcile  = 60
)

func TestFileSizes(t *testing.T) {
	for _, s := range sources(t) {
		lines := bytes.Count(s.text, []byte("\n"))
		switch {
		case lines > maxLines:
			t.Errorf("%s has %d lines, more than %d", s.name, lines, maxLines)
		case lines > aimLines:
			t.Logf("%s has %d lines: a file aims at %d", s.name, lines, aimLines)
		}
	}
}

func TestFunctionSizes(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue // a table of cases is long; that is its point
		}
		for _, d := range s.tree.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := statements(f.Body); n > maxStatements {
				t.Errorf("%s: %s has %d statements, more than %d", s.position(f), f.Name.Name, n, maxStatements)
			}
			lines := s.files.Position(f.End()).Line - s.files.Position(f.Pos()).Line + 1
			if f.Name.Name == "Reconcile" && lines >= maxReconcile {
				t.Errorf("%s: Reconcile has %d lines: it stays under %d", s.position(f), lines, maxReconcile)
			}
		}
	}
}

func statements(body ast.Node) int {
	count := 0
	ast.Inspect(body, func(n ast.Node) bool {
		if _, block := n.(*ast.BlockStmt); block {
			return true
		}
		if _, statement := n.(ast.Stmt); statement {
			count++
		}
		return true
	})
	return count
}

// TestInterfacesAreSmall: an interface lives with its consumer and has at most three methods.
func TestInterfacesAreSmall(t *testing.T) {
	const most = 3
	for _, s := range sources(t) {
		if s.isTest() || strings.HasPrefix(s.name, "hack/") {
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok && i.Methods.NumFields() > most {
				t.Errorf("%s: the interface has %d methods, more than %d", s.position(i), i.Methods.NumFields(), most)
			}
			return true
		})
	}
}
