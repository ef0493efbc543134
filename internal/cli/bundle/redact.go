// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bundle makes the archive that a person sends to who supports Kudo: what tells how an
// Instance is, without its secrets.
package bundle

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Redacted stands where something was left out.
const Redacted = "<redacted>"

// shortest is the length from which a secret value is looked for in texts: shorter ones would
// be found everywhere.
const shortest = 4

// Names and texts that look like secrets.
var (
	secretName = regexp.MustCompile(`(?i)(pass(word|phrase|wd)?$|passw|secret|token|credential|api_?key|access_?key|private_?key|auth$|pin$|salt$|cert|dsn|connection_?string)`)
	secretText = regexp.MustCompile(`(?i)((?:password|passwd|passphrase|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key|authorization)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|(?:bearer |basic )?[^\s,;"']+)`)
	bearer     = regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9+/_.=-]{8,}`)
	jwt        = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)
	userInURL  = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@`)
	pemBlock   = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----`)
)

// Redactor leaves out what may be a secret.
type Redactor struct {
	// public are the parameters whose values may be shown.
	public map[string]bool
	values map[string]bool
}

// NewRedactor learns which values of an Instance are secret: those of parameters that the
// version declares so, that have such a name, or that the version does not declare. Without
// the version all are.
func NewRedactor(inst *v1alpha1.Instance, version *v1alpha1.FrameworkVersion) *Redactor {
	r := &Redactor{public: map[string]bool{}, values: map[string]bool{}}
	if version != nil {
		for i := range version.Spec.Parameters {
			p := &version.Spec.Parameters[i]
			r.public[p.Name] = p.Generate == nil && !p.SecretRef && !secretName.MatchString(p.Name)
			if p.Default != nil && !r.public[p.Name] {
				r.learn(p.Default.Raw)
			}
		}
	}
	for name, v := range inst.Spec.Parameters {
		if !r.public[name] {
			r.learn(v.Raw)
		}
	}
	return r
}

// learn keeps the texts of a value, to find them elsewhere.
func (r *Redactor) learn(raw []byte) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			r.learnText(v)
		case float64:
			if text := fmt.Sprintf("%.0f", v); len(text) > shortest {
				r.values[text] = true
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
}

// learnText keeps a text as it is, as Secrets hold it, and its lines: YAML breaks it there.
func (r *Redactor) learnText(text string) {
	const longLine = 8
	if len(text) < shortest || text == "true" || text == "false" {
		return
	}
	r.values[text] = true
	r.values[base64.StdEncoding.EncodeToString([]byte(text))] = true
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= longLine {
			r.values[line] = true
		}
	}
}

// cut leaves out what is left of a value where a message was cut within it.
func cut(text, value string) string {
	const least, most = 6, 512
	for n := min(len(value)-1, most); n >= least; n-- {
		for _, end := range []string{"...", " [...]"} {
			text = strings.ReplaceAll(text, value[:n]+end, Redacted+end)
		}
	}
	return text
}

// Text leaves out known values and what looks like a secret.
func (r *Redactor) Text(text string) string {
	// The longest first: one may be within another.
	known := slices.SortedFunc(maps.Keys(r.values), func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for _, v := range known {
		text = cut(strings.ReplaceAll(text, v, Redacted), v)
	}
	text = pemBlock.ReplaceAllString(text, Redacted)
	text = jwt.ReplaceAllString(text, Redacted)
	text = bearer.ReplaceAllString(text, "$1 "+Redacted)
	text = userInURL.ReplaceAllString(text, "$1"+Redacted+"@")
	return secretText.ReplaceAllString(text, "$1"+Redacted)
}

// Parameters shows the values of public parameters only, and within them no field of a secret name.
func (r *Redactor) Parameters(all map[string]apiextensionsv1.JSON) map[string]apiextensionsv1.JSON {
	out := make(map[string]apiextensionsv1.JSON, len(all))
	for name, v := range all {
		out[name] = apiextensionsv1.JSON{Raw: []byte(`"` + Redacted + `"`)}
		if !r.public[name] {
			continue
		}
		var value any
		if err := json.Unmarshal(v.Raw, &value); err != nil {
			continue
		}
		if raw, err := json.Marshal(r.fields(value)); err == nil {
			out[name] = apiextensionsv1.JSON{Raw: raw}
		}
	}
	return out
}

// fields leaves out the fields of secret names at any depth.
func (r *Redactor) fields(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			if secretName.MatchString(key) {
				v[key] = Redacted
				continue
			}
			v[key] = r.fields(v[key])
		}
	case []any:
		for i := range v {
			v[i] = r.fields(v[i])
		}
	}
	return v
}

// Instance without the values of secret parameters and of outputs.
func (r *Redactor) Instance(inst *v1alpha1.Instance) *v1alpha1.Instance {
	out := inst.DeepCopy()
	out.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Instance"))
	out.ManagedFields, out.Annotations = nil, ours(out.Annotations)
	out.Spec.Parameters = r.Parameters(out.Spec.Parameters)
	out.Status.Outputs = hidden(out.Status.Outputs)
	return out
}

// Execution without what programs printed, and without values.
func (r *Redactor) Execution(pe *v1alpha1.PlanExecution) *v1alpha1.PlanExecution {
	out := pe.DeepCopy()
	out.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("PlanExecution"))
	out.ManagedFields, out.Annotations = nil, ours(out.Annotations)
	out.Spec.Parameters = hidden(out.Spec.Parameters)
	out.Status.Outputs = hidden(out.Status.Outputs)
	for i := range out.Status.Phases {
		for j := range out.Status.Phases[i].Steps {
			step := &out.Status.Phases[i].Steps[j]
			for k := range step.Tasks {
				step.Tasks[k].LogTail = ""
			}
			for k := range step.Undo {
				step.Undo[k].LogTail = ""
			}
		}
	}
	return out
}

// Version without the defaults of secret parameters.
func (r *Redactor) Version(fwv *v1alpha1.FrameworkVersion) *v1alpha1.FrameworkVersion {
	out := fwv.DeepCopy()
	out.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("FrameworkVersion"))
	out.ManagedFields, out.Annotations = nil, ours(out.Annotations)
	for i := range out.Spec.Parameters {
		if p := &out.Spec.Parameters[i]; p.Default != nil && !r.public[p.Name] {
			p.Default = &apiextensionsv1.JSON{Raw: []byte(`"` + Redacted + `"`)}
		}
	}
	return out
}

// Object is what may be shown of any other object: metadata and status, but no spec or data,
// and nothing that a program printed.
func (r *Redactor) Object(o *unstructured.Unstructured) map[string]any {
	metadata := map[string]any{}
	for _, key := range []string{"name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp", "deletionTimestamp", "labels", "finalizers", "ownerReferences"} {
		if v, found, err := unstructured.NestedFieldCopy(o.Object, "metadata", key); err == nil && found {
			metadata[key] = v
		}
	}
	if kept := ours(o.GetAnnotations()); len(kept) > 0 {
		metadata["annotations"] = kept
	}
	out := map[string]any{"apiVersion": o.GetAPIVersion(), "kind": o.GetKind(), "metadata": metadata}
	if status, found, err := unstructured.NestedFieldCopy(o.Object, "status"); err == nil && found {
		out["status"] = r.fields(silent(status, false))
	}
	return out
}

// silent drops the messages of containers: they are what programs printed.
func silent(v any, container bool) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			if container && key == "message" {
				v[key] = Redacted
				continue
			}
			v[key] = silent(v[key], container || key == "state" || key == "lastState")
		}
	case []any:
		for i := range v {
			v[i] = silent(v[i], container)
		}
	}
	return v
}

// ours are the annotations that Kudo makes: those of others may hold anything.
func ours(all map[string]string) map[string]string {
	out := map[string]string{}
	for key, v := range all {
		if strings.HasPrefix(key, "kudo.dev/") {
			out[key] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func hidden(all map[string]apiextensionsv1.JSON) map[string]apiextensionsv1.JSON {
	for name := range all {
		all[name] = apiextensionsv1.JSON{Raw: []byte(`"` + Redacted + `"`)}
	}
	return all
}

// toUnstructured makes an object of any kind of a typed one of the core group.
func toUnstructured(o any, kind string) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		content = map[string]any{}
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetAPIVersion("v1")
	u.SetKind(kind)
	return u
}
