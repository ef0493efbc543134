// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"
)

var kindRules = []Rule{
	{ID: "KUDO090", Family: "kinds", Severity: Error, Title: "an object has a field that its kind does not have", check: unknownField, compiled: true,
		Why: "The API server drops the field with a warning that nobody sees: what it should do is not done.",
		Fix: "correct the name of the field, or the place where it stands"},
	{ID: "KUDO091", Family: "kinds", Severity: Error, Title: "a field has a value of the wrong type", check: wrongType, compiled: true,
		Why: "The API server refuses the object, in the middle of a plan.",
		Fix: "correct the value; quote makes a string of a number"},
	{ID: "KUDO092", Family: "kinds", Severity: Error, Title: "a field that must be set is missing", check: missingField, compiled: true,
		Why: "The API server refuses the object, in the middle of a plan.",
		Fix: "set the field"},
	{ID: "KUDO093", Family: "kinds", Severity: Error, Title: "an API version is no longer served", check: removedVersion, compiled: true,
		Why: "Current releases of Kubernetes do not know the kind in this version, and the plan stalls.",
		Fix: "use the API version that the message names, and its fields"},
	{ID: "KUDO094", Family: "kinds", Severity: Warning, Title: "an API version is deprecated", check: deprecatedVersion, compiled: true,
		Why: "A coming release of Kubernetes no longer serves it, and every plan stalls after that upgrade.",
		Fix: "use the API version that the message names, and its fields"},
	{ID: "KUDO095", Family: "kinds", Severity: Warning, Title: "an API version is unknown", check: unknownVersion, compiled: true,
		Why: "Kubernetes has the API group, but not this version or this kind in it; no release is known that had it.",
		Fix: "correct apiVersion or kind"},
	{ID: "KUDO096", Family: "kinds", Severity: Warning, Title: "an annotation or label was replaced by a field", check: oldAnnotation, compiled: true,
		Why: "Current releases of Kubernetes do not look at it any more, or will not for long.",
		Fix: "use what the message names"},
	{ID: "KUDO097", Family: "kinds", Severity: Error, Title: "a field has a value that Kubernetes does not know", check: unknownValue, compiled: true,
		Why: "The API server refuses the object, in the middle of a plan. Such values are case-sensitive.",
		Fix: "use one of the values that the message lists; where it comes from a parameter, list them in its enum"},
}

const maxStrict = 20

var quotedPath = regexp.MustCompile(`"([^"]+)"`)

// steps makes the steps of a path such as spec.containers[0].image.
func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// decode reads an object as the API server does.
func decode(o *object) (unknown []error, wrong error) {
	into := typed(o.GroupVersionKind())
	if into == nil {
		return nil, nil
	}
	raw, err := json.Marshal(o.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding the object: %w", err)
	}
	unknown, wrong = kjson.UnmarshalStrict(raw, into, kjson.DisallowUnknownFields)
	return unknown[:min(len(unknown), maxStrict)], wrong
}

var unknownField = eachObject(func(o *object, r *reporter) {
	unknown, _ := decode(o)
	for _, err := range unknown {
		path := ""
		if m := quotedPath.FindStringSubmatch(err.Error()); m != nil {
			path = m[1]
		}
		r.object(o, steps(path), "%s has no field %s", o.GetKind(), path)
	}
})

var goType = regexp.MustCompile(`json: cannot unmarshal (\w+) into Go (?:struct field|value) (?:\w+\.)?([\w.]*) ?of type ([\w.*\[\]]+)`)

var wrongType = eachObject(func(o *object, r *reporter) {
	_, err := decode(o)
	if err == nil {
		return
	}
	m := goType.FindStringSubmatch(err.Error())
	if m == nil {
		r.object(o, nil, "can not be read: %s", strings.TrimPrefix(err.Error(), "json: "))
		return
	}
	r.object(o, steps(m[2]), "%s can not be a %s, it must be %s", m[2], m[1], plainType(m[3]))
})

// plainType says in an author's words what a Go type is.
func plainType(name string) string {
	switch name = strings.TrimLeft(name, "*"); {
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"):
		return "an integer"
	case name == "bool":
		return "true or false"
	case strings.HasPrefix(name, "[]"):
		return "a list"
	case strings.HasPrefix(name, "map["):
		return "a map"
	case strings.HasPrefix(name, "v1.") || strings.HasPrefix(name, "v1beta1."):
		return "a " + name[strings.LastIndex(name, ".")+1:]
	}
	return "a " + name
}

// lenient are fields that are not needed although their types say so.
var lenient = []string{
	"apiGroup", "secretNamespace", "sources", "service", "serviceName", "podSelector", "rules", "start", "status", "value",
	"reportingComponent", "reportingInstance", "topologyKeys", "endpoints", "ports", "scope", "revision", "names",
}

var missingField = eachObject(func(o *object, r *reporter) {
	into := typed(o.GroupVersionKind())
	if into == nil {
		return
	}
	for _, path := range missing(o.Object, reflect.TypeOf(into).Elem(), "") {
		parent := steps(path)
		r.object(o, parent[:len(parent)-1], "%s is not set", path)
	}
})

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// missing lists the fields that must be set and are not.
func missing(v any, t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	var out []string
	switch x := v.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for i, item := range x {
			out = append(out, missing(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		if t.Kind() == reflect.Struct {
			return missingOf(x, t, path)
		}
	}
	return out
}

func missingOf(m map[string]any, t reflect.Type, path string) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		value, set := m[name]
		switch {
		case f.Anonymous && name == "":
			out = append(out, missingOf(m, f.Type, path)...)
		case name == "" || name == "-":
		case set && value != nil:
			out = append(out, missing(value, f.Type, at)...)
		case options == "" && !slices.Contains(lenient, name):
			out = append(out, at)
		}
	}
	return out
}

