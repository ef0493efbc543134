// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// clockFunctions of package time read or wait for the clock.
var clockFunctions = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}

// TestPurePackagesReadNoClock looks into the code: importing time is fine, for
// durations; asking what time it is, is not. Nor do they start anything beside themselves.
func TestPurePackagesReadNoClock(t *testing.T) {
	seen := 0
	for _, s := range sources(t) {
		if s.isTest() || layerOf(s.dir()) != pure {
			continue
		}
		seen++
		alias := importName(s, "time")
		ast.Inspect(s.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a pure package starts a goroutine", s.position(n))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && alias != "" && x.Name == alias && slices.Contains(clockFunctions, n.Sel.Name) {
					t.Errorf("%s: a pure package calls time.%s: hand the time in", s.position(n), n.Sel.Name)
				}
			}
			return true
		})
	}
	if seen == 0 {
		t.Fatal("no pure package was found")
	}
}

// TestEngineHasNoConcurrency: what waits or shares is not a function of its arguments.
func TestEngineHasNoConcurrency(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || s.dir() != "internal/engine" {
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
				t.Errorf("%s: the engine uses goroutines or channels", s.position(n))
			case *ast.ImportSpec:
				if name := strings.Trim(n.Path.Value, `"`); name == "sync" || name == "sync/atomic" || name == "unsafe" {
					t.Errorf("%s: the engine imports %s", s.position(n), name)
				}
			case *ast.GenDecl:
				// A package-level variable would be state between two decisions.
				if n.Tok.String() == "var" && slices.Contains(s.tree.Decls, ast.Decl(n)) {
					t.Errorf("%s: the engine keeps a variable", s.position(n))
				}
			}
			return true
		})
	}
}

// importName is the name by which a file knows a package; "" if it does not.
func importName(s source, importPath string) string {
	for _, i := range s.tree.Imports {
		if strings.Trim(i.Path.Value, `"`) != importPath {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return importPath[strings.LastIndex(importPath, "/")+1:]
	}
	return ""
}
