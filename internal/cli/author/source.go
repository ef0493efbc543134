// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/registry"
	"kudo.dev/kudo/internal/validation"
)

// sources reads packages from where people keep them: a directory, an archive, a registry.
type sources struct{ registry registry.Options }

// archiveExt is how the name of an archive ends.
const archiveExt = ".tar"

const sourceHelp = "A package is a directory, an archive that `kubectl kudo package build` made, or\noci://HOST/REPOSITORY[:TAG][@DIGEST] in a registry."

func (s *sources) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.registry.PlainHTTP, "plain-http", false, "Talk to the registry without TLS")
}

// source is a package with its files.
type source struct {
	*pack.Package

	// files hold the package at their root.
	files fs.FS
	// manifest is that of a package that came from a registry.
	manifest registry.Manifest
}

// load reads the package that an argument names.
func (s *sources) load(ctx context.Context, name string) (*source, error) {
	out := &source{}
	var err error
	switch {
	case strings.HasPrefix(name, registry.Scheme):
		out.files, out.manifest, err = s.pull(ctx, name)
	default:
		out.files, err = local(name)
	}
	if err != nil {
		return nil, err
	}
	if out.Package, err = pack.Load(out.files, "."); err != nil {
		return nil, fmt.Errorf("reading the package %s:\n%w", name, err)
	}
	return out, nil
}

// local opens a directory or an archive.
func local(name string) (fs.FS, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading the package: %w", err)
	}
	if info.IsDir() {
		return os.DirFS(name), nil
	}
	if filepath.Ext(name) != archiveExt {
		return nil, command.Misuse("%s is no package: name the directory that holds framework.yaml, or an archive (%s)", name, archiveExt)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	return extracted(name, raw)
}

func (s *sources) pull(ctx context.Context, name string) (fs.FS, registry.Manifest, error) {
	ref, err := registry.Parse(name)
	if err != nil {
		return nil, registry.Manifest{}, command.Misuse("%v", err)
	}
	raw, m, err := registry.Pull(ctx, ref.WithTag("latest"), s.registry)
	if err != nil {
		return nil, registry.Manifest{}, err //nolint:wrapcheck // it names the reference
	}
	files, err := extracted(name, raw)
	return files, m, err
}

func extracted(name string, raw []byte) (fs.FS, error) {
	files, err := pack.Extract(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the archive %s: %w", name, err)
	}
	return pack.FS(files) //nolint:wrapcheck // it says what it does
}

// check says everything that a cluster would refuse.
func check(p *pack.Package) error {
	_, err := compile(p)
	return err
}

// compile checks a package as a cluster would, and compiles what it would store.
func compile(p *pack.Package) (*graph.Version, error) {
	version := p.Version.DeepCopy()
	graph.Default(&version.Spec, nil)
	versions := graph.NewCache()
	errs := append(validation.Framework(p.Framework), validation.FrameworkVersion(version, nil, versions)...)
	if err := errs.ToAggregate(); err != nil {
		lines := make([]string, 0, len(errs))
		for _, e := range err.Errors() {
			lines = append(lines, "  "+e.Error())
		}
		return nil, fmt.Errorf("a cluster would refuse %s:\n%s", p.Version.Name, strings.Join(lines, "\n"))
	}
	compiled, _ := versions.Compile(&version.Spec) // from the cache: it has no errors
	return compiled, nil
}
