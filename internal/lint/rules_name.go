// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kudo.dev/kudo/internal/engine"
)

var nameRules = []Rule{
	{ID: "KUDO053", Family: "names", Severity: Error, Title: "a name is not valid", check: badName, compiled: true,
		Why: "The API server refuses the object. With the longest name that an Instance may have it is 40 characters plus what the template adds.",
		Fix: "use lower-case letters, digits and '-', and keep what stands beside {{ .Name }} short"},
	{ID: "KUDO054", Family: "names", Severity: Error, Title: "a label is not valid", check: badLabel, compiled: true,
		Why: "Keys and values of labels have at most 63 characters of a small alphabet; the API server refuses anything else.",
		Fix: "shorten the value, or make it an annotation"},
	{ID: "KUDO055", Family: "names", Severity: Error, Title: "the name of a StatefulSet is too long for its pods", check: longSet, compiled: true,
		Why: "The label controller-revision-hash of its pods is the name and eleven characters more, at most 63 in all. With a longer name the StatefulSet makes no pod, and only its events say why.",
		Fix: "add at most 12 characters to {{ .Name }}"},
	{ID: "KUDO056", Family: "names", Severity: Error, Title: "selectors do not tell Instances apart", check: sharedSelector, compiled: true,
		Why: "Two Instances in a namespace select each other's pods: Services mix their traffic, and controllers fight.",
		Fix: "add a label with {{ .Name }} to the selector and to the pod template"},
	{ID: "KUDO057", Family: "names", Severity: Warning, Title: "two tasks render the same object differently", check: rivals, compiled: true,
		Why: "Whichever runs last wins, and at rest the other's content counts as drift nobody sees.",
		Fix: "render the object by one task, or apply them in different plans on purpose and suppress this"},
}

var badName = eachObject(func(o *object, r *reporter) {
	if o.kind == engine.TaskJob {
		return // Kudo names it
	}
	name := o.GetName()
	wrong := validation.IsDNS1123Subdomain(name)
	if o.is("", "Service") || o.is("", "Namespace") {
		wrong = validation.IsDNS1035Label(name)
		if o.is("", "Namespace") {
			wrong = validation.IsDNS1123Label(name)
		}
	}
	if strings.HasPrefix(o.group().Group, "rbac.") {
		wrong = nil
	}
	if len(wrong) > 0 {
		r.object(o, []string{"metadata", "name"}, "its name is refused: %s", wrong[0])
	}
	for _, c := range o.containers() {
		if wrong := validation.IsDNS1123Label(c.Name); len(wrong) > 0 && c.Name != "" {
			r.object(o, append(c.path, "name"), "the name of container %s is refused: %s", c.Name, wrong[0])
		}
	}
})

var badLabel = eachObject(func(o *object, r *reporter) {
	o.eachLabels(func(path []string, labels map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(labels)) {
			for _, wrong := range append(validation.IsQualifiedName(key), validation.IsValidLabelValue(labels[key])...) {
				r.object(o, append(path, key), "%s.%s: %s", strings.Join(path, "."), key, wrong)
			}
		}
	})
})

// eachLabels visits the labels and selectors of an object.
func (o *object) eachLabels(do func(path []string, labels map[string]string)) {
	do([]string{"metadata", "labels"}, o.GetLabels())
	if o.pod != nil {
		do(append(slices.Clone(o.pod.fields), "metadata", "labels"), o.pod.labels)
	}
	for _, path := range [][]string{{"spec", "selector", "matchLabels"}, {"spec", "selector"}} {
		if o.is("", "Service") == (len(path) == 2) {
			do(path, o.strings(path...))
		}
	}
}

const (
	longestLabel = 63
	revisionHash = 11
)

var longSet = eachObject(func(o *object, r *reporter) {
	if n := len(o.GetName()) + revisionHash; o.is("apps", "StatefulSet") && n > longestLabel {
		r.object(o, []string{"metadata", "name"}, "its name can have %d characters, more than %d", len(o.GetName()), longestLabel-revisionHash)
	}
})

// selector is what an object selects pods with; nil if it selects none.
func (o *object) selector() map[string]string {
	switch {
	case o.is("", "Service"), o.is("", "ReplicationController"):
		return o.strings("spec", "selector")
	case o.is("policy", "PodDisruptionBudget"), o.serves():
		return o.strings("spec", "selector", "matchLabels")
	}
	return nil
}

// sharedSelector compares with what another Instance renders.
func sharedSelector(s *subject, r *reporter) {
	others := map[string]bool{}
	for _, o := range s.other {
		others[fmt.Sprint(o.task, o.template, o.group(), o.selector())] = true
	}
	if len(s.renderings) == 0 {
		return
	}
	for _, o := range applied(s.renderings[0].objects) {
		if selector := o.selector(); len(selector) > 0 && others[fmt.Sprint(o.task, o.template, o.group(), selector)] {
			r.object(o, []string{"spec", "selector"}, "its selector is the same for every Instance")
		}
	}
}

var rivals = together(func(s *subject, all []*object, r *reporter) {
	first := map[string]*object{}
	for _, o := range all {
		key := o.group().String() + "/" + o.GetNamespace() + "/" + o.GetName()
		have := first[key]
		if have == nil {
			first[key] = o
			continue
		}
		if have.template != o.template && s.oneRun(have.task, o.task) && !same(have.Object, o.Object) {
			r.object(o, []string{"metadata", "name"}, "%s renders it too, and the plan that applies both ends with the last", have.template)
		}
	}
})

// oneRun says whether a plan has both tasks in steps that always run.
func (s *subject) oneRun(a, b string) bool {
	for i := range s.spec.Plans {
		found := map[string]bool{}
		for _, ph := range s.spec.Plans[i].Phases {
			for _, st := range ph.Steps {
				for _, t := range st.Tasks {
					if ph.When == "" && st.When == "" {
						found[t.Task] = true
					}
				}
			}
		}
		if found[a] && found[b] {
			return true
		}
	}
	return false
}
