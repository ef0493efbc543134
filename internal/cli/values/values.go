// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package values reads parameters from flags and files.
package values

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/params"
)

// Flags are --set and --values, under names that a prefix makes.
type Flags struct {
	prefix string
	set    []string
	files  []string
	// content of the files: what comes from the standard input can be read once only.
	content map[string]apiextensionsv1.JSON
}

// AddFlags adds --<prefix>set and --<prefix>values; of says whose parameters they are.
func (f *Flags) AddFlags(cmd *cobra.Command, prefix, of string) {
	f.prefix = prefix
	cmd.Flags().StringArrayVar(&f.set, prefix+"set", nil, "Parameter "+of+" as NAME=VALUE; VALUE is YAML, and text where the parameter is a string. May be repeated")
	cmd.Flags().StringArrayVar(&f.files, prefix+"values", nil, "YAML file with parameters "+of+", NAME: VALUE; - is the standard input. --"+prefix+"set wins")
}

// Given says whether any flag was given.
func (f *Flags) Given() bool { return len(f.set)+len(f.files) > 0 }

// Parse reads parameters that a schema has. A value of null takes a parameter back to its
// default.
func (f *Flags) Parse(in io.Reader, schema *params.Schema) (map[string]apiextensionsv1.JSON, error) {
	if err := f.read(in); err != nil {
		return nil, err
	}
	out := maps.Clone(f.content)
	for _, text := range f.set {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, command.Misuse("--%sset %s: write NAME=VALUE", f.prefix, text)
		}
		raw, err := encode(schema, name, value)
		if err != nil {
			return nil, command.Misuse("--%sset %s: %v", f.prefix, name, err)
		}
		out[name] = apiextensionsv1.JSON{Raw: raw}
	}
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if _, known := schema.Shape(name); !known {
			return nil, command.Misuse("there is no parameter %q%s", name, params.Hint(name, schema.Names()))
		}
	}
	return out, nil
}

// read reads the files, the first time that it is called.
func (f *Flags) read(in io.Reader) error {
	if f.content != nil {
		return nil
	}
	content := map[string]apiextensionsv1.JSON{}
	for _, name := range f.files {
		one, err := readFile(in, name)
		if err != nil {
			return err
		}
		maps.Copy(content, one)
	}
	f.content = content
	return nil
}

func readFile(in io.Reader, name string) (map[string]apiextensionsv1.JSON, error) {
	var raw []byte
	var err error
	if name == "-" {
		raw, err = io.ReadAll(in)
	} else {
		raw, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading parameters: %w", err)
	}
	var out map[string]apiextensionsv1.JSON
	if err := yaml.UnmarshalStrict(raw, &out); err != nil {
		return nil, fmt.Errorf("reading parameters from %s: it is no map of names to values: %w", name, err)
	}
	return out, nil
}

// encode reads the text of a value as the parameter's schema has it.
func encode(schema *params.Schema, name, value string) ([]byte, error) {
	if shape, _ := schema.Shape(name); shape.Type == "string" && value != "null" {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encoding the text: %w", err)
		}
		return raw, nil
	}
	if strings.TrimSpace(value) == "" {
		return nil, errors.New("the value is empty; null takes the parameter back to its default")
	}
	raw, err := yaml.YAMLToJSONStrict([]byte(value))
	if err != nil {
		return nil, fmt.Errorf("the value is no YAML: %w", err)
	}
	return raw, nil
}

// Merge lays parameters over those that are set already; null removes one.
func Merge(set, changes map[string]apiextensionsv1.JSON) map[string]apiextensionsv1.JSON {
	out := maps.Clone(set)
	if out == nil {
		out = map[string]apiextensionsv1.JSON{}
	}
	for name, value := range changes {
		if string(value.Raw) == "null" {
			delete(out, name)
			continue
		}
		out[name] = value
	}
	return out
}
