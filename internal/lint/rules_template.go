// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/content"
	"kudo.dev/kudo/internal/engine"
)

var templateRules = []Rule{
	{ID: templateSyntax, Family: "templates", Severity: Error, Title: "a template does not compile", check: refused,
		Why: "The version is never Valid.",
		Fix: "correct the place that the message names"},
	{ID: unknownParameter, Family: "templates", Severity: Error, Title: "a template reads a parameter that does not exist", check: refused,
		Why: "Every render of it fails.",
		Fix: "declare the parameter in params.yaml, or correct its name"},
	{ID: templateFails, Family: "templates", Severity: Error, Title: "a template does not render", check: refused,
		Why: "With the defaults or with other values that the schemas allow, a plan would stall in its middle.",
		Fix: "correct the template, or have the schema refuse the value"},
	{ID: objectRefused, Family: "templates", Severity: Error, Title: "an object is refused", check: refused,
		Why: "Kudo applies nothing outside of the Instance's namespace, nothing that grants power and nothing that it manages itself, unless the version says so.",
		Fix: "change the object, or declare its kind in version.permissions"},
	{ID: "KUDO044", Family: "templates", Severity: Warning, Title: "a template is used by nothing", check: unusedTemplate,
		Why: "It looks as if it were applied, and never is.",
		Fix: "name it in a task, include it, or remove it"},
	{ID: "KUDO045", Family: "templates", Severity: Warning, Title: "a block is included by nothing", check: unusedBlock,
		Why: "Nobody notices when it breaks.",
		Fix: "include it, or remove the definition"},
	{ID: "KUDO046", Family: "templates", Severity: Warning, Title: "a template never renders an object", check: emptyTemplate, compiled: true,
		Why: "With the defaults and with all other values that were tried it is empty, so its task does nothing.",
		Fix: "correct its condition, or name it .tpl and include it where it is needed"},
	{ID: "KUDO047", Family: "templates", Severity: Warning, Title: "a namespace is written out", check: fixedNamespace,
		Why: "Instances live in the namespaces of their users; an object of a fixed namespace belongs to none of them.",
		Fix: "use {{ .Namespace }}, or leave the namespace out"},
	{ID: "KUDO048", Family: "templates", Severity: Error, Title: "two Instances would share an object", check: clash, compiled: true,
		Why: "The name does not contain that of the Instance. The second Instance is refused the object with NotOwned, and its plan stalls.",
		Fix: "begin the name with {{ .Name }}"},
	{ID: "KUDO049", Family: "templates", Severity: Warning, Title: "Instances of two namespaces would share an object", check: clashAcross, compiled: true,
		Why: "An object of cluster scope needs the namespace in its name, for Instances of the same name may live in several.",
		Fix: "put {{ .Namespace }} and {{ .Name }} into the name"},
	{ID: "KUDO050", Family: "templates", Severity: Warning, Title: "pods need a Secret or ConfigMap that nothing makes", check: missingContent, compiled: true,
		Why: "Its name is fixed, and no template renders it: pods wait in ContainerCreating until somebody makes it by hand.",
		Fix: "render it, take its name from a parameter with secretRef, or mark it optional"},
	{ID: "KUDO051", Family: "templates", Severity: Warning, Title: "pods do not notice a change of their configuration", check: staleContent, compiled: true,
		Why: "The version renders a ConfigMap or Secret that pods consume. A change of it reaches variables never and programs that read once at their start not either, until somebody restarts the pods.",
		Fix: "set restartOnChange of the workload's template in version.templates, or put a checksum of it into an annotation of the pod template, such as checksum/config: {{ include \"config\" . | sha256sum }}"},
}

// unusedTemplate leaves templates of blocks to unusedBlock.
func unusedTemplate(s *subject, r *reporter) {
	used := map[string]bool{}
	for i := range s.spec.Tasks {
		t := &s.spec.Tasks[i]
		var names []string
		switch {
		case t.Apply != nil:
			names = t.Apply.Templates
		case t.Delete != nil:
			names = t.Delete.Templates
		case t.Job != nil:
			names = []string{t.Job.Template}
		}
		for _, n := range names {
			for _, reached := range s.readers(n) {
				used[reached] = true
			}
		}
	}
	for _, n := range s.names {
		if !used[n] && !(s.computes() && len(s.texts[n].blocks) > 0) {
			r.at(place{file: s.texts[n].file, line: 1}, "no task names %s, and no template that a task names includes it", n)
		}
	}
}

func unusedBlock(s *subject, r *reporter) {
	if s.computes() {
		return
	}
	included := map[string]bool{}
	for _, n := range s.names {
		x := s.texts[n]
		for _, name := range x.includes {
			included[name] = true
		}
		for block, names := range x.blocks {
			for _, name := range names {
				included[name] = included[name] || name != block
			}
		}
		// A name that is put together, such as {{ include .script . }}, may be any constant.
		for word := range x.words {
			included[word] = true
		}
	}
	for _, n := range s.names {
		for i, line := range s.texts[n].lines {
			if m := blockLine.FindStringSubmatch(line); len(m) > 1 && !included[m[1]] {
				r.at(place{s.texts[n].file, i + 1}, "nothing includes %s", m[1])
			}
		}
	}
}

