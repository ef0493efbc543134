// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package typed_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// definition is the stored one of the generated kind.
func (a *author) definition(ctx context.Context) (*apiextensionsv1.CustomResourceDefinition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := a.w.Admin().Get(ctx, client.ObjectKey{Name: strings.ToLower(a.kind) + "s.packages.kudo.dev"}, crd)
	return crd, err
}

// propertyOf is what the definition says about a parameter.
func propertyOf(crd *apiextensionsv1.CustomResourceDefinition, parameter string) apiextensionsv1.JSONSchemaProps {
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["parameters"].Properties[parameter]
}

func (a *author) awaitDefinition(what string, holds func(*apiextensionsv1.CustomResourceDefinition) bool) {
	a.Helper()
	a.w.Await(a, what, func(ctx context.Context) (bool, string) {
		crd, err := a.definition(ctx)
		if err != nil {
			return false, err.Error()
		}
		return holds(crd), fmt.Sprintf("%+v", crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["parameters"])
	})
}

// Every difference reaches the definition, whatever kind of change it is. Where a stored
// object would not fit, the definition stays, the Framework names the object and the field,
// and the change goes through once the object fits.
func TestNoChangeOfTheSchemaIsLost(t *testing.T) {
	tests := map[string]struct {
		before, after string
		// fits and misfits are values under the old schema that do and do not fit the new one.
		fits, misfits string
		// says is what the Framework says about the object that does not fit.
		says string
		// holds says whether the definition has the change.
		holds func(apiextensionsv1.JSONSchemaProps) bool
	}{
		"enum added to a free string": {
			"{type: string}", "{type: string, enum: [a, b]}", "a", "c", `spec.parameters.x: Unsupported value: "c"`,
			func(s apiextensionsv1.JSONSchemaProps) bool { return len(s.Enum) == 2 },
		},
		"value of an enum removed": {
			"{type: string, enum: [a, b, c]}", "{type: string, enum: [a, b]}", "b", "c", `spec.parameters.x: Unsupported value: "c"`,
			func(s apiextensionsv1.JSONSchemaProps) bool { return len(s.Enum) == 2 },
		},
		"type of the values of a map changed": {
			"{type: object, additionalProperties: {type: integer}}", "{type: object, additionalProperties: {type: string}}",
			"{}", "{k: 1}", `spec.parameters.x.k: Invalid value: "integer"`,
			func(s apiextensionsv1.JSONSchemaProps) bool { return s.AdditionalProperties.Schema.Type == "string" },
		},
		"format added": {
			"{type: string}", "{type: string, format: ipv4}", "10.0.0.1", "here", `spec.parameters.x: Invalid value: "here"`,
			func(s apiextensionsv1.JSONSchemaProps) bool { return s.Format == "ipv4" },
		},
		"unknown fields no longer preserved": {
			"{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: integer}}}",
			"{type: object, properties: {known: {type: integer}}}",
			"{known: 1}", "{known: 1, other: 2}", "spec.parameters.x.other: would be dropped",
			func(s apiextensionsv1.JSONSchemaProps) bool { return s.XPreserveUnknownFields == nil },
		},
		"multipleOf added": {
			"{type: integer}", "{type: integer, multipleOf: 2}", "4", "3", "spec.parameters.x: Invalid value: 3",
			func(s apiextensionsv1.JSONSchemaProps) bool { return s.MultipleOf != nil },
		},
		"type changed": {
			"{type: integer}", "{type: string}", "", "3", `spec.parameters.x: Invalid value: "integer"`,
			func(s apiextensionsv1.JSONSchemaProps) bool { return s.Type == "string" },
		},
		"bound tightened": {
			"{type: integer, maximum: 9}", "{type: integer, maximum: 5}", "5", "7", "spec.parameters.x: Invalid value: 7",
			func(s apiextensionsv1.JSONSchemaProps) bool { return *s.Maximum == 5 },
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuthor(t)
			parameter := func(schema string) string { return "[{name: x, schema: " + schema + "}]" }
			value := func(v string) string {
				if v == "" {
					return "{}"
				}
				return "{x: " + v + "}"
			}
			a.framework("{}", parameter(tc.before))
			a.established()
			a.create("good", "1.0.0", value(tc.fits))
			a.create("bad", "1.0.0", value(tc.misfits))
			a.edit("1.0.0", parameter(tc.after))
			c := a.condition("Established", metav1.ConditionFalse, "SchemaChangeHeld")
			if !strings.Contains(c.Message, "1 stored objects would not fit the new one: "+a.name+"/bad ("+tc.says) {
				t.Errorf("the Framework says: %s", c.Message)
			}
			if crd, err := a.definition(t.Context()); err != nil || tc.holds(propertyOf(crd, "x")) {
				t.Errorf("the definition has the change although an object does not fit: %v", err)
			}

			// Nothing is lost: what does not fit can be read, labelled and deleted.
			o, err := a.objects().Get(t.Context(), "bad", metav1.GetOptions{})
			if err != nil || o.Object["spec"].(map[string]any)["parameters"].(map[string]any)["x"] == nil {
				t.Errorf("the object is not what it was: %v", err)
			}
			if err := a.change("bad", "{metadata: {labels: {touched: yes-it-is}}}"); err != nil {
				t.Errorf("the object can not be labelled: %v", err)
			}
			if err := a.objects().Delete(t.Context(), "bad", metav1.DeleteOptions{}); err != nil {
				t.Errorf("the object can not be deleted: %v", err)
			}
			a.awaitDefinition("the change goes through", func(crd *apiextensionsv1.CustomResourceDefinition) bool { return tc.holds(propertyOf(crd, "x")) })
			a.established()
		})
	}
}

