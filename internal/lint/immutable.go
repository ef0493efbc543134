// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"maps"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
)

// fixed are the fields that the API server refuses to change, by kind.
var fixed = map[string][][]string{
	"StatefulSet":           {{"spec", "serviceName"}, {"spec", "podManagementPolicy"}, {"spec", "selector"}, {"spec", "volumeClaimTemplates"}},
	"Deployment":            {{"spec", "selector"}},
	"DaemonSet":             {{"spec", "selector"}},
	"Job":                   {{"spec", "selector"}, {"spec", "completionMode"}, {"spec", "template"}},
	"PersistentVolumeClaim": {{"spec", "accessModes"}, {"spec", "storageClassName"}, {"spec", "volumeMode"}, {"spec", "selector"}},
	"Service":               {{"spec", "clusterIP"}},
	"StorageClass":          {{"provisioner"}, {"parameters"}, {"reclaimPolicy"}},
	"RoleBinding":           {{"roleRef"}},
	"ClusterRoleBinding":    {{"roleRef"}},
}

// changedFields lists the fields that can not change in which two objects differ.
func changedFields(a, b *object) [][]string {
	var out [][]string
	paths := fixed[a.GetKind()]
	if a.get("immutable") == true || b.get("immutable") == true {
		paths = [][]string{{"data"}, {"binaryData"}, {"stringData"}, {"immutable"}}
	}
	for _, path := range paths {
		if !same(a.get(path...), b.get(path...)) {
			out = append(out, path)
		}
	}
	return out
}

// byTask tells objects apart by the task that renders them, too.
func byTask(o *object) string { return o.task + "\x00" + byName(o) }

func byName(o *object) string {
	return o.group().String() + "\x00" + o.GetNamespace() + "\x00" + o.GetName()
}

// pairs matches what the apply tasks render with two inputs.
func pairs(before, after []*object, key func(*object) string, do func(a, b *object)) {
	known := map[string]*object{}
	for _, o := range applied(after) {
		known[key(o)] = o
	}
	for _, o := range applied(before) {
		if other := known[key(o)]; other != nil {
			do(o, other)
		}
	}
}

// tolerates says whether the task of an object has a way out of changes that are refused.
func (s *subject) tolerates(o *object) bool {
	t := s.task(o.task)
	return t != nil && t.Apply != nil && t.Apply.OnImmutable != "" && t.Apply.OnImmutable != v1alpha1.ImmutableFail
}

const (
	// maxOthers is how many values of a parameter are tried.
	maxOthers = 2
	// maxTrials bounds how many tasks are rendered once more.
	maxTrials = 400

	quantity      = "quantity"
	otherQuantity = "7Gi"
)

// feedsImmutable finds tasks whose fields depend on any parameter, and then changes one
// parameter at a time.
func feedsImmutable(s *subject, r *reporter) {
	if len(s.renderings) == 0 {
		return
	}
	base := s.renderings[0]
	tasks := s.suspects()
	trials := 0
	for i := range s.spec.Parameters {
		p := &s.spec.Parameters[i]
		if p.Immutable || len(tasks) == 0 || !s.inTemplates(p.Name) {
			continue
		}
		for _, value := range s.others(p) {
			if trials += len(tasks); trials > maxTrials {
				return
			}
			values := params.Values(maps.Clone(map[string]any(base.values)))
			values[p.Name] = value
			pairs(base.objects, s.rendered(s.version.SampleInputs(values), sample, "", tasks), byTask, func(a, b *object) {
				for _, path := range changedFields(a, b) {
					if !s.tolerates(a) {
						r.object(a, path, "%s depends on the parameter %s, which may change", strings.Join(path, "."), p.Name)
					}
				}
			})
		}
	}
}

// suspects are the tasks that render fields that can not change, but do between two sets of
// parameters. Extremes of quantities are all the same, so these have a set of their own.
func (s *subject) suspects() map[string]bool {
	base := s.renderings[0]
	out := map[string]bool{}
	note := func(a, b *object) {
		if len(changedFields(a, b)) > 0 && !s.tolerates(a) {
			out[a.task] = true
		}
	}
	for _, rendering := range s.renderings[1:] {
		pairs(base.objects, rendering.objects, byTask, note)
	}
	values := params.Values(maps.Clone(map[string]any(base.values)))
	for i := range s.spec.Parameters {
		if p := &s.spec.Parameters[i]; schemaOf(p).Format == quantity && !p.Immutable {
			values[p.Name] = otherQuantity
		}
	}
	pairs(base.objects, s.objects(values, sample, ""), byTask, note)
	return out
}

// others are a few values of a parameter that are not its default. Extremes of quantities are all
// the same, so there is one more.
func (s *subject) others(p *v1alpha1.Parameter) []any {
	now := s.renderings[0].values[p.Name]
	var out []any
	add := func(v any) {
		if v != nil && len(out) < maxOthers && !same(v, now) && !slices.ContainsFunc(out, func(have any) bool { return same(have, v) }) {
			out = append(out, v)
		}
	}
	for _, rendering := range s.renderings[1:] {
		add(rendering.values[p.Name])
	}
	if schemaOf(p).Format == quantity {
		add(otherQuantity)
	}
	return out
}

func (s *subject) inTemplates(parameter string) bool {
	templates, _ := s.uses(parameter)
	return len(templates) > 0
}

func versionedField(s *subject, r *reporter) {
	if len(s.renderings) == 0 {
		return
	}
	in := s.version.SampleInputs(s.renderings[0].values)
	in.Version.Name, in.Version.App = "99.99.99", "99.99.99"
	pairs(s.renderings[0].objects, s.rendered(in, sample, "", nil), byTask, func(a, b *object) {
		for _, path := range changedFields(a, b) {
			if !s.tolerates(a) {
				r.object(a, path, "%s depends on the version", strings.Join(path, "."))
			}
		}
	})
}
