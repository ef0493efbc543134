// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var parameterRules = []Rule{
	{ID: parameterRefused, Family: "parameters", Severity: Error, Title: "a parameter is not valid", check: refused,
		Why: "The schema is not one that Kudo takes, or the default does not fit it.",
		Fix: "correct the schema or the default"},
	{ID: unknownTrigger, Family: "parameters", Severity: Error, Title: "a trigger names no plan that can run", check: refused,
		Why: "A change of the parameter would run nothing.",
		Fix: "name a plan of the version that is neither cleanup nor Shared"},
	{ID: "KUDO022", Family: "parameters", Severity: Warning, Title: "a parameter is used by nothing", check: unusedParameter,
		Why: "People set it and nothing happens.",
		Fix: "use it in a template or an expression, or remove it"},
	{ID: "KUDO023", Family: "parameters", Severity: Warning, Title: "a parameter has no description", check: undescribedParameter,
		Why: "The description is the help that people see, in the typed kind's schema too.",
		Fix: "say what it does, and what changing it costs"},
	{ID: "KUDO024", Family: "parameters", Severity: Warning, Title: "names of parameters differ in case only", check: caseOnly,
		Why: "People take one for the other, and no error tells them.",
		Fix: "rename one of them"},
	{ID: "KUDO025", Family: "parameters", Severity: Warning, Title: "an open string is part of a name", check: openName,
		Why: "A name of Kubernetes takes lower-case letters, digits and '-' only, and has a greatest length. Any other value fails in the middle of a plan instead of at admission.",
		Fix: "give its schema a pattern and maxLength, an enum, or the format k8s-short-name"},
	{ID: "KUDO026", Family: "parameters", Severity: Warning, Title: "a secret is a plain parameter", check: plainSecret,
		Why: "Its value stands in the Instance, in Git and in the history of runs, where many may read it.",
		Fix: "use secretRef: true for the name of a Secret, or generate"},
	{ID: "KUDO027", Family: "parameters", Severity: Warning, Title: "an immutable parameter has a trigger", check: immutableTrigger,
		Why: "It can not change once the Instance exists, so the plan never runs for it.",
		Fix: "remove one of the two"},
	{ID: "KUDO028", Family: "parameters", Severity: Info, Title: "a parameter has neither a default nor is required", check: maybeNull,
		Why: "Where an Instance does not set it, it is null, and every template that prints it fails.",
		Fix: "give it a default, or make it required"},
	{ID: "KUDO029", Family: "parameters", Severity: Info, Title: "a number has no bounds", check: openNumber,
		Why: "A slip of the pen, such as 30 for 3 or -1, is accepted and run.",
		Fix: "set minimum and maximum"},
	{ID: "KUDO030", Family: "parameters", Severity: Info, Title: "a list or map has no bound", check: openList,
		Why: "What it renders can grow past what the API server stores.",
		Fix: "set maxItems or maxProperties"},
	{ID: "KUDO031", Family: "parameters", Severity: Warning, Title: "a boolean or number is declared as a string", check: textForType,
		Why: "\"false\" is a string that is not empty, so conditions of templates take it for true; numbers are compared as text.",
		Fix: "use type: boolean, integer or number"},
	{ID: "KUDO032", Family: "parameters", Severity: Warning, Title: "an amount is any string", check: openQuantity,
		Why: "The API server refuses what is no quantity, in the middle of a plan.",
		Fix: "set format: quantity"},
	{ID: "KUDO033", Family: "parameters", Severity: Warning, Title: "the plan that a parameter triggers does not apply what reads it", check: idleTrigger, compiled: true,
		Why: "A change runs the plan, which succeeds without having changed anything, and counts as done.",
		Fix: "have the plan apply the templates that read it, or name another plan"},
	{ID: "KUDO034", Family: "parameters", Severity: Info, Title: "two parameters have the same title", check: sameTitle,
		Why: "Forms show the displayName only.",
		Fix: "give each a displayName of its own"},
	{ID: "KUDO035", Family: "parameters", Severity: Warning, Title: "a reference to a Secret has a default", check: defaultSecret,
		Why: "Instances that do not set it all read a Secret of that fixed name, whoever made it.",
		Fix: "make it required, or use generate"},
	{ID: "KUDO036", Family: "parameters", Severity: Warning, Title: "expressions can not read a parameter", check: keyword,
		Why: "Its name is a keyword of CEL, so params.<name> does not parse.",
		Fix: "give it another name"},
	{ID: "KUDO037", Family: "parameters", Severity: Warning, Title: "no sample of the parameters fits", check: unsampled, compiled: true,
		Why: "Templates are tried, and the rights that an Instance needs found, with sample values. Without any, status.rules is empty, generate rbac refuses, and most of these rules see nothing.",
		Fix: "give the schema an example that fits, or the parameter a default"},
}

