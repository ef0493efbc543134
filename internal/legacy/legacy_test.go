// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/internal/golden"
	"kudo.dev/kudo/internal/graph"
)

// fixtures are the operators below testdata/operators.
func fixtures(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/operators/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("there are no fixtures: %v", err)
	}
	return dirs
}

// TestImportGolden: what an operator becomes, and what is told about it, byte for byte.
func TestImportGolden(t *testing.T) {
	for _, dir := range fixtures(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			result, err := Import(os.DirFS(dir), ".")
			if err != nil {
				t.Fatal(err)
			}
			again, err := Import(os.DirFS(dir), ".")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(result, again); diff != "" {
				t.Errorf("two imports differ:\n%s", diff)
			}
			golden.Compare(t, "testdata/"+filepath.Base(dir)+".golden", string(listing(result)))
		})
	}
}

// listing is everything that an import gives, as one text.
func listing(r *Result) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, r.Files[name])
	}
	fmt.Fprintf(&b, "-- notes (publishable: %v) --\n", r.Publishable())
	for _, n := range r.Notes {
		fmt.Fprintln(&b, n)
	}
	return b.Bytes()
}

// TestPublishableCompiles: what is said to be publishable compiles, and what is not, does not.
func TestPublishableCompiles(t *testing.T) {
	for _, dir := range fixtures(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			result, err := Import(os.DirFS(dir), ".")
			if err != nil {
				t.Fatal(err)
			}
			p, err := load(result.Files)
			if err != nil {
				t.Fatalf("the package can not be loaded: %v", err)
			}
			_, errs := graph.Compile(&p.Version.Spec)
			if compiles := len(errs) == 0; compiles != result.Publishable() {
				t.Errorf("publishable is %v, but compiling says %v", result.Publishable(), errs)
			}
		})
	}
}
