// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// builder collects what the new package holds.
type builder struct {
	name, version string
	outputs       []*output
	tasks         []v1alpha1.Task
	plans         []v1alpha1.Plan
	permissions   []v1alpha1.Permission

	names struct{ outputs, tasks, plans map[string]bool }
	// plan names of KUDO by their new ones, and what was made of each task in each scope.
	renamed map[string]string
	made    map[string][]unit
	parts   map[string][]part
	// deleted are templates that some task deletes.
	deleted map[string]bool
}

// part is a template of the new package as a task sees it.
type part struct {
	name string
	job  bool
	// backoff is the backoffLimit of a Job.
	backoff int32
	// recreate says that it holds Jobs, and is applied all the same.
	recreate bool
	// when is the condition that stood around it.
	when string
	// idle says that it holds what Kudo waits for and KUDO did not, and nothing else to wait for.
	idle bool
	// busy says that it holds workloads.
	busy bool
}

func newBuilder(name, version string) *builder {
	b := &builder{
		name: identifierOf(name, "operator"), version: versionOf(version),
		renamed: map[string]string{}, made: map[string][]unit{}, parts: map[string][]part{}, deleted: map[string]bool{},
	}
	b.names.outputs, b.names.tasks, b.names.plans = map[string]bool{}, map[string]bool{}, map[string]bool{}
	return b
}

const maxName = 40

// identifierOf makes a name of Kudo of one of KUDO: lower-case letters, digits and '-',
// starting with a letter.
func identifierOf(old, fallback string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, old)
	name = strings.Trim(name, "-")
	if name == "" {
		name = fallback
	}
	if name[0] >= '0' && name[0] <= '9' {
		name = fallback + "-" + name
	}
	return strings.TrimRight(name[:min(len(name), maxName)], "-")
}

// unique finds a name that is free, by counting.
func unique(taken map[string]bool, name string) string {
	out := name
	for i := 2; taken[out]; i++ {
		suffix := "-" + strconv.Itoa(i)
		out = name[:min(len(name), maxName-len(suffix))] + suffix
	}
	taken[out] = true
	return out
}

// uniqueFile does so for the path of a template.
func uniqueFile(taken map[string]bool, name string) string {
	ext := path.Ext(name)
	out := name
	for i := 2; taken[out]; i++ {
		out = strings.TrimSuffix(name, ext) + "-" + strconv.Itoa(i) + ext
	}
	taken[out] = true
	return out
}

// fileOf is a path that a template may have.
func fileOf(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/-", r) {
			return r
		}
		return '-'
	}, name)
	base := strings.Trim(strings.TrimSuffix(clean, path.Ext(clean)), "-._/")
	if base == "" {
		base = "template"
	}
	const most = 100
	return strings.TrimRight(base[:min(len(base), most)], "-._/") + ".yaml"
}

// partsOf splits a template for a scope: a Job becomes a template of its own.
func (im *importer) partsOf(s *source, sc scope) []part {
	key := s.name + "\x00" + s.signature(sc)
	if parts, known := im.build.parts[key]; known {
		return parts
	}
	base := fileOf(s.name)
	if im.build.names.outputs[base] {
		base = fileOf(sc.plan + "/" + s.name)
	}
	var parts []part
	pieces := im.pieces(s)
	for _, p := range pieces {
		name := base
		scoped := sc
		if scoped.job = p.job; p.job && len(pieces) > 1 {
			name = strings.TrimSuffix(base, ".yaml") + "-job.yaml"
		}
		name = uniqueFile(im.build.names.outputs, name)
		im.build.outputs = append(im.build.outputs, &output{name: name, src: s, start: p.start, end: p.end, scope: scoped})
		parts = append(parts, part{name: name, job: p.job, backoff: p.backoff, recreate: p.recreate, when: p.when}.judged(s, p))
	}
	im.build.parts[key] = parts
	return parts
}

// judged says what of the part has to get ready. KUDO waited for workloads only: a claim that
// is bound on first use, or a load balancer that no cloud gives, held it up nowhere.
func (p part) judged(s *source, cut piece) part {
	for _, d := range s.docs {
		switch {
		case d.start < cut.start || d.start >= cut.end:
		case slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", jobKind, "Pod", "CustomResourceDefinition"}, d.kind):
			p.busy = true
		case d.kind == "PersistentVolumeClaim", d.kind == "Service" && strings.Contains(s.text[d.start:d.end], "LoadBalancer"):
			p.idle = true
		}
	}
	return p
}

// piece is a stretch of a template.
type piece struct {
	start, end    int
	job, recreate bool
	backoff       int32
	when          string
}

const jobKind = "Job"

// pieces cuts a template so that each Job stands alone. Where a condition or a variable of
// the template reaches over documents it stays whole.
func (im *importer) pieces(s *source) []piece {
	jobs, objects, cuttable := 0, 0, !s.variables && len(s.trees) <= 1
	last := 0
	for i, d := range s.docs {
		if d.kind != "" {
			objects++
		}
		if d.kind == jobKind {
			jobs, last = jobs+1, i
			cuttable = cuttable && d.depth == 0 && d.split
		}
		cuttable = cuttable && (d.split || len(s.docs) == 1)
	}
	switch {
	case jobs == 0:
		return []piece{{start: 0, end: len(s.text)}}
	case cuttable:
		return s.cut()
	}
	if when, p, ok := im.conditional(s); ok && jobs == 1 && objects == 1 && s.docs[last].depth == 1 && !s.variables {
		p.job, p.backoff, p.when = true, s.backoffLimit(last), when
		return []piece{p}
	}
	return []piece{{start: 0, end: len(s.text), recreate: true}}
}

// cut makes a piece of each Job, and of what stands between Jobs.
func (s *source) cut() []piece {
	var out []piece
	for i, d := range s.docs {
		p := piece{start: d.start, end: d.end, job: d.kind == jobKind}
		if d.kind == "" && !slices.ContainsFunc(s.entries, func(e *entry) bool { return e.doc == i }) {
			continue // comments
		}
		if p.job {
			p.backoff = s.backoffLimit(i)
		}
		if last := len(out) - 1; last >= 0 && !p.job && !out[last].job {
			out[last].end = p.end
			continue
		}
		out = append(out, p)
	}
	return out
}

// backoffLimit is how often Kubernetes would have tried the Job again.
func (s *source) backoffLimit(doc int) int32 {
	const usual, most = 6, 1000
	for _, e := range s.entries {
		if e.doc == doc && slices.Equal(e.path, []string{"spec", "backoffLimit"}) {
			if n, err := strconv.ParseInt(s.text[e.start:e.end], 10, 32); err == nil && n >= 0 && n <= most {
				return int32(n)
			}
		}
	}
	return usual
}

// signature is what of a scope a template reads: for scopes with the same, it is the same.
func (s *source) signature(sc scope) string {
	var parts []string
	for _, f := range []struct{ name, value string }{
		{"PlanName", sc.plan},
		{"PhaseName", sc.phase},
		{"StepName", sc.step},
		{"TaskName", sc.task},
		{"StepNumber", strconv.Itoa(sc.number)},
	} {
		if slices.Contains(s.context, f.name) {
			parts = append(parts, f.name+"="+f.value)
		}
	}
	return fmt.Sprintf("%q", parts)
}