// A required parameter that stored objects do not set is held; one that all set is not.
func TestANewRequiredParameterIsHeld(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}, {name: z}]")
	a.established()
	a.create("without", "1.0.0", "{x: a}")
	a.edit("1.0.0", "[{name: x}, {name: z, required: true}]")
	c := a.condition("Established", metav1.ConditionFalse, "SchemaChangeHeld")
	if !strings.Contains(c.Message, "spec.parameters.z: Required value") {
		t.Errorf("the Framework says: %s", c.Message)
	}
	a.edit("1.0.0", "[{name: x, required: true}, {name: z}]")
	a.established()
	a.awaitDefinition("x is required", func(crd *apiextensionsv1.CustomResourceDefinition) bool {
		required := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["parameters"].Required
		return len(required) == 1 && required[0] == "x"
	})
}

// A changed object that fits now lets the change through: nobody has to touch the Framework.
func TestACorrectedObjectLetsTheChangeThrough(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x, schema: {type: integer}}]")
	a.established()
	a.create("one", "1.0.0", "{x: 7}")
	a.edit("1.0.0", "[{name: x, schema: {type: integer, maximum: 5}}]")
	a.condition("Established", metav1.ConditionFalse, "SchemaChangeHeld")
	if err := a.change("one", "{spec: {parameters: {x: 4}}}"); err != nil {
		t.Fatal(err)
	}
	a.established()
	if err := a.change("one", "{spec: {parameters: {x: 7}}}"); !apierrors.IsInvalid(err) {
		t.Errorf("the new bound does not hold: %v", err)
	}
}

// A printer column is a change like any other.
func TestAPrinterColumnReachesTheDefinition(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	a.patch(a.fw(), map[string]any{"spec": map[string]any{"printerColumns": []any{
		map[string]any{"name": "Size", "type": "string", "jsonPath": ".spec.parameters.x"},
	}, "names": map[string]any{"shortNames": []any{a.name + "s1"}}}})
	a.awaitDefinition("the column is there", func(crd *apiextensionsv1.CustomResourceDefinition) bool {
		for _, c := range crd.Spec.Versions[0].AdditionalPrinterColumns {
			if c.Name == "Size" && c.JSONPath == ".spec.parameters.x" {
				return len(crd.Spec.Names.ShortNames) == 1
			}
		}
		return false
	})
}

