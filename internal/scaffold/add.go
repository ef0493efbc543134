// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package scaffold

import (
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Append adds an item to the list at a path of a YAML document and leaves the rest, comments
// included, as it is. The list is made where there is none; an item of the same name is refused.
func Append(document []byte, item any, path ...string) ([]byte, error) {
	root := yaml.NewListRNode()
	if strings.TrimSpace(string(document)) != "" {
		var err error
		if root, err = yaml.Parse(string(document)); err != nil {
			return nil, fmt.Errorf("reading the YAML: %w", err)
		}
	}
	raw, err := yaml.Marshal(item)
	if err != nil {
		return nil, fmt.Errorf("encoding the item: %w", err)
	}
	node, err := yaml.Parse(string(raw))
	if err != nil {
		return nil, fmt.Errorf("encoding the item: %w", err)
	}
	list, err := root.Pipe(yaml.LookupCreate(yaml.SequenceNode, path...))
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", strings.Join(path, "."), err)
	}
	name, err := node.GetString("name")
	if err != nil {
		return nil, errors.New("the item has no name")
	}
	if same, err := list.Pipe(yaml.MatchElement("name", name)); err == nil && same != nil {
		return nil, fmt.Errorf("there is already %q in %s", name, strings.Join(append(path, "the list"), "."))
	}
	if err := list.PipeE(yaml.Append(node.YNode())); err != nil {
		return nil, fmt.Errorf("adding %q: %w", name, err)
	}
	text, err := root.String()
	if err != nil {
		return nil, fmt.Errorf("encoding the YAML: %w", err)
	}
	return []byte(text), nil
}
