// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/internal/render"
)

// The labels that KUDO put on every object and pod. Kudo puts none on pods.
const (
	instanceLabel = "kudo.dev/instance"
	operatorLabel = "kudo.dev/operator"
	heritageLabel = "heritage"
)

// entryEdits change what stands in the YAML text itself.
func (im *importer) entryEdits(s *source) []edit {
	var out []edit
	for i, e := range s.entries {
		doc := s.docs[e.doc]
		value := s.text[e.start:e.end]
		last := e.path[len(e.path)-1]
		if edits, gone := im.unknownField(s, e, doc); gone {
			out = append(out, edits...)
			continue
		}
		switch {
		case im.dropped[e]:
			edits, _ := s.remove(e)
			out = append(out, edits...)
			im.changed(s.file(), e.line, "the field "+last, "it stands twice, and KUDO took the one below; this one was removed", "")
		case slices.Equal(e.path, []string{"apiVersion"}):
			out = append(out, im.moveAPI(s, e, doc, value)...)
		case slices.Equal(e.path, []string{"metadata", "namespace"}):
			out = append(out, im.namespace(s, e, doc, value)...)
		case strings.Contains(last, "/") && reservedDomain(last):
			out = append(out, im.reserved(s, e, last)...)
		default:
			if word, ambiguous := oldBooleans[strings.ToLower(value)]; ambiguous {
				out = append(out, edit{start: e.start, end: e.end, text: word})
				im.changed(s.file(), e.line, "the value "+value, "YAML 1.1 and 1.2 disagree about it; "+word+" is written in its place", "")
			}
		}
		if podLabels(e.path) {
			out = append(out, im.addLabels(s, i)...)
		}
	}
	return out
}

var oldBooleans = map[string]string{"yes": "true", "on": "true", "no": "false", "off": "false"}

// moveAPI names the API version that is served.
func (im *importer) moveAPI(s *source, e *entry, doc *document, value string) []edit {
	old, found := oldAPI(strings.Trim(value, `"'`), doc.kind)
	if !found {
		return nil
	}
	what := doc.kind + " of " + old.version
	if old.successor == "" {
		im.lost(s.file(), e.line, what, old.why, old.do)
		return nil
	}
	im.changed(s.file(), e.line, what, old.why+"; it is now "+old.successor, "")
	out := []edit{{start: e.start, end: e.end, text: old.successor}}
	if slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}, doc.kind) && !s.has(e.doc, "spec", "selector") {
		out = append(out, im.addSelector(s, e)...)
	}
	return out
}

// addSelector writes out the selector that the old API took from the labels of the pods.
func (im *importer) addSelector(s *source, e *entry) []edit {
	spec, labels := s.find(e.doc, "spec"), s.find(e.doc, "spec", "template", "metadata", "labels")
	what := "spec.selector"
	if spec != nil && labels != nil && spec.start == spec.end && labels.start == labels.end {
		if _, end, ok := s.block(labels); ok {
			indent := strings.Repeat(" ", spec.indent+len("  "))
			im.changed(s.file(), spec.line, what, "it had a default, the labels of the pods, and has none now; they are written out", "")
			return []edit{{
				start: spec.lineEnd, end: spec.lineEnd, text: indent + "selector:\n" + indent + "  matchLabels:\n",
				copied: &piece{start: labels.lineEnd, end: end}, pad: indent + "    ",
			}}
		}
	}
	im.lost(s.file(), e.line, what, "it had a default, the labels of the pods, and has none now", "add spec.selector with the labels of spec.template")
	return nil
}

// find is the entry at a path.
func (s *source) find(doc int, path ...string) *entry {
	i := slices.IndexFunc(s.entries, func(e *entry) bool { return e.doc == doc && slices.Equal(e.path, path) })
	if i < 0 {
		return nil
	}
	return s.entries[i]
}

func (s *source) has(doc int, path ...string) bool { return s.find(doc, path...) != nil }

// namespace: KUDO put every object into the namespace of the instance, whatever was written.
func (im *importer) namespace(s *source, e *entry, doc *document, value string) []edit {
	group, _, found := strings.Cut(doc.apiVersion, "/")
	if !found {
		group = ""
	}
	if namespaced, known := render.BuiltinScope(schema.GroupKind{Group: group, Kind: doc.kind}); known && !namespaced {
		im.changed(s.file(), e.line, "metadata.namespace of a "+doc.kind, "it lives in no namespace; the line was removed", "")
		return []edit{{start: e.lineStart, end: e.lineEnd}}
	}
	code := strings.NewReplacer(" ", "", "-", "", "\"", "", "'", "", "$", "").Replace(value)
	if code == "{{.Namespace}}" || value == "" {
		return nil
	}
	im.changed(s.file(), e.line, "metadata.namespace "+value, "KUDO ignored it and took the instance's namespace; that is written in its place", "")
	return []edit{{start: e.start, end: e.end, text: "{{ $.Namespace }}"}}
}

