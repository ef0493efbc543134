// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/render"
	"kudo.dev/kudo/internal/revision"
)

// object is a rendered object, and where it came from.
type object struct {
	*unstructured.Unstructured
	template, task string
	kind           engine.TaskKind
	instance       graph.Identity
	// with says which parameters it was rendered with; empty for the defaults.
	with string
	// doc is where it stands in a template; nil if that can not be told.
	doc *document
	// first is where to look if it can not.
	first place
	// pod is the template of its pods; nil if it has none.
	pod *pod
}

// pod is a template of pods within an object.
type pod struct {
	fields []string
	labels map[string]string
	notes  map[string]string
	spec   corev1.PodSpec
}

// The Instances that packages are rendered for. The first has the longest name.
var (
	sample  = graph.Identity{Name: "a2345678901234567890123456789012345678-z", Namespace: "sample", UID: "00000000-0000-0000-0000-000000000000"}
	another = graph.Identity{Name: "b", Namespace: "elsewhere", UID: "00000000-0000-0000-0000-000000000001"}
	twin    = graph.Identity{Name: sample.Name, Namespace: "elsewhere", UID: "00000000-0000-0000-0000-000000000002"}
)

// render renders every task with the defaults and with extreme parameters.
func (s *subject) render() {
	for i, values := range s.samples() {
		with := ""
		switch i {
		case 0:
		case 1:
			with = "the least values of the parameters"
		case 2:
			with = "the greatest values of the parameters"
		default:
			with = "other values of the parameters"
		}
		s.renderings = append(s.renderings, rendering{values, s.objects(values, sample, with)})
	}
	if len(s.renderings) > 0 {
		s.other = s.objects(s.renderings[0].values, another, "")
		s.moved = s.objects(s.renderings[0].values, twin, "")
	}
}

// samples are sets of parameters that the version's own rules allow.
func (s *subject) samples() []params.Values {
	var out []params.Values
	for _, values := range s.version.Params.Extremes() {
		if len(s.version.Validate(values, nil, field.NewPath("sample"))) == 0 {
			out = append(out, values)
		}
	}
	return out
}

// objects renders every task for an Instance. What a task renders in vain is left out: the
// compiler has said so.
func (s *subject) objects(values params.Values, id graph.Identity, with string) []*object {
	return s.rendered(s.version.SampleInputs(values), id, with, nil)
}

// rendered is what some tasks render, or all.
func (s *subject) rendered(in *revision.Inputs, id graph.Identity, with string, some map[string]bool) []*object {
	var out []*object
	for _, t := range s.version.Spec.Tasks {
		if some != nil && !some[t.Name] {
			continue
		}
		task := s.version.Task(t.Name)
		rendered, err := s.version.RenderTask(task, in, id, graph.Run{ID: "sample", Attempt: 1}, nil)
		if err != nil {
			continue
		}
		nth := map[string]int{}
		for _, r := range rendered {
			kind := r.Object.GetKind()
			o := &object{
				Unstructured: r.Object, template: r.Template, task: t.Name, kind: task.Kind(), instance: id, with: with,
				first: place{file: "templates/" + r.Template, line: 1},
			}
			o.doc = s.document(r.Template, kind, nth[r.Template+"\x00"+kind])
			nth[r.Template+"\x00"+kind]++
			o.pod = podOf(r.Object)
			out = append(out, o)
		}
	}
	return out
}

// document finds the n-th object of a kind in a template or in what it includes.
func (s *subject) document(template, kind string, n int) *document {
	var found *document
	for _, block := range s.reach(template) {
		for _, name := range s.names {
			for _, d := range s.texts[name].documents {
				if d.kind != kind || d.block != block && !(d.block == "" && name == block) {
					continue
				}
				if found = d; n == 0 {
					return d
				}
				n--
			}
		}
	}
	return found
}

// title names an object as its author would.
func (o *object) title() string {
	return o.GetKind() + " " + strings.ReplaceAll(o.GetName(), o.instance.Name, "<instance>")
}

func (o *object) group() schema.GroupKind { return o.GroupVersionKind().GroupKind() }

func (o *object) is(group, kind string) bool {
	return o.group() == schema.GroupKind{Group: group, Kind: kind}
}

// clustered says whether the object is known to be of cluster scope.
func (o *object) clustered() bool {
	namespaced, known := render.BuiltinScope(o.group())
	return known && !namespaced
}

// get is a value within the object; nil if there is none.
func (o *object) get(fields ...string) any {
	v, _, err := unstructured.NestedFieldNoCopy(o.Object, fields...)
	if err != nil {
		return nil
	}
	return v
}

func (o *object) text(fields ...string) string {
	s, _ := o.get(fields...).(string)
	return s
}

func (o *object) number(fields ...string) (int64, bool) {
	n, ok := o.get(fields...).(int64)
	return n, ok
}

func (o *object) items(fields ...string) []any {
	list, _ := o.get(fields...).([]any)
	return list
}

// strings are the values of a map that are strings.
func (o *object) strings(fields ...string) map[string]string {
	m, _ := o.get(fields...).(map[string]any)
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// find goes to fields of the object, one after the other, as far as its text has them. A
// number is an item of the list before it.
func (o *object) find(fields ...string) place {
	if o.doc == nil {
		return o.first
	}
	lines := o.doc.text.lines
	at := o.doc.from
	for i, f := range fields {
		next := keyLine(lines, at, o.doc.to, f)
		if n, err := strconv.Atoi(f); err == nil && i > 0 {
			next = nthItem(lines, at, o.doc.to, n)
		}
		if next == 0 {
			break
		}
		at = next
	}
	return place{o.doc.text.file, at}
}

func keyLine(lines []string, from, to int, key string) int {
	re := regexp.MustCompile(`(^|[\s\[{,"'-])` + regexp.QuoteMeta(key) + `["']?\s*:`)
	for i := from; i < to && i <= len(lines); i++ {
		if re.MatchString(lines[i-1]) {
			return i
		}
	}
	return 0
}

var listItem = regexp.MustCompile(`^(\s*)- `)

func nthItem(lines []string, from, to, n int) int {
	indent := ""
	for i := from + 1; i < to && i <= len(lines); i++ {
		m := listItem.FindStringSubmatch(lines[i-1])
		if m == nil {
			continue
		}
		if indent == "" {
			indent = m[1]
		}
		if m[1] != indent {
			continue
		}
		if n == 0 {
			return i
		}
		n--
	}
	return 0
}

// same says whether two values are equal as JSON.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// eachObject makes a check out of one that looks at an object of an apply or job task.
func eachObject(check func(*object, *reporter)) func(*subject, *reporter) {
	return func(s *subject, r *reporter) {
		for _, rendering := range s.renderings {
			for _, o := range rendering.objects {
				if o.kind == engine.TaskApply || o.kind == engine.TaskJob {
					check(o, r)
				}
			}
		}
	}
}

// together makes a check out of one that looks at all objects that tasks apply with one set
// of parameters.
func together(check func(*subject, []*object, *reporter)) func(*subject, *reporter) {
	return func(s *subject, r *reporter) {
		for _, rendering := range s.renderings {
			check(s, applied(rendering.objects), r)
		}
	}
}

func applied(all []*object) []*object {
	var out []*object
	for _, o := range all {
		if o.kind == engine.TaskApply {
			out = append(out, o)
		}
	}
	return out
}