func emptyTemplate(s *subject, r *reporter) {
	renders := map[string]bool{}
	for _, rendering := range s.renderings {
		for _, o := range rendering.objects {
			renders[o.template] = true
		}
	}
	for _, t := range s.spec.Tasks {
		if t.Apply == nil {
			continue
		}
		for _, n := range t.Apply.Templates {
			if !renders[n] && len(s.renderings) > 0 {
				r.at(place{file: "templates/" + n, line: 1}, "task %s applies %s, which is always empty", t.Name, n)
			}
		}
	}
}

var namespaceLine = regexp.MustCompile(`^\s*["']?namespace["']?\s*:\s*["']?([a-z0-9][a-z0-9-]*)["']?\s*(#.*)?$`)

func fixedNamespace(s *subject, r *reporter) {
	for _, n := range s.names {
		for i, line := range s.texts[n].lines {
			if m := namespaceLine.FindStringSubmatch(line); m != nil {
				r.at(place{s.texts[n].file, i + 1}, "the namespace %s is written out", m[1])
			}
		}
	}
}

// clash compares with what another Instance renders. Jobs of job tasks get names of Kudo.
func clash(s *subject, r *reporter) {
	s.compare(s.other, func(o *object) bool { return !o.clustered() }, r)
}

func clashAcross(s *subject, r *reporter) {
	s.compare(s.moved, func(o *object) bool { return o.clustered() }, r)
}

func (s *subject) compare(others []*object, concerns func(*object) bool, r *reporter) {
	names := map[string]bool{}
	for _, o := range others {
		names[o.task+"\x00"+o.template+"\x00"+o.group().String()+"\x00"+o.GetName()] = true
	}
	if len(s.renderings) == 0 {
		return
	}
	for _, o := range s.renderings[0].objects {
		key := o.task + "\x00" + o.template + "\x00" + o.group().String() + "\x00" + o.GetName()
		if o.kind == engine.TaskApply && concerns(o) && names[key] && !s.given(o.GetName()) {
			r.object(o, []string{"metadata", "name"}, "every Instance gets an object of this name")
		}
	}
}

// missingContent trusts names that contain the Instance's or that a parameter gives.
var missingContent = together(func(s *subject, all []*object, r *reporter) {
	own, elsewhere := map[string]bool{}, map[string]bool{}
	for _, o := range all {
		own[o.GetKind()+"/"+o.GetName()] = true
	}
	for _, o := range s.other {
		for _, c := range content.Consumed(o.Unstructured) {
			elsewhere[c.Kind+"/"+c.Name] = true
		}
	}
	for _, o := range all {
		for _, c := range content.Consumed(o.Unstructured) {
			key := c.Kind + "/" + c.Name
			if !own[key] && elsewhere[key] && !c.Optional && !s.named(c.Name) && c.Name != "kube-root-ca.crt" {
				r.object(o, []string{"spec", "containers"}, "its pods need the %s %s, which no template renders", c.Kind, c.Name)
			}
		}
	}
})

// given says whether a required parameter, which has no default that all would share, has a
// name or part of it as its value.
func (s *subject) given(name string) bool {
	if len(s.renderings) == 0 {
		return false
	}
	return slices.ContainsFunc(s.spec.Parameters, func(p v1alpha1.Parameter) bool {
		text, ok := s.renderings[0].values[p.Name].(string)
		return p.Required && ok && text != "" && strings.Contains(name, text)
	})
}

// named says whether a parameter has a name, or part of it, as its value.
func (s *subject) named(name string) bool {
	for _, rendering := range s.renderings {
		for _, v := range rendering.values {
			if text, ok := v.(string); ok && text != "" && strings.Contains(name, text) {
				return true
			}
		}
	}
	return false
}

var checksum = regexp.MustCompile(`(?i)(checksum|hash|digest|sha)`)

var staleContent = together(func(s *subject, all []*object, r *reporter) {
	made := map[string]*object{}
	for _, o := range all {
		made[o.GetKind()+"/"+o.GetName()] = o
	}
	for _, o := range all {
		if !o.serves() || s.restarts(o.template) {
			continue
		}
		stamped := false
		for key := range o.pod.notes {
			stamped = stamped || checksum.MatchString(key)
		}
		for _, c := range content.Consumed(o.Unstructured) {
			source := made[c.Kind+"/"+c.Name]
			if source != nil && !stamped && !s.constant(source) && s.silent(source.template) {
				r.object(o, []string{"template"}, "its pods consume %s and do not restart when it changes", source.title())
			}
		}
	}
})

// restarts says whether a template says anything about restarts.
func (s *subject) restarts(template string) bool {
	i := slices.IndexFunc(s.spec.Templates, hasName(template))
	return i >= 0 && s.spec.Templates[i].RestartOnChange != nil
}

// silent says whether the author has not decided that a content is no reason to restart.
func (s *subject) silent(template string) bool { return !s.restarts(template) }

// constant says whether an object is the same with all parameters.
func (s *subject) constant(o *object) bool {
	for _, rendering := range s.renderings {
		for _, other := range rendering.objects {
			if other.task == o.task && other.template == o.template && other.GetName() == o.GetName() && other.GetKind() == o.GetKind() &&
				!(same(other.Object["data"], o.Object["data"]) && same(other.Object["stringData"], o.Object["stringData"])) {
				return false
			}
		}
	}
	return true
}
