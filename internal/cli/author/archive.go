// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/registry"
)

// packed is the answer of the commands that make, push or pull an archive.
type packed struct {
	Framework string `json:"framework"`
	Version   string `json:"version"`
	// Reference pins the package in its registry.
	Reference string `json:"reference,omitempty"`
	// Path of the archive or directory that was written.
	Path string `json:"path,omitempty"`
	// Digest pins the package: that of its manifest in any registry.
	Digest string `json:"digest"`
	// Archive is the digest of the tar.
	Archive string `json:"archive"`
	Bytes   int    `json:"bytes"`
}

func (p *source) packed(raw []byte, m registry.Manifest) packed {
	return packed{
		Framework: p.Framework.Name, Version: p.Version.Spec.Version,
		Digest: m.Digest, Archive: m.Layer, Bytes: len(raw),
	}
}

// annotations say in a registry what a package is.
func (p *source) annotations() map[string]string {
	out := map[string]string{
		ocispec.AnnotationTitle:   p.Framework.Name,
		ocispec.AnnotationVersion: p.Version.Spec.Version,
	}
	if text := p.Framework.Spec.Description; text != "" {
		out[ocispec.AnnotationDescription] = text
	}
	return out
}

// archive checks a package as a cluster would, and makes its archive.
func (p *source) archive() ([]byte, error) {
	if err := check(p.Package); err != nil {
		return nil, err
	}
	raw, err := pack.Archive(p.files, ".")
	if err != nil {
		return nil, fmt.Errorf("making the archive: %w", err)
	}
	return raw, nil
}

func newBuild(env *command.Env) *cobra.Command {
	var from sources
	var out command.Output
	var file string
	cmd := &cobra.Command{
		Use:     "build DIR",
		Short:   "Check a package and make an archive of it",
		Long:    "Checks a package as a cluster would, and writes an archive, <framework>-<version>.tar. The\nsame files always make the same archive, and the digest is that of the package in any registry.",
		Example: "  kubectl kudo package build frameworks/zookeeper/3.9.3",
		Args:    command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := from.load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return build(cmd.Context(), env, p, file, &out)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "File to write (default <framework>-<version>.tar)")
	out.AddFlags(cmd, "name")
	return cmd
}

func build(ctx context.Context, env *command.Env, p *source, file string, out *command.Output) error {
	raw, err := p.archive()
	if err != nil {
		return err
	}
	m, err := registry.Pack(ctx, raw, p.annotations())
	if err != nil {
		return err //nolint:wrapcheck // it says what it does
	}
	if file == "" {
		file = p.Version.Name + archiveExt
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil { //nolint:gosec // meant to be shared
		return fmt.Errorf("writing the archive: %w", err)
	}
	answer := p.packed(raw, m)
	answer.Path = file
	return out.Print(env, answer, func() error {
		if out.Is("name") {
			env.Printf("%s\n", file)
			return nil
		}
		env.Printf("%s: %s %s, %d bytes\n%s\n", file, answer.Framework, answer.Version, answer.Bytes, answer.Digest)
		return nil
	})
}

func newPush(env *command.Env) *cobra.Command {
	var from sources
	var out command.Output
	cmd := &cobra.Command{
		Use:   "push PACKAGE REFERENCE",
		Short: "Push a package to an OCI registry",
		Long: "Pushes a package to host/repository[:tag]; the tag is the package's version where none is named.\n" +
			"Credentials are those of `docker login`. Prints the reference that pins what was pushed.\n" + sourceHelp,
		Example: "  kubectl kudo package push frameworks/zookeeper/3.9.3 oci://registry.example.com/kudo/zookeeper",
		Args:    command.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := from.load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return push(cmd.Context(), env, p, args[1], from.registry, &out)
		},
	}
	from.addFlags(cmd)
	out.AddFlags(cmd, "name")
	return cmd
}

func push(ctx context.Context, env *command.Env, p *source, name string, o registry.Options, out *command.Output) error {
	ref, err := registry.Parse(name)
	if err != nil {
		return command.Misuse("%v", err)
	}
	raw, err := p.archive()
	if err != nil {
		return err
	}
	// A tag holds no +, which separates build metadata in a version.
	ref = ref.WithTag(strings.ReplaceAll(p.Version.Spec.Version, "+", "_"))
	m, err := registry.Push(ctx, ref, raw, p.annotations(), o)
	if err != nil {
		return err //nolint:wrapcheck // it names the reference
	}
	answer := p.packed(raw, m)
	answer.Reference = registry.Scheme + ref.WithDigest(m.Digest).String()
	return out.Print(env, answer, func() error {
		if !out.Is("name") {
			env.Printf("pushed %s %s, %d bytes\n", answer.Framework, answer.Version, answer.Bytes)
		}
		env.Printf("%s\n", answer.Reference)
		return nil
	})
}

func newPull(env *command.Env) *cobra.Command {
	var from sources
	var out command.Output
	var dir string
	cmd := &cobra.Command{
		Use:   "pull REFERENCE",
		Short: "Pull a package from an OCI registry",
		Long:  "Pulls a package, checks it against its digests and writes its files to a new directory,\n<framework>-<version>. Name a digest to get exactly what was reviewed: host/repository@sha256:...",
		Args:  command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return pull(cmd.Context(), env, &from, registry.Scheme+strings.TrimPrefix(args[0], registry.Scheme), dir, &out)
		},
	}
	cmd.Flags().StringVarP(&dir, "dir", "d", "", "Directory to make (default <framework>-<version>)")
	from.addFlags(cmd)
	out.AddFlags(cmd, "name")
	return cmd
}

func pull(ctx context.Context, env *command.Env, from *sources, name, dir string, out *command.Output) error {
	p, err := from.load(ctx, name)
	if err != nil {
		return err
	}
	raw, err := pack.Archive(p.files, ".")
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if dir == "" {
		dir = p.Version.Name
	}
	files, err := pack.Extract(raw)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if err := writeNew(dir, files); err != nil {
		return err
	}
	answer := p.packed(raw, p.manifest)
	answer.Path = dir
	return out.Print(env, answer, func() error {
		if out.Is("name") {
			env.Printf("%s\n", dir)
			return nil
		}
		env.Printf("pulled %s %s into %s\n%s\n", answer.Framework, answer.Version, dir, answer.Digest)
		return nil
	})
}

// writeNew writes files into a directory that must be new or empty: nothing is overwritten.
func writeNew(dir string, files []pack.File) error {
	if there, err := os.ReadDir(dir); err == nil && len(there) > 0 {
		return fmt.Errorf("the directory %s is not empty: name another one, or remove it", dir)
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as git makes them
			return fmt.Errorf("making %s: %w", filepath.Dir(path), err)
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil { //nolint:gosec // meant to be shared
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}
