// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	"errors"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// ErrNoVersion says that there is no version to make a schema from.
var ErrNoVersion = errors.New("none of its FrameworkVersions is valid")

// Build makes the CustomResourceDefinition of a Framework's kind. versions are the valid
// ones, in any order; those that conflict with an earlier one are left out.
func Build(fw *v1alpha1.Framework, versions []*v1alpha1.FrameworkVersion) (*apiextensionsv1.CustomResourceDefinition, error) {
	names := Names(fw)
	if err := CheckNames(names); err != nil {
		return nil, err
	}
	fitting, _ := fit(versions)
	if len(fitting) == 0 {
		return nil, ErrNoVersion
	}
	parameters, err := parametersOf(fitting)
	if err != nil {
		return nil, err
	}
	scale, err := scaleOf(fw, parameters)
	if err != nil {
		return nil, err
	}
	root, err := rootOf(fw, names, parameters)
	if err != nil {
		return nil, err
	}
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: Name(names), Labels: Labels(fw.Name)},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: v1alpha1.TypedGroup,
			Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{
				Kind: names.Kind, ListKind: names.Kind + "List", Plural: names.Plural, Singular: names.Singular,
				ShortNames: names.ShortNames, Categories: names.Categories,
			},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: v1alpha1.TypedVersion, Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: root},
				Subresources: &apiextensionsv1.CustomResourceSubresources{
					Status: &apiextensionsv1.CustomResourceSubresourceStatus{}, Scale: scale,
				},
				AdditionalPrinterColumns: columns(fw),
			}},
		},
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)
	return crd, nil
}

// Labels mark a CustomResourceDefinition as that of a Framework.
func Labels(framework string) map[string]string {
	return map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelFramework: framework}
}

// Owner is the Framework that a CustomResourceDefinition was made for; "" if it is not ours.
func Owner(crd metav1.Object) string {
	if crd.GetLabels()[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
		return ""
	}
	return crd.GetLabels()[v1alpha1.LabelFramework]
}

// parametersOf gives the schema of spec.parameters; versions are newest first.
func parametersOf(versions []*v1alpha1.FrameworkVersion) (*props, error) {
	uses := map[string][]use{}
	schemas := map[string]*props{}
	for _, v := range versions {
		for i := range v.Spec.Parameters {
			p := &v.Spec.Parameters[i]
			s, err := schemaOf(p)
			if err != nil {
				return nil, err
			}
			if have, ok := schemas[p.Name]; ok {
				if s, err = merge(have, s, p.Name); err != nil {
					return nil, err
				}
			}
			schemas[p.Name] = s
			uses[p.Name] = append(uses[p.Name], use{v.Spec.Version, p})
		}
	}
	out := &props{Type: "object", Description: "Parameters of the software. What is not set takes the version's default."}
	for name, s := range schemas {
		if out.Properties == nil {
			out.Properties = map[string]props{}
		}
		s.Description = describe(uses[name], len(versions))
		if title := uses[name][0].parameter.DisplayName; title != "" {
			s.Title = title
		}
		out.Properties[name] = *s
		everywhere := len(uses[name]) == len(versions)
		if everywhere && !slices.ContainsFunc(uses[name], func(u use) bool { return !u.parameter.Required }) {
			out.Required = append(out.Required, name)
		}
	}
	slices.Sort(out.Required)
	return out, nil
}

// scaleOf makes the scale subresource, where the Framework names a parameter for it.
func scaleOf(fw *v1alpha1.Framework, parameters *props) (*apiextensionsv1.CustomResourceSubresourceScale, error) {
	name := fw.Spec.ReplicasParameter
	if name == "" {
		return nil, nil //nolint:nilnil // a kind without a scale
	}
	p, ok := parameters.Properties[name]
	if !ok || p.Type != "integer" {
		return nil, fmt.Errorf("spec.replicasParameter: no valid version has a parameter %q of type integer", name)
	}
	selector := ".status.selector"
	return &apiextensionsv1.CustomResourceSubresourceScale{
		SpecReplicasPath: ".spec.parameters." + name, StatusReplicasPath: ".status.replicas", LabelSelectorPath: &selector,
	}, nil
}

// columns are those of an Instance, and what the Framework declares before the age.
func columns(fw *v1alpha1.Framework) []apiextensionsv1.CustomResourceColumnDefinition {
	out := []apiextensionsv1.CustomResourceColumnDefinition{
		{Name: "Ready", Type: "string", JSONPath: `.status.conditions[?(@.type=="Ready")].status`},
		{Name: "Status", Type: "string", JSONPath: `.status.conditions[?(@.type=="Ready")].message`},
		{Name: "Version", Type: "string", JSONPath: ".status.version"},
		{Name: "Plan", Type: "string", JSONPath: ".status.plan"},
	}
	for _, c := range fw.Spec.PrinterColumns {
		out = append(out, apiextensionsv1.CustomResourceColumnDefinition{Name: c.Name, Type: c.Type, JSONPath: c.JSONPath, Priority: c.Priority})
	}
	return append(out, apiextensionsv1.CustomResourceColumnDefinition{Name: "Age", Type: "date", JSONPath: ".metadata.creationTimestamp"})
}

// OwnColumns are the headings that a Framework can not use for columns of its own.
func OwnColumns() []string {
	return []string{"Ready", "Status", "Version", "Plan", "Age", "Name", "Namespace"}
}
