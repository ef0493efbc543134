// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package crdgen

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// instanceCRD is the generated definition of Instances: a typed spec has the same fields.
//
//go:embed instance.gen.yaml
var instanceCRD []byte

var instanceSchema = sync.OnceValues(func() (*props, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(instanceCRD, crd); err != nil {
		return nil, fmt.Errorf("reading the definition of Instances: %w", err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema, nil
})

// rootOf makes the schema of an object.
func rootOf(fw *v1alpha1.Framework, names v1alpha1.FrameworkNames, parameters *props) (*props, error) {
	instance, err := instanceSchema()
	if err != nil {
		return nil, err
	}
	longest := MaxInstanceName - len(names.Singular) - 1
	return &props{
		Type:        "object",
		Description: describeKind(fw, names.Kind),
		Required:    []string{"spec"},
		Properties: map[string]props{
			"apiVersion": instance.Properties["apiVersion"],
			"kind":       instance.Properties["kind"],
			"metadata":   {Type: "object"},
			"spec":       specOf(instance, parameters),
			"status":     statusOf(instance),
		},
		XValidations: apiextensionsv1.ValidationRules{{
			Rule: fmt.Sprintf("size(self.metadata.name) <= %d && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')", longest),
			Message: fmt.Sprintf("metadata.name must be at most %d characters: lower-case letters, digits and '-' (the Instance is named %s-<name>, and names of its objects derive from that)",
				longest, names.Singular),
		}},
	}, nil
}

func describeKind(fw *v1alpha1.Framework, kind string) string {
	name := fw.Spec.DisplayName
	if name == "" {
		name = fw.Name
	}
	out := kind + " is one running copy of " + name + ". Change its version or its parameters and Kudo runs the plan that takes it there."
	if fw.Spec.Description != "" {
		out += " " + sentence(fw.Spec.Description)
	}
	return out
}

// specOf is that of an Instance without the reference to the Framework.
func specOf(instance, parameters *props) props {
	of := instance.Properties["spec"]
	out := *of.DeepCopy()
	out.XValidations = nil
	delete(out.Properties, "framework")
	out.Properties["parameters"] = *parameters
	out.Required = slices.DeleteFunc(out.Required, func(name string) bool { return name == "framework" })
	if len(parameters.Required) > 0 {
		out.Required = append(out.Required, "parameters")
	}
	slices.Sort(out.Required)
	return out
}

// statusOf has the fields of v1alpha1.TypedStatus.
func statusOf(instance *props) props {
	of := instance.Properties["status"].Properties
	integer := func(text string) props { return props{Type: "integer", Format: "int64", Description: text} }
	text := func(text string) props { return props{Type: "string", Description: text} }
	small := func(text string) props { return props{Type: "integer", Format: "int32", Description: text} }
	return props{
		Type:        "object",
		Description: "Status is what Kudo observed: that of the Instance, and how far its plan is.",
		Properties: map[string]props{
			"observedGeneration": integer("ObservedGeneration is the generation that this status describes."),
			"conditions":         of["conditions"],
			"version":            of["version"],
			"plan":               of["plan"],
			"outputs":            of["outputs"],
			"instance":           text("Instance is the name of the Instance that was made from this object."),
			"replicas":           small("Replicas is the replicas parameter as it was last rolled out."),
			"selector":           text("Selector selects the pods, for autoscalers."),
			"execution": {
				Type: "object", Description: "Execution is the run of a plan that is under way.",
				Required: []string{"name", "plan", "state"},
				Properties: map[string]props{
					"name":       text("Name of the PlanExecution."),
					"plan":       text("Plan that it runs."),
					"state":      text("State of the run: Pending, Running or Stalled."),
					"phase":      text("Phase that it is in."),
					"step":       text("Step that it is in."),
					"stepsDone":  small("StepsDone is how many steps succeeded or were skipped."),
					"stepsTotal": small("StepsTotal is how many steps there are."),
					"message":    text("Message says what the step waits for, or what to do."),
				},
			},
		},
	}
}
