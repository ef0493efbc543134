// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// plans is a version with these plans, where names stand for steps.
func plans(text string) set { return set{"spec.plans": text} }

const goodSteps = "steps: [{name: config, tasks: [{task: config}]}]"

// Cases 10, 20, 24, 25, 38, 39, 52 and 54 of the abuse table, and what only the schema
// or only the compiler knows.
func TestVersions(t *testing.T) {
	t.Parallel()
	admin := theWorld(t).admin()
	phases := func(strategy string, phases ...string) set {
		return plans("[{name: deploy, strategy: " + strategy + ", phases: [" + strings.Join(phases, ", ") + "]}]")
	}
	step := func(rest string) set { return phases("Serial", "{name: main, steps: [{name: a, "+rest+"}]}") }
	tests := map[string]struct {
		change set
		want   refusal
	}{
		"10 unknown field":      {set{"spec.templats": "[]"}, badRequest(server, "strict decoding error", `unknown field "spec.templats"`)},
		"10 unknown deep field": {step("task: [{task: config}]"), badRequest(server, `unknown field "spec.plans[0].phases[0].steps[0].task"`)},
		"24 name of another":    {set{"metadata.name": "app-9.9.9"}, invalid(schema, "metadata.name must be <spec.framework>-<spec.version>")},
		"24 framework":          {set{"spec.framework": "App"}, invalid(schema, "spec.framework", "should match")},
		"24 version":            {set{"spec.version": "v1"}, invalid(schema, "spec.version", "should match")},
		"24 long version":       {set{"spec.version": "1.0.0-" + strings.Repeat("x", 40)}, invalid(schema, "spec.version: Too long: may not be more than 40")},
		"24 plan name":          {plans("[{name: Deploy, phases: [{name: main, " + goodSteps + "}]}]"), invalid(schema, "spec.plans[0].name", "should match")},
		"24 parameter name":     {set{"spec.parameters": "[{name: a-b}]"}, invalid(schema, "spec.parameters[0].name", "should match")},
		"25 parameter":          {set{"spec.parameters": "[{name: zone}, {name: zone}]"}, invalid(schema, "spec.parameters[1]: Duplicate value")},
		"25 template":           {set{"spec.templates": "[{name: a, content: ''}, {name: a, content: ''}]"}, invalid(schema, "spec.templates[1]: Duplicate value")},
		"25 task":               {set{"spec.tasks": "[{name: config, apply: {templates: [config.yaml]}}, {name: config, wait: {for: 1s}}]"}, invalid(schema, "spec.tasks[1]: Duplicate value")},
		"25 plan":               {plans("[{name: deploy, phases: [{name: a, " + goodSteps + "}]}, {name: deploy, phases: [{name: a, " + goodSteps + "}]}]"), invalid(schema, "spec.plans[1]: Duplicate value")},
		"25 phase":              {phases("Serial", "{name: a, "+goodSteps+"}", "{name: a, "+goodSteps+"}"), invalid(schema, "spec.plans[0].phases[1]: Duplicate value")},
		"25 step":               {phases("Serial", "{name: a, steps: [{name: s, tasks: [{task: config}]}, {name: s, tasks: [{task: config}]}]}"), invalid(schema, "phases[0].steps[1]: Duplicate value")},
		"25 task of a step":     {step("tasks: [{task: config}, {task: config}]"), invalid(schema, "steps[0].tasks[1]: Duplicate value")},
		"38 itself":             {phases("Parallel", "{name: a, dependsOn: [a], "+goodSteps+"}"), invalid(webhook, "phases[0].dependsOn[0]", "depends on itself")},
		"38 circle":             {phases("Parallel", "{name: a, dependsOn: [b], "+goodSteps+"}", "{name: b, dependsOn: [a], "+goodSteps+"}"), invalid(webhook, `"a -> b -> a": depends on itself in a circle`)},
		"38 later":              {phases("Serial", "{name: a, dependsOn: [b], "+goodSteps+"}", "{name: b, "+goodSteps+"}"), invalid(webhook, "comes later, and the strategy is Serial")},
		"39 task":               {step("tasks: [{task: confg}]"), invalid(webhook, "steps[0].tasks[0].task", `there is no such task; did you mean "config"?`)},
		"39 template":           {set{"spec.tasks": "[{name: config, apply: {templates: [cnfig.yaml]}}]"}, invalid(webhook, `there is no such template; did you mean "config.yaml"?`)},
		"39 trigger":            {set{"spec.parameters": "[{name: zone, trigger: updat}]"}, invalid(webhook, `there is no such plan; did you mean "update"?`)},
		"39 no deploy":          {plans("[{name: update, phases: [{name: main, " + goodSteps + "}]}]"), invalid(webhook, "there is no plan named deploy: an Instance could never be made")},
		"39 nothing":            {set{"spec.plans": "-", "spec.templates": "-", "spec.tasks": "-"}, invalid(webhook, "there is neither a plan nor a template")},
		"39 no phase":           {plans("[{name: deploy, phases: []}]"), invalid(schema, "spec.plans[0].phases", "should have at least 1 items")},
		"43 schema":             {set{"spec.parameters": "[{name: zone, schema: {type: text}}]"}, invalid(webhook, "unknown type")},
		"43 default":            {set{"spec.parameters": "[{name: zone, schema: {type: integer}, default: a}]"}, invalid(webhook, "spec.parameters[zone].default", "must be an integer")},
		"52 time-out 0":         {step("timeout: 0s, tasks: [{task: config}]"), invalid(webhook, "steps[0].timeout", "must be more than 0 and at most 720h0m0s")},
		"52 negative":           {step("timeout: -1s, tasks: [{task: config}]"), invalid(webhook, "steps[0].timeout", "must be more than 0")},
		"52 overflow":           {step("timeout: 99999999h, tasks: [{task: config}]"), undecodable(`invalid duration`)},
		"52 no duration":        {step("timeout: soon, tasks: [{task: config}]"), undecodable(`invalid duration`)},
		"52 attempts":           {step("retry: {limit: -1}, tasks: [{task: config}]"), invalid(schema, "steps[0].retry.limit", "should be greater than or equal to 0")},
		"52 wait for 0":         {step("wait: {for: 0s}"), invalid(webhook, "steps[0].wait.for", "must be more than 0")},
		"52 cron":               {plans("[{name: deploy, schedule: {cron: garbage}, phases: [{name: main, " + goodSteps + "}]}]"), invalid(webhook, "spec.plans[deploy].schedule: Forbidden: not yet supported")},
		"two kinds of task":     {set{"spec.tasks": "[{name: config, apply: {templates: [config.yaml]}, wait: {for: 1s}}]"}, invalid(webhook, `task "config" sets 2 of apply, delete, job, wait and approve`)},
		"unsupported":           {set{"spec.outputs": "[{name: a, from: {plan: p, output: o}}]"}, invalid(webhook, "spec.outputs[a].from: Forbidden: not yet supported")},
		"enumeration":           {phases("Random", "{name: a, "+goodSteps+"}"), invalid(schema, `spec.plans[0].strategy: Unsupported value: "Random"`)},
		"54 phases":             {phases("Serial", many(65, "{name: p%d, "+goodSteps+"}")...), invalid(schema, "spec.plans[0].phases: Too many: 65: must have at most 64 items")},
		"54 nodes":              {phases("Serial", many(10, "{name: p%d, steps: ["+strings.Join(many(101, "{name: s%d, tasks: [{task: config}]}"), ", ")+"]}")...), invalid(webhook, "spec.plans[0].phases: Too many: 3040: must have at most 2000 items")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.check(t, try(t, admin, object(t, versionYAML, tc.change)))
		})
	}
}

