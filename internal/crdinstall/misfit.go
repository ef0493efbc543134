// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdinstall

import (
	"fmt"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Misfit is a stored object that fits the schema that is served and would not fit another.
type Misfit struct {
	// Namespace and Name of the object.
	Namespace, Name string
	// Problems say which fields and why, in the words of the API server.
	Problems []string
}

// checker holds objects to a schema as the API server does: the same validators, and what
// it would drop without a word.
type checker struct {
	validator validation.SchemaValidator
	structure *structural.Structural
}

func newChecker(schema *apiextensionsv1.JSONSchemaProps) (*checker, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(schema, internal, nil); err != nil {
		return nil, fmt.Errorf("converting the schema: %w", err)
	}
	validator, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		return nil, fmt.Errorf("compiling the schema: %w", err)
	}
	structure, err := structural.NewStructural(internal)
	if err != nil {
		return nil, fmt.Errorf("reading the structure of the schema: %w", err)
	}
	return &checker{validator, structure}, nil
}

func (c *checker) problems(object *unstructured.Unstructured) []string {
	var out []string
	for _, e := range validation.ValidateCustomResource(nil, object.Object, c.validator) {
		out = append(out, e.Error())
	}
	// Only the spec is a person's: the status follows.
	pruned := map[string]any{"spec": object.DeepCopy().Object["spec"]}
	dropped := pruning.PruneWithOptions(pruned, c.structure, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range dropped {
		out = append(out, path+": would be dropped, because no version has it")
	}
	return out
}

// misfits compares every object with both schemas: what fails already is nothing new.
func misfits(served, wanted *apiextensionsv1.JSONSchemaProps, objects func(func(*unstructured.Unstructured)) error) ([]Misfit, error) {
	before, err := newChecker(served)
	if err != nil {
		return nil, err
	}
	after, err := newChecker(wanted)
	if err != nil {
		return nil, err
	}
	var out []Misfit
	err = objects(func(o *unstructured.Unstructured) {
		problems := after.problems(o)
		if len(problems) == 0 {
			return
		}
		known := before.problems(o)
		problems = slices.DeleteFunc(problems, func(p string) bool { return slices.Contains(known, p) })
		if len(problems) > 0 {
			out = append(out, Misfit{o.GetNamespace(), o.GetName(), problems})
		}
	})
	return out, err
}