// reserved keys are Kudo's. A label that selectors ask for is written out, under a name that
// is free; annotations go.
func (im *importer) reserved(s *source, e *entry, key string) []edit {
	switch {
	case key == instanceLabel:
		code := "{{ $.Instance.Name }}"
		return []edit{{start: e.start, end: e.end, text: code}}
	case !slices.Contains(e.path, "annotations"):
		free := freeLabel(key)
		im.changed(s.file(), e.line, "the label "+key, "labels of kudo.dev are Kudo's own; it is now "+free, "")
		return []edit{{start: e.keyStart, end: e.keyEnd, text: free}}
	}
	why := "annotations of kudo.dev are Kudo's own"
	do := ""
	if strings.HasPrefix(key, "reloader.") {
		why = "there is no reloader"
		do = "set restartOnChange on the template, see docs/spec/frameworkversion.md"
	}
	im.lost(s.file(), e.line, "the annotation "+key, why, do)
	edits, ok := s.remove(e)
	if !ok {
		return []edit{{start: e.keyStart, end: e.keyEnd, text: freeLabel(key)}}
	}
	return edits
}

// unknownField removes what the API does not have: KUDO dropped it without a word, the API
// server refuses it in a server-side apply.
func (im *importer) unknownField(s *source, e *entry, doc *document) ([]edit, bool) {
	if old, found := oldAPI(doc.apiVersion, doc.kind); found && old.successor == "" {
		return nil, false // its fields are others
	}
	if _, _, missing := typeAt(doc, e.path); !missing {
		return nil, false
	}
	if _, _, above := typeAt(doc, e.path[:len(e.path)-1]); above && len(e.path) > 1 {
		return nil, true // it goes with what it stands in
	}
	what := "the field " + strings.Join(e.path, ".") + " of the " + doc.kind
	edits, ok := s.remove(e)
	if !ok {
		im.lost(s.file(), e.line, what, "the API has no such field", "remove it: the API server refuses it")
		return nil, true
	}
	im.lost(s.file(), e.line, what, "the API has no such field, and KUDO dropped it without a word; it was removed", "")
	return edits, true
}

func reservedDomain(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	return found && (domain == "kudo.dev" || strings.HasSuffix(domain, ".kudo.dev"))
}

func freeLabel(key string) string {
	return strings.NewReplacer("kudo.dev/", "kudo-", "/", "-").Replace(key)
}

// podLabels are the paths of the metadata of pods within workloads.
func podLabels(path []string) bool {
	return slices.Equal(path, []string{"spec", "template", "metadata", "labels"}) ||
		slices.Equal(path, []string{"spec", "jobTemplate", "spec", "template", "metadata", "labels"})
}

// findLabels notes which of KUDO's labels the selectors of the package ask for.
func (im *importer) findLabels() {
	for _, name := range im.sourceNames() {
		s := im.sources[name]
		for _, e := range s.entries {
			last := e.path[len(e.path)-1]
			if last != instanceLabel && last != operatorLabel && !(last == heritageLabel && strings.Trim(s.text[e.start:e.end], `"'`) == "kudo") {
				continue
			}
			if slices.ContainsFunc(e.path, func(p string) bool { return p == "selector" || p == "matchLabels" || p == "labelSelector" }) {
				im.labels[last] = true
			}
		}
	}
}

// addLabels writes those labels into the template of pods, because Kudo puts none there.
func (im *importer) addLabels(s *source, at int) []edit {
	labels := s.entries[at]
	prefix := append(slices.Clone(labels.path), "")
	indent := labels.indent + len("  ")
	have := map[string]bool{}
	for _, e := range s.entries[at+1:] {
		if e.doc != labels.doc || len(e.path) != len(prefix) || !slices.Equal(e.path[:len(labels.path)], labels.path) {
			continue
		}
		indent = e.indent
		have[e.path[len(e.path)-1]] = true
	}
	var out []edit
	for _, key := range []string{heritageLabel, instanceLabel, operatorLabel} {
		if !im.labels[key] || have[key] {
			continue
		}
		text, name := "kudo", key
		switch key {
		case instanceLabel:
			text = "{{ $.Instance.Name }}"
		case operatorLabel:
			text, name = strconv.Quote(im.operator.name.text), freeLabel(key)
		}
		im.changed(s.file(), labels.line, "the label "+key+" of pods", "KUDO put it on every pod, and a selector asks for it; it is written out now", "")
		if value := s.text[labels.start:labels.end]; strings.HasPrefix(value, "{") {
			out = append(out, edit{start: labels.start + 1, end: labels.start + 1, text: name + ": " + text + ", "})
			continue
		}
		out = append(out, edit{start: labels.lineEnd, end: labels.lineEnd, text: strings.Repeat(" ", indent) + name + ": " + text + "\n"})
	}
	return out
}

// sensitive says whether a version must declare a kind before templates may render it.
func sensitive(apiVersion, kind string) bool {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "a"},
	}}
	return render.Gate([]*unstructured.Unstructured{object}, render.Policy{Namespace: "a"}) != nil
}
