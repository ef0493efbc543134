// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// The files of a Kudo package.
const (
	frameworkFile = "framework.yaml"
	readmeFile    = "README.md"
)

// manifest is framework.yaml.
type manifest struct {
	Framework framework                     `json:"framework"`
	Version   v1alpha1.FrameworkVersionSpec `json:"version"`
}

type framework struct {
	Name string `json:"name"`

	v1alpha1.FrameworkSpec `json:",inline"`
}

// emit writes the files of the new package.
func (im *importer) emit() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, o := range im.build.outputs {
		out[templatesDir+o.name] = []byte(o.content)
	}
	if im.shortName > 0 {
		out[templatesDir+nameFile] = []byte(im.nameTemplate())
	}
	raw, err := encode(im.manifest())
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", frameworkFile, err)
	}
	out[frameworkFile] = raw
	if params := im.parameters(); len(params) > 0 {
		if out[paramsFile], err = encode(params); err != nil {
			return nil, fmt.Errorf("writing %s: %w", paramsFile, err)
		}
	}
	return out, nil
}

func (im *importer) manifest() manifest {
	o, b := im.operator, im.build
	m := manifest{Framework: framework{Name: b.name}}
	if o.name.text != b.name {
		m.Framework.DisplayName = clip(o.name.text, 120)
	}
	m.Framework.Description = clip(o.description.text, 4000)
	m.Framework.URL = clip(o.url.text, 2000)
	taken := map[string]bool{}
	for _, each := range o.maintainers {
		email := strings.Trim(each.email, "<> ")
		name := clip(each.name, 120)
		if name == "" {
			name = clip(email, 120)
		}
		const most = 32
		if name == "" || taken[name] || len(taken) == most {
			continue
		}
		taken[name] = true
		m.Framework.Maintainers = append(m.Framework.Maintainers, v1alpha1.Maintainer{Name: name, Email: clip(email, 250)})
	}
	m.Version.Version = b.version
	m.Version.AppVersion = clip(o.appVersion.text, 60)
	m.Version.Permissions = b.permissions
	m.Version.Tasks = b.tasks
	m.Version.Plans = b.plans
	return m
}

// encode writes a value as YAML that every reader takes for the same. Fields stand in
// the order of their types.
func encode(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	var node yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&node); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	restyle(&node)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return b.Bytes(), nil
}

// safeScalar are strings that YAML 1.1 and 1.2 both read as strings without quotes.
var (
	safeScalar = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9_./]*( [-A-Za-z0-9_./(),;]+)*$`)
	notSafe    = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null|nan|inf)$`)
)

// restyle turns JSON's flow style into what people read: blocks, and quotes only where
// they are needed.
func restyle(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.MappingNode {
		n.Content = withoutEmpty(n.Content)
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		switch {
		case strings.Contains(n.Value, "\n") && !strings.ContainsAny(n.Value, "\t\r\u2028\u2029\u0085") && printable(n.Value):
			n.Style = yaml.LiteralStyle
		case !safeScalar.MatchString(n.Value) || notSafe.MatchString(n.Value):
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	for _, child := range n.Content {
		restyle(child)
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[1].Kind == yaml.ScalarNode && n.Content[0].Value == "task" {
		n.Style = yaml.FlowStyle
	}
}

// withoutEmpty leaves out fields that a type always writes, and that say nothing.
func withoutEmpty(content []*yaml.Node) []*yaml.Node {
	out := content[:0]
	for i := 0; i+1 < len(content); i += 2 {
		if content[i].Value == "framework" && content[i+1].Kind == yaml.ScalarNode && content[i+1].Value == "" {
			continue
		}
		out = append(out, content[i], content[i+1])
	}
	return out
}

// printable says whether a text stands in a block scalar as it is.
func printable(text string) bool {
	if strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\n") {
		return false
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimRight(line, " ") != line {
			return false
		}
	}
	return strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }) < 0
}
