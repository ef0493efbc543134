// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const apiVersion = "kudo.dev/v1beta1"

// operator is operator.yaml.
type operator struct {
	name, version, appVersion, description, url, kubernetesVersion located

	maintainers []maintainer
	tasks       []*task
	plans       []*plan
}

type maintainer struct{ name, email string }

// task is a task as KUDO had it.
type task struct {
	name, kind string
	line       int
	resources  []located
	parameter  located
	wantErr    bool
	fatal      bool
	done       bool
	pod        located
	pipe       any
	child      child
	taken      bool
}

// child is what a KudoOperator task installs.
type child struct {
	pkg, version, appVersion, instance, parameterFile located
}

type plan struct {
	name     string
	line     int
	parallel bool
	phases   []phase
}

type phase struct {
	name     string
	line     int
	parallel bool
	steps    []step
}

type step struct {
	name  string
	line  int
	del   bool
	tasks []located
}

// operator reads operator.yaml.
func (d *decoder) operator(raw []byte) *operator {
	o := &operator{}
	root := d.parse(raw)
	if root == nil {
		return o
	}
	texts := map[string]*located{
		"name": &o.name, "operatorVersion": &o.version, "version": &o.version, "appVersion": &o.appVersion,
		"description": &o.description, "url": &o.url, "kubernetesVersion": &o.kubernetesVersion,
	}
	d.fields(root, func(key string, at int, v *yaml.Node) {
		if into := texts[key]; into != nil {
			*into = located{d.text(v), at}
			return
		}
		switch key {
		case "apiVersion":
			if got := d.text(v); got != apiVersion && got != "" {
				d.fail(at, "apiVersion is %q, not %s: this is no package of KUDO 0.x", clip(got, 60), apiVersion)
			}
		case "maintainers":
			d.items(v, func(item *yaml.Node) { o.maintainers = append(o.maintainers, d.maintainer(item)) })
		case "tasks":
			o.tasks = d.tasks(v)
		case "plans":
			d.fields(v, func(name string, line int, body *yaml.Node) { o.plans = append(o.plans, d.plan(name, line, body)) })
		case "kudoVersion":
			// The version of the tool that made the package.
		case "namespaceManifest":
			d.im.lost(d.file, at, "namespaceManifest", "Kudo makes no namespaces: an Instance lives in one that exists", "create the namespace, with its labels and quotas, before the Instance")
		default:
			d.unknown(at, key)
		}
	})
	if len(d.errs) == 0 && o.name.text == "" {
		d.fail(1, "name is missing")
	}
	return o
}

func (d *decoder) unknown(at int, key string) {
	d.im.lost(d.file, at, "the field "+clip(key, 60), "Kudo has nothing like it", "")
}

func (d *decoder) maintainer(n *yaml.Node) maintainer {
	var m maintainer
	if entered := d.enter(n); entered != nil && entered.Kind == yaml.ScalarNode {
		m.name = entered.Value
		return m
	}
	d.fields(n, func(key string, at int, v *yaml.Node) {
		switch key {
		case "name":
			m.name = d.text(v)
		case "email":
			m.email = d.text(v)
		default:
			d.unknown(at, "maintainers."+key)
		}
	})
	return m
}

// tasks are a list, or, in the oldest packages, a map of resources by name.
func (d *decoder) tasks(n *yaml.Node) []*task {
	var out []*task
	if n.Kind != yaml.MappingNode {
		d.items(n, func(item *yaml.Node) { out = append(out, d.task(item)) })
		return out
	}
	d.fields(n, func(name string, line int, body *yaml.Node) {
		t := &task{name: name, kind: kindApply, line: line}
		d.fields(body, func(key string, at int, v *yaml.Node) { d.taskField(t, key, at, v) })
		out = append(out, t)
	})
	return out
}

func (d *decoder) task(n *yaml.Node) *task {
	t := &task{line: n.Line}
	d.fields(n, func(key string, at int, v *yaml.Node) {
		switch key {
		case "name":
			t.name = d.text(v)
		case "kind":
			t.kind = d.text(v)
		case "spec":
			d.fields(v, func(key string, at int, v *yaml.Node) { d.taskField(t, key, at, v) })
		default:
			d.unknown(at, "tasks."+key)
		}
	})
	if t.name == "" {
		d.fail(t.line, "the task has no name")
	}
	return t
}

func (d *decoder) taskField(t *task, key string, at int, v *yaml.Node) {
	switch key {
	case "resources":
		t.resources = d.texts(v)
	case "parameter":
		t.parameter = located{d.text(v), at}
	case "wantErr":
		t.wantErr = d.boolean(v)
	case "fatal":
		t.fatal = d.boolean(v)
	case "done":
		t.done = d.boolean(v)
	case "pod":
		t.pod = located{d.text(v), at}
	case "pipe":
		t.pipe = d.free(v, 0)
	case "package":
		t.child.pkg = located{d.text(v), at}
	case "operatorVersion":
		t.child.version = located{d.text(v), at}
	case "appVersion":
		t.child.appVersion = located{d.text(v), at}
	case "instanceName":
		t.child.instance = located{d.text(v), at}
	case "parameterFile":
		t.child.parameterFile = located{d.text(v), at}
	default:
		d.unknown(at, "tasks.spec."+key)
	}
}

func (d *decoder) plan(name string, line int, n *yaml.Node) *plan {
	p := &plan{name: name, line: line}
	d.fields(n, func(key string, at int, v *yaml.Node) {
		switch key {
		case "strategy":
			p.parallel = d.parallel(v)
		case "phases":
			d.items(v, func(item *yaml.Node) { p.phases = append(p.phases, d.phase(item)) })
		default:
			d.unknown(at, "plans."+key)
		}
	})
	return p
}

func (d *decoder) phase(n *yaml.Node) phase {
	p := phase{line: n.Line}
	d.fields(n, func(key string, at int, v *yaml.Node) {
		switch key {
		case "name":
			p.name = d.text(v)
		case "strategy":
			p.parallel = d.parallel(v)
		case "steps":
			d.items(v, func(item *yaml.Node) { p.steps = append(p.steps, d.step(item)) })
		default:
			d.unknown(at, "plans.phases."+key)
		}
	})
	return p
}

func (d *decoder) step(n *yaml.Node) step {
	s := step{line: n.Line}
	d.fields(n, func(key string, at int, v *yaml.Node) {
		switch key {
		case "name":
			s.name = d.text(v)
		case "delete":
			s.del = d.boolean(v)
		case "tasks":
			s.tasks = d.texts(v)
		default:
			d.unknown(at, "plans.phases.steps."+key)
		}
	})
	return s
}

// parallel reads a strategy; without one KUDO went on in order.
func (d *decoder) parallel(n *yaml.Node) bool {
	switch text := d.text(n); text {
	case "parallel":
		return true
	case "serial", "":
		return false
	default:
		d.fail(n.Line, "the strategy is %q, neither serial nor parallel", clip(text, 60))
		return false
	}
}
