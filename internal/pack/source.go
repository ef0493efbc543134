// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Source is the text of a package, for those who say where something stands in it.
type Source struct {
	files *files
	roots map[string]*yaml.Node
}

// Open reads the files of the package in dir, without looking at what they mean.
func Open(fsys fs.FS, dir string) (*Source, error) {
	files, err := readAll(fsys, dir)
	if err != nil {
		return nil, err
	}
	return &Source{files: files, roots: map[string]*yaml.Node{}}, nil
}

// Names lists the files, sorted, by their paths in the package. Tests are not among them.
func (s *Source) Names() []string { return slices.Clone(s.files.names) }

// Text is the content of a file; empty where there is none.
func (s *Source) Text(name string) string { return string(s.files.content[name]) }

// Locate finds the file and the line of a field: framework.names.kind,
// version.plans[deploy].phases[0].when, version.parameters[size].default,
// version.templates[main.yaml]. Items of lists are named or counted. Of a field that is not
// there it finds the nearest one around it; the line is 0 where that is the whole file.
func (s *Source) Locate(path string) (file string, line int) {
	steps := split(path)
	file = frameworkFile
	switch {
	case len(steps) > 1 && steps[0] == "version" && steps[1] == "parameters" && s.files.has(paramsFile):
		file, steps = paramsFile, steps[2:]
	case len(steps) > 2 && steps[0] == "version" && steps[1] == "templates" && s.files.has(templatesDir+steps[2]):
		return templatesDir + steps[2], 0
	}
	node := s.root(file)
	for _, step := range steps {
		next, at := child(node, step)
		if next == nil {
			break
		}
		node, line = next, at
	}
	return file, line
}

func (s *Source) root(file string) *yaml.Node {
	if node, known := s.roots[file]; known {
		return node
	}
	// What can not be read has no lines, and Package says so.
	node, err := parse(s.files.path(file), s.files.content[file])
	if err != nil {
		node = nil
	}
	s.roots[file] = node
	return node
}

// child finds a key of a map or an item of a list, and its line.
func child(node *yaml.Node, step string) (*yaml.Node, int) {
	for range maxYAMLDepth {
		if node == nil || node.Kind != yaml.AliasNode {
			break
		}
		node = node.Alias
	}
	switch {
	case node == nil:
		return nil, 0
	case node.Kind == yaml.MappingNode:
		return value(node, step)
	case node.Kind == yaml.SequenceNode:
		return item(node, step)
	}
	return nil, 0
}

func value(node *yaml.Node, key string) (*yaml.Node, int) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1], node.Content[i].Line
		}
	}
	return nil, 0
}

func item(node *yaml.Node, step string) (*yaml.Node, int) {
	for _, n := range node.Content {
		for _, key := range []string{"name", "task"} {
			if v, _ := value(n, key); n.Kind == yaml.MappingNode && v != nil && v.Value == step {
				return n, n.Line
			}
		}
	}
	if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
		return node.Content[i], node.Content[i].Line
	}
	return nil, 0
}

// split reads a path such as a.b[c.d].e.
func split(path string) []string {
	var out []string
	for path != "" {
		if rest, found := strings.CutPrefix(path, "["); found {
			key, after, _ := strings.Cut(rest, "]")
			out, path = append(out, key), strings.TrimPrefix(after, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(out, path)
		}
		out = append(out, path[:end])
		path = strings.TrimPrefix(path[end:], ".")
	}
	return out
}