// schemaOf is the schema of a parameter; a string's if it has none.
func schemaOf(p *v1alpha1.Parameter) *apiextensionsv1.JSONSchemaProps {
	out := &apiextensionsv1.JSONSchemaProps{Type: "string"}
	if p.Schema == nil {
		return out
	}
	out = &apiextensionsv1.JSONSchemaProps{}
	if json.Unmarshal(p.Schema.Raw, out) != nil {
		return &apiextensionsv1.JSONSchemaProps{}
	}
	return out
}

// eachParameter makes a check out of one that says what is wrong with a parameter, or nothing.
func eachParameter(check func(*v1alpha1.Parameter, *apiextensionsv1.JSONSchemaProps) string) func(*subject, *reporter) {
	return func(s *subject, r *reporter) {
		for i := range s.spec.Parameters {
			p := &s.spec.Parameters[i]
			if wrong := check(p, schemaOf(p)); wrong != "" {
				r.field("version.parameters["+p.Name+"]", "parameter %s: %s", p.Name, wrong)
			}
		}
	}
}

func unusedParameter(s *subject, r *reporter) {
	if len(s.problems[templateSyntax]) > 0 {
		return
	}
	for _, p := range s.spec.Parameters {
		templates, expressions := s.uses(p.Name)
		if len(templates)+len(expressions) == 0 && s.pkg.Framework.Spec.ReplicasParameter != p.Name {
			r.field("version.parameters["+p.Name+"]", "parameter %s is read by no template and no expression", p.Name)
		}
	}
}

var undescribedParameter = eachParameter(func(p *v1alpha1.Parameter, _ *apiextensionsv1.JSONSchemaProps) string {
	if strings.TrimSpace(p.Description) == "" {
		return "has no description"
	}
	return ""
})

func caseOnly(s *subject, r *reporter) {
	seen := map[string]string{}
	for _, p := range s.spec.Parameters {
		key := strings.ToLower(strings.ReplaceAll(p.Name, "_", ""))
		if first := seen[key]; first != "" && first != p.Name {
			r.field("version.parameters["+p.Name+"]", "%s and %s differ in case and underscores only", p.Name, first)
			continue
		}
		seen[key] = p.Name
	}
}

var namedBy = regexp.MustCompile(`^\s*(?:- )?["']?(?:name|namespace|serviceName|generateName)["']?\s*:(.*)$`)

func openName(s *subject, r *reporter) {
	var lines []string
	for _, n := range s.names {
		for _, line := range s.texts[n].lines {
			if m := namedBy.FindStringSubmatch(line); m != nil {
				lines = append(lines, m[1])
			}
		}
	}
	for i := range s.spec.Parameters {
		p := &s.spec.Parameters[i]
		schema := schemaOf(p)
		bound := schema.Pattern != "" || len(schema.Enum) > 0 || schema.Format != ""
		if schema.Type != "string" || bound || p.SecretRef || p.Generate != nil {
			continue
		}
		re := regexp.MustCompile(`\.Params\.` + regexp.QuoteMeta(p.Name) + `\b`)
		if slices.ContainsFunc(lines, re.MatchString) {
			r.field("version.parameters["+p.Name+"]", "parameter %s is part of a name and may be any string", p.Name)
		}
	}
}

