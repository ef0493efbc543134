// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scaffold makes the first files of a package, which deploys as it is.
package scaffold

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/util/validation"

	"kudo.dev/kudo/internal/pack"
)

//go:embed package kind
var sources embed.FS

// longest leaves room for a version and an instance beside the name.
const longest = 30

// Options of a package.
type Options struct {
	// Name of the framework, a DNS label.
	Name string
	// Kind of its objects; empty derives it from the name: message-queue becomes MessageQueue.
	Kind string
}

// New makes the files of a package, in the order of their names.
func New(o Options) ([]pack.File, error) {
	if wrong := validation.IsDNS1035Label(o.Name); len(wrong) > 0 {
		return nil, fmt.Errorf("%q is no name of a framework: %s", o.Name, strings.Join(wrong, "; "))
	}
	if len(o.Name) > longest {
		return nil, fmt.Errorf("the name %q has %d characters: use at most %d, for names derive from it", o.Name, len(o.Name), longest)
	}
	words := map[string]string{"Name": o.Name, "Kind": o.Kind, "Title": titled(o.Name, " ")}
	if o.Kind == "" {
		words["Kind"] = titled(o.Name, "")
	}
	var out []pack.File
	err := fs.WalkDir(sources, "package", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fill(name, words)
		if err != nil {
			return err
		}
		out = append(out, pack.File{Name: strings.TrimPrefix(name, "package/"), Content: content})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("making the package: %w", err)
	}
	return out, nil
}

// fill replaces what stands in double brackets: braces are the package's own.
func fill(name string, words map[string]string) ([]byte, error) {
	raw, err := sources.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	t, err := template.New(name).Delims("[[", "]]").Option("missingkey=error").Parse(string(raw))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, words); err != nil {
		return nil, fmt.Errorf("filling %s: %w", name, err)
	}
	return b.Bytes(), nil
}

func titled(name, between string) string {
	parts := strings.Split(name, "-")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, between)
}

// Kinds are those that Template makes, in lower case.
func Kinds() []string {
	entries, err := sources.ReadDir("kind")
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// Template begins a template of a kind; the name is what follows that of the Instance.
func Template(kind, name string) ([]byte, error) {
	kind = strings.ToLower(kind)
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("there is no beginning for the kind %q: there are %s", kind, strings.Join(Kinds(), ", "))
	}
	return fill("kind/"+kind+".yaml", map[string]string{"Name": name})
}