// A CEL rule of a version holds from when it is published. What is stored stays readable,
// writable where it does not change, and deletable; its Instance says what is wrong.
func TestACELRuleIsEnforced(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x, schema: {type: integer}, default: 1}]")
	a.established()
	a.create("one", "1.0.0", "{x: 7}")
	a.ready("one")
	a.patch(a.fwv("1.0.0"), map[string]any{"spec": map[string]any{"validations": []any{
		map[string]any{"rule": "params.x < 5", "message": "x must be less than 5"},
	}}})
	a.w.Await(t, "the rule holds", func(ctx context.Context) (bool, string) {
		_, err := a.objects().Create(ctx, a.object("two", "1.0.0", "{x: 8}"), metav1.CreateOptions{DryRun: []string{"All"}})
		return apierrors.IsInvalid(err) && strings.Contains(err.Error(), "x must be less than 5"), fmt.Sprint(err)
	})
	if err := a.change("one", "{metadata: {labels: {touched: yes-it-is}}}"); err != nil {
		t.Errorf("what is stored can not be labelled: %v", err)
	}
	if err := a.objects().Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
		t.Errorf("what is stored can not be deleted: %v", err)
	}
}

// One schema serves all versions: what one of them allows is allowed. What is precise is
// checked against the version that an object names.
func TestVersionsShareASchema(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: size, schema: {type: string, enum: [small, large]}, default: small}]")
	a.version("1.1.0", "[{name: size, schema: {type: string, enum: [small, huge]}, default: small}, {name: extra, schema: {type: boolean}}]")
	a.established()
	a.awaitDefinition("the schema has both", func(crd *apiextensionsv1.CustomResourceDefinition) bool {
		return len(propertyOf(crd, "size").Enum) == 3 && strings.Contains(propertyOf(crd, "extra").Description, "Only in 1.1.0.")
	})
	a.create("old", "1.0.0", "{size: large}")
	a.create("new", "1.1.0", "{size: huge, extra: true}")
	for version, parameters := range map[string]string{"1.0.0": "{size: huge}", "1.1.0": "{size: large}"} {
		_, err := a.objects().Create(t.Context(), a.object("bad", version, parameters), metav1.CreateOptions{})
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.parameters.size: Invalid value") {
			t.Errorf("version %s with %s: %v", version, parameters, err)
		}
	}
	_, err := a.objects().Create(t.Context(), a.object("bad", "1.0.0", "{extra: true}"), metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.parameters.extra: Invalid value: unknown") && !strings.Contains(err.Error(), "extra") {
		t.Errorf("a parameter of another version: %v", err)
	}
}

// The version that came later does not change what a parameter is.
func TestAVersionWithAnotherTypeIsInvalid(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.framework("{}", "[{name: x, schema: {type: integer}}]")
	a.established()
	a.version("1.1.0", "[{name: x, schema: {type: string}}]")
	a.w.Await(t, "the later version is invalid", func(ctx context.Context) (bool, string) {
		v := a.fwv("1.1.0")
		if err := a.w.Admin().Get(ctx, client.ObjectKeyFromObject(v), v); err != nil {
			return false, err.Error()
		}
		for _, c := range v.Status.Conditions {
			if c.Type == "Valid" {
				return c.Reason == "SchemaConflict" && strings.Contains(c.Message, "parameter x does not have the type that it has in version 1.0.0"), c.Message
			}
		}
		return false, "no verdict yet"
	})
	crd, err := a.definition(t.Context())
	if err != nil || propertyOf(crd, "x").Type != "integer" {
		t.Errorf("the schema is %q, %v", propertyOf(crd, "x").Type, err)
	}
	a.edit("1.1.0", "[{name: x, schema: {type: integer, maximum: 3}}]")
	a.w.Await(t, "it is valid once it fits", func(ctx context.Context) (bool, string) {
		fw := a.fw()
		err := a.w.Admin().Get(ctx, client.ObjectKeyFromObject(fw), fw)
		return err == nil && fw.Status.DefaultVersion == "1.1.0", fmt.Sprint(fw.Status.Versions, err)
	})
}