var (
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|token|apikey|api_key|privatekey|private_key|credential)s?$`)
	harmless   = regexp.MustCompile(`(?i)(name|ref|enabled|ttl|policy|path|class)s?$`)
)

var plainSecret = eachParameter(func(p *v1alpha1.Parameter, schema *apiextensionsv1.JSONSchemaProps) string {
	plain := !p.SecretRef && p.Generate == nil && schema.Type == "string" && len(schema.Enum) == 0
	if plain && (schema.Format == "password" || secretName.MatchString(p.Name) && !harmless.MatchString(p.Name)) {
		return "looks like a secret, and its value stands in the Instance"
	}
	return ""
})

var immutableTrigger = eachParameter(func(p *v1alpha1.Parameter, _ *apiextensionsv1.JSONSchemaProps) string {
	if p.Immutable && p.Trigger != "" {
		return "is immutable, so the plan " + p.Trigger + " never runs for it"
	}
	return ""
})

var maybeNull = eachParameter(func(p *v1alpha1.Parameter, schema *apiextensionsv1.JSONSchemaProps) string {
	if p.Default == nil && !p.Required && p.Generate == nil && !schema.Nullable {
		return "is null where an Instance does not set it"
	}
	return ""
})

var openNumber = eachParameter(func(_ *v1alpha1.Parameter, schema *apiextensionsv1.JSONSchemaProps) string {
	if (schema.Type == "integer" || schema.Type == "number") && len(schema.Enum) == 0 && (schema.Minimum == nil || schema.Maximum == nil) {
		return "has no minimum or no maximum"
	}
	return ""
})

var openList = eachParameter(func(_ *v1alpha1.Parameter, schema *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case schema.Type == "array" && schema.MaxItems == nil:
		return "has no maxItems"
	case schema.Type == "object" && schema.AdditionalProperties != nil && schema.MaxProperties == nil:
		return "has no maxProperties"
	}
	return ""
})

var textForType = eachParameter(func(p *v1alpha1.Parameter, schema *apiextensionsv1.JSONSchemaProps) string {
	if schema.Type != "string" {
		return ""
	}
	var value string
	if p.Default != nil && json.Unmarshal(p.Default.Raw, &value) == nil && schema.Format == "" && schema.Pattern == "" {
		if value == "true" || value == "false" {
			return fmt.Sprintf("has the string %q as its default", value)
		}
	}
	if len(schema.Enum) > 0 && !slices.ContainsFunc(schema.Enum, func(v apiextensionsv1.JSON) bool {
		return string(v.Raw) != `"true"` && string(v.Raw) != `"false"`
	}) {
		return "allows the strings true and false only"
	}
	return ""
})

var amount = regexp.MustCompile(`(?i)(memory|storage|disksize|volumesize|cpu|cpus|heap)(size|request|limit)?$`)

var keyword = eachParameter(func(p *v1alpha1.Parameter, _ *apiextensionsv1.JSONSchemaProps) string {
	if slices.Contains([]string{"in", "true", "false", "null"}, p.Name) {
		return "is a keyword of CEL"
	}
	return ""
})

var openQuantity = eachParameter(func(p *v1alpha1.Parameter, schema *apiextensionsv1.JSONSchemaProps) string {
	if schema.Type == "string" && schema.Format == "" && schema.Pattern == "" && len(schema.Enum) == 0 && amount.MatchString(p.Name) {
		return "looks like an amount, and may be any string"
	}
	return ""
})

// idleTrigger compares what reads a parameter with what its plan applies. A parameter that
// expressions read may steer the plan otherwise.
func idleTrigger(s *subject, r *reporter) {
	for _, p := range s.spec.Parameters {
		plan := s.plan(p.Trigger)
		if plan == nil {
			continue
		}
		templates, expressions := s.uses(p.Name)
		reached := map[string]bool{}
		for _, t := range s.renders(plan) {
			for _, n := range s.readers(t) {
				reached[n] = true
			}
		}
		if len(expressions) == 0 && len(templates) > 0 && !slices.ContainsFunc(templates, func(n string) bool { return reached[n] }) {
			r.field("version.parameters["+p.Name+"].trigger", "the plan %s renders none of the templates that read %s (%s)", p.Trigger, p.Name, strings.Join(templates, ", "))
		}
	}
}

func sameTitle(s *subject, r *reporter) {
	seen := map[string]string{}
	for _, p := range s.spec.Parameters {
		key := strings.ToLower(p.DisplayName)
		if first := seen[key]; key != "" && first != "" {
			r.field("version.parameters["+p.Name+"].displayName", "%s and %s are both called %q", p.Name, first, p.DisplayName)
			continue
		}
		seen[key] = p.Name
	}
}

var defaultSecret = eachParameter(func(p *v1alpha1.Parameter, _ *apiextensionsv1.JSONSchemaProps) string {
	if p.SecretRef && p.Default != nil && string(p.Default.Raw) != `""` {
		return "names a Secret by default"
	}
	return ""
})

// unsampled says why nothing could be rendered.
func unsampled(s *subject, r *reporter) {
	err := s.version.Unrendered()
	if err == nil {
		return
	}
	names := s.version.Params.Unsampled()
	for _, name := range names {
		r.field("version.parameters["+name+"]", "%v", err)
	}
	if len(names) == 0 {
		r.field("version", "%v", err)
	}
}