// many repeats a text with its number.
func many(n int, text string) []string {
	var out []string
	for i := range n {
		out = append(out, strings.Replace(text, "%d", strconv.Itoa(i), 1))
	}
	return out
}

// Case 20: past what etcd takes the API server answers an opaque 500, so Kudo refuses
// first and names the size; past what the API server takes, nobody else is asked.
func TestSizes(t *testing.T) {
	t.Parallel()
	admin := theWorld(t).admin()
	large := func(templates, size int) *unstructured.Unstructured {
		o := object(t, versionYAML)
		var list []any
		for i := range templates {
			list = append(list, map[string]any{"name": fmt.Sprintf("t%d.yaml", i), "content": "#" + strings.Repeat("x", size)})
		}
		if err := unstructured.SetNestedSlice(o.Object, append(list, map[string]any{"name": "config.yaml", "content": head}), "spec", "templates"); err != nil {
			t.Fatal(err)
		}
		return o
	}
	tests := map[string]struct {
		size *unstructured.Unstructured
		want refusal
	}{
		"one template":        {large(1, 400_000), invalid(schema, "spec.templates[0].content: Too long: may not be more than 400000")},
		"more than is stored": {large(3, 350_000), invalid(webhook, "more than the 900000 that can be stored: make the templates smaller")},
		"more than etcd has":  {large(6, 350_000), invalid(webhook, "spec: Invalid value: takes 210", "more than the 900000")},
		"more than is sent":   {large(10, 350_000), refusal{server, 413, "RequestEntityTooLarge", []string{"limit is 3145728"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.check(t, try(t, admin, tc.size))
		})
	}
	if err := try(t, admin, large(2, 390_000)); err != nil {
		t.Errorf("780 kB: %v", err)
	}
}

// Case 21: client-side apply keeps a copy in an annotation, which has a limit of its own.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	o := object(t, versionYAML)
	o.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": strings.Repeat("x", 262_145)})
	invalid(schema, "metadata.annotations: Too long").check(t, try(t, theWorld(t).admin(), o))
}

