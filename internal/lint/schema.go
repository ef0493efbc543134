// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	openapi "k8s.io/kube-openapi/pkg/validation/errors"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"sigs.k8s.io/yaml"
)

// The generated definitions of our own kinds: the API server holds objects to their schemas
// before any webhook sees them.
var (
	//go:embed framework.gen.yaml
	frameworkCRD []byte
	//go:embed frameworkversion.gen.yaml
	versionCRD []byte

	frameworkSchema = sync.OnceValues(func() (*spec.Schema, error) { return schemaIn(frameworkCRD) })
	versionSchema   = sync.OnceValues(func() (*spec.Schema, error) { return schemaIn(versionCRD) })
)

func schemaIn(raw []byte) (*spec.Schema, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(raw, crd); err != nil {
		return nil, fmt.Errorf("reading a definition: %w", err)
	}
	text, err := json.Marshal(crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("encoding a schema: %w", err)
	}
	out := &spec.Schema{}
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("reading a schema: %w", err)
	}
	return out, nil
}

var frameworkName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`)

// outOfSchema holds both objects to the schemas, and to those rules of the definitions that
// are about an object alone.
func outOfSchema(s *subject, r *reporter) {
	version := s.pkg.Version.DeepCopy()
	version.Spec = *s.spec
	against(s.pkg.Framework, frameworkSchema, "framework", r)
	against(version, versionSchema, "version", r)
	if name := s.pkg.Framework.Name; !frameworkName.MatchString(name) {
		r.field("framework.name", "the name must be at most 40 lower-case letters, digits and '-', starting with a letter")
	}
}

func against(object any, schema func() (*spec.Schema, error), root string, r *reporter) {
	held, err := schema()
	if err != nil {
		r.field(root, "%v", err)
		return
	}
	raw, err := json.Marshal(object)
	var data map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &data)
	}
	if err != nil {
		r.field(root, "%v", err)
		return
	}
	for _, wrong := range validate.NewSchemaValidator(held, nil, "", strfmt.Default).Validate(data).Errors {
		path := root
		if own, ok := errors.AsType[*openapi.Validation](wrong); ok {
			path += trimSpec(own.Name)
		}
		message := strings.Replace(wrong.Error(), " in body", "", 1)
		r.field(path, "%s", strings.Replace(message, "spec", root, 1))
	}
}