// release is a minor release of Kubernetes 1.
type release int

// current is the release whose types this build knows.
const current release = 37

// lifecycle is what is known about the end of an API version.
type lifecycle struct {
	deprecated, removed release
	successor           string
}

// gone are API versions whose types Kubernetes no longer keeps.
var gone = map[string]lifecycle{
	"apiextensions.k8s.io/v1beta1":                {16, 22, "apiextensions.k8s.io/v1"},
	"apiregistration.k8s.io/v1beta1":              {19, 22, "apiregistration.k8s.io/v1"},
	"autoscaling/v2beta1":                         {23, 25, "autoscaling/v2"},
	"autoscaling/v2beta2":                         {23, 26, "autoscaling/v2"},
	"batch/v2alpha1":                              {21, 21, "batch/v1"},
	"policy/v1beta1 PodSecurityPolicy":            {21, 25, "the labels of Pod Security Admission"},
	"extensions/v1beta1 PodSecurityPolicy":        {10, 16, "the labels of Pod Security Admission"},
	"rbac.authorization.k8s.io/v1alpha1":          {17, 23, "rbac.authorization.k8s.io/v1"},
	"scheduling.k8s.io/v1alpha1":                  {14, 17, "scheduling.k8s.io/v1"},
	"settings.k8s.io/v1alpha1":                    {19, 20, "a mutating admission policy"},
	"snapshot.storage.k8s.io/v1beta1":             {20, 24, "snapshot.storage.k8s.io/v1"},
	"node.k8s.io/v1alpha1":                        {20, 22, "node.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1alpha1":       {20, 24, "flowcontrol.apiserver.k8s.io/v1"},
	"auditregistration.k8s.io/v1alpha1":           {17, 19, "the audit policy of the API server"},
	"admissionregistration.k8s.io/v1alpha1":       {34, 37, "admissionregistration.k8s.io/v1"},
	"metrics.k8s.io/v1alpha1":                     {11, 16, "metrics.k8s.io/v1beta1"},
	"resource.k8s.io/v1alpha2":                    {31, 32, "resource.k8s.io/v1"},
	"coordination.k8s.io/v1alpha1 LeaseCandidate": {32, 32, "coordination.k8s.io/v1beta1"},
}

// deprecating are methods that the types of beta versions have.
type deprecating interface {
	APILifecycleDeprecated() (major, minor int)
	APILifecycleRemoved() (major, minor int)
}

type succeeded interface {
	APILifecycleReplacement() schema.GroupVersionKind
}

// lifecycleOf says when a kind ends in its API version; false if no end is known.
func lifecycleOf(o *object) (lifecycle, bool) {
	gvk := o.GroupVersionKind()
	for _, key := range []string{o.GetAPIVersion() + " " + gvk.Kind, o.GetAPIVersion()} {
		if l, known := gone[key]; known {
			return l, true
		}
	}
	into := typed(gvk)
	ends, ok := into.(deprecating)
	if !ok {
		return lifecycle{}, false
	}
	_, deprecated := ends.APILifecycleDeprecated()
	_, removed := ends.APILifecycleRemoved()
	out := lifecycle{deprecated: release(deprecated), removed: release(removed)}
	if next, ok := into.(succeeded); ok {
		to := next.APILifecycleReplacement()
		out.successor = to.GroupVersion().String()
		if to.Kind != gvk.Kind {
			out.successor += " " + to.Kind
		}
	}
	return out, true
}

func (l lifecycle) instead() string {
	if l.successor == "" {
		return ""
	}
	return "; use " + l.successor
}

var removedVersion = eachObject(func(o *object, r *reporter) {
	if l, known := lifecycleOf(o); known && l.removed <= current {
		r.object(o, []string{"apiVersion"}, "%s is not served since Kubernetes 1.%d%s", o.GetAPIVersion(), l.removed, l.instead())
	}
})

var deprecatedVersion = eachObject(func(o *object, r *reporter) {
	if l, known := lifecycleOf(o); known && l.removed > current && l.deprecated <= current {
		r.object(o, []string{"apiVersion"}, "%s is deprecated since Kubernetes 1.%d and not served from 1.%d on%s", o.GetAPIVersion(), l.deprecated, l.removed, l.instead())
	}
})

var unknownVersion = eachObject(func(o *object, r *reporter) {
	gvk := o.GroupVersionKind()
	if _, known := lifecycleOf(o); known || typed(gvk) != nil || !builtin().IsGroupRegistered(gvk.Group) {
		return
	}
	var has []string
	for _, v := range builtin().VersionsForGroupKind(gvk.GroupKind()) {
		has = append(has, v.String())
	}
	hint := ""
	if len(has) > 0 {
		hint = "; the kind is in " + strings.Join(has, ", ")
	}
	r.object(o, []string{"apiVersion"}, "Kubernetes has no %s in %s%s", gvk.Kind, o.GetAPIVersion(), hint)
})