// Case 25: a version exists once.
func TestTheSameVersionTwice(t *testing.T) {
	t.Parallel()
	admin, fw := theWorld(t).admin(), unique("twice")
	create(t, admin, versionOf(t, fw, "1.0.0"))
	if err := admin.Create(t.Context(), versionOf(t, fw, "1.0.0")); !apierrors.IsAlreadyExists(err) {
		t.Errorf("got %v, want that it exists already", err)
	}
}

func TestFrameworks(t *testing.T) {
	t.Parallel()
	admin := theWorld(t).admin()
	tests := map[string]struct {
		change set
		want   refusal
	}{
		"24 long name":  {set{"metadata.name": strings.Repeat("a", 41)}, invalid(schema, "metadata.name must be at most 40 characters")},
		"24 dots":       {set{"metadata.name": "a.b"}, invalid(schema, "metadata.name must be at most 40 characters: lower-case letters, digits and '-'")},
		"24 upper case": {set{"metadata.name": "App"}, invalid(schema, "metadata.name", "RFC 1123")},
		"10 field":      {set{"spec.displayname": "x"}, badRequest(server, `unknown field "spec.displayname"`)},
		"singular":      {set{"metadata.name": strings.Repeat("a", 31)}, invalid(webhook, "has 31 characters, more than 30: set spec.names.singular")},
		"kind":          {set{"spec.names": "{kind: app}"}, invalid(schema, "spec.names.kind: Invalid value: \"app\"")},
		"a list":        {set{"spec.names": "{kind: AppList}"}, invalid(webhook, "would be taken for a list of objects: set spec.names.kind")},
		"column":        {set{"spec.printerColumns": "[{name: a, type: string, jsonPath: a}]"}, invalid(webhook, "spec.printerColumns[0].jsonPath: Invalid value: \"a\": must be a simple JSON path")},
		"taken column":  {set{"spec.printerColumns": "[{name: Age, type: string, jsonPath: .a}]"}, invalid(webhook, "every generated kind has a column of this name")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.check(t, try(t, admin, object(t, frameworkYAML, tc.change)))
		})
	}
}
