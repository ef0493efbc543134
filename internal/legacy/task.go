// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// unit is a task of the new package that stands for an old one, or for a part of it.
type unit struct {
	task string
	// when is the condition under which it runs; empty for always.
	when string
	job  bool
	// backoff is how often it is tried again, for jobs.
	backoff int32
	// never says that nothing ends it.
	never bool
}

// The kinds of tasks of KUDO.
const (
	kindApply    = "Apply"
	kindDelete   = "Delete"
	kindToggle   = "Toggle"
	kindPipe     = "Pipe"
	kindOperator = "KudoOperator"
	kindDummy    = "Dummy"
)

// units makes tasks of an old one, for the scope of a step. Each is made once.
func (im *importer) units(t *task, sc scope, del bool) []unit {
	sc.task = t.name
	parts := []string{t.name, strconv.FormatBool(del)}
	for _, r := range t.resources {
		if s := im.sources[r.text]; s != nil {
			parts = append(parts, s.signature(sc))
		}
	}
	key := strings.Join(parts, "\x00")
	if units, known := im.build.made[key]; known {
		return im.once(t, sc, units)
	}
	var units []unit
	switch {
	case del && (t.kind == kindApply || t.kind == kindToggle || t.kind == kindDelete), t.kind == kindDelete:
		units = im.deleteUnits(t, sc, "")
	case t.kind == kindApply:
		units = im.applyUnits(t, sc, "")
	case t.kind == kindToggle:
		units = im.toggleUnits(t, sc)
	case t.kind == kindDummy:
		units = im.dummyUnits(t)
	case t.kind == kindPipe:
		units = im.pipeUnits(t, sc)
	case t.kind == kindOperator:
		units = im.childUnits(t)
	default:
		im.lost(operatorFile, t.line, "the task "+t.name, fmt.Sprintf("KUDO had no kind of task %q", t.kind), "")
	}
	im.build.made[key] = units
	return im.once(t, sc, units)
}

// once keeps a Job of the plan deploy that nothing deletes from running again: KUDO found it
// there, finished, and went on.
func (im *importer) once(t *task, sc scope, units []unit) []unit {
	if sc.plan != v1alpha1.PlanDeploy {
		return units
	}
	kept := slices.ContainsFunc(t.resources, func(r located) bool { return im.build.deleted[r.text] })
	out := slices.Clone(units)
	for i, u := range out {
		if !u.job || kept {
			continue
		}
		out[i].when = and(u.when, "!instance.deployed")
		im.changed(operatorFile, t.line, "the Jobs of task "+t.name, "no task deletes them, so KUDO ran them once; their step is skipped once the instance is deployed",
			"remove the condition of the step if they are to run in every run of the plan deploy")
	}
	return out
}

func and(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + ") && (" + b + ")"
}

// templates are the parts of the resources of a task, in order.
func (im *importer) templates(t *task, sc scope) []part {
	var out []part
	for _, r := range t.resources {
		s := im.sources[r.text]
		if s == nil {
			im.lost(operatorFile, r.line, "the resource "+r.text, "there is no such file below templates/", "add the template, or remove it from the task "+t.name)
			continue
		}
		for _, p := range im.partsOf(s, sc) {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// applyUnits: objects are applied, Jobs become tasks of their own between them.
func (im *importer) applyUnits(t *task, sc scope, when string) []unit {
	var units []unit
	var group *v1alpha1.ApplyTask
	idle, busy := false, false
	flush := func() {
		if group != nil {
			if idle && !busy {
				group.ReadyWhen = "true"
				im.changed(operatorFile, t.line, "the task "+t.name, "KUDO did not wait until claims are bound and load balancers have an address; readyWhen keeps it so", "")
			}
			idle, busy = false, false
			units = append(units, unit{task: im.add(t.name, v1alpha1.TaskAction{Apply: group}), when: when})
			group = nil
		}
	}
	parts := im.templates(t, sc)
	for _, p := range parts {
		if p.job {
			flush()
			name := t.name
			if len(parts) > 1 {
				name += "-job"
			}
			units = append(units, unit{
				task: im.add(name, v1alpha1.TaskAction{Job: &v1alpha1.JobTask{Template: p.name}}), when: and(when, p.when), job: true, backoff: p.backoff,
			})
			continue
		}
		if group == nil {
			group = &v1alpha1.ApplyTask{}
		}
		group.Templates = append(group.Templates, p.name)
		idle, busy = idle || p.idle, busy || p.busy
		if p.recreate {
			group.OnImmutable = v1alpha1.ImmutableRecreate
		}
	}
	flush()
	im.noteJobs(t, parts)
	return units
}

func (im *importer) noteJobs(t *task, parts []part) {
	for _, p := range parts {
		switch {
		case p.job:
			im.changed(operatorFile, t.line, "the Job of the template "+p.name+" in task "+t.name,
				"Kudo runs a Job in a task of its own, once per attempt: with a name of Kudo's, restartPolicy Never, and retries by the step", "")
		case p.recreate:
			im.changed(operatorFile, t.line, "Jobs of the template "+p.name+" in task "+t.name,
				"a condition or a variable reaches over them, so they stay in an apply task: they run when they are not there, and anew when they change",
				"move each into a template of its own and run it with a job task")
		}
	}
}

// deleteUnits deletes what was applied. The Jobs of job tasks need none of that.
func (im *importer) deleteUnits(t *task, sc scope, when string) []unit {
	var names []string
	for _, p := range im.templates(t, sc) {
		if p.job {
			im.changed(operatorFile, t.line, "the task "+t.name, "a job task makes a new Job in every run, so nothing has to delete the old one", "")
			continue
		}
		names = append(names, p.name)
	}
	if len(names) == 0 {
		return nil
	}
	name := t.name
	if t.kind != kindDelete {
		name += "-delete"
	}
	return []unit{{task: im.add(name, v1alpha1.TaskAction{Delete: &v1alpha1.DeleteTask{Templates: names}}), when: when}}
}

// toggleUnits applies or deletes by the value of a parameter.
func (im *importer) toggleUnits(t *task, sc scope) []unit {
	p := im.byName[t.parameter.text]
	if p == nil {
		im.lost(operatorFile, t.line, "the task "+t.name, "there is no parameter "+strconv.Quote(t.parameter.text)+" that could switch it", "")
		return nil
	}
	on := "params." + p.name
	off := "!" + on
	if p.kind != asBoolean {
		on = "params." + p.name + ` in ["1", "t", "T", "TRUE", "true", "True"]`
		off = "!(" + on + ")"
	}
	// What was off all along is not there, and its kind may be unknown to the cluster.
	off += " && changed." + p.name
	im.changed(operatorFile, t.line, "the Toggle task "+t.name, "it is an apply and a delete task, in steps that run when the parameter "+p.name+" is on, and when it was turned off", "")
	return append(im.applyUnits(t, sc, on), im.deleteUnits(t, sc, off)...)
}

// dummyUnits: a task that succeeds does nothing; one that never does is a wait.
func (im *importer) dummyUnits(t *task) []unit {
	if t.done && !t.wantErr && !t.fatal {
		im.changed(operatorFile, t.line, "the Dummy task "+t.name, "it did nothing; it was left out", "")
		return nil
	}
	im.changed(operatorFile, t.line, "the Dummy task "+t.name, "it never succeeded; it is a wait that never ends", "use require or immutable parameters to refuse what must not be")
	return []unit{{task: im.add(t.name, v1alpha1.TaskAction{Wait: &v1alpha1.WaitTask{Until: "false"}}), never: true}}
}

// pipeUnits keep a Pipe task where tools find it, and validation refuses it.
func (im *importer) pipeUnits(t *task, sc scope) []unit {
	pod := t.pod.text
	if s := im.sources[pod]; s != nil {
		pod = im.partsOf(s, sc)[0].name
	}
	raw, err := json.Marshal(map[string]any{apiVersion: map[string]any{"kind": kindPipe, "pod": pod, "pipe": t.pipe}})
	if err != nil {
		raw = []byte(`{}`)
	}
	im.blocked(operatorFile, t.line, "the Pipe task "+t.name, "files that a pod makes are not yet supported; it is the task "+t.name+" with call",
		"make the Secret or ConfigMap "+strings.Join(t.pipeKeys(), " and ")+" in a job task, or take it from the user, and remove the task")
	return []unit{{task: im.add(t.name, v1alpha1.TaskAction{Call: &apiextensionsv1.JSON{Raw: raw}})}}
}

// pipeKeys name what the task made, as templates see it now.
func (t *task) pipeKeys() []string {
	var out []string
	list, _ := t.pipe.([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, "<instance>-"+strings.ToLower(valueText(m["key"])))
		}
	}
	return out
}

// childUnits keep a KudoOperator task as a child instance, which validation refuses.
func (im *importer) childUnits(t *task) []unit {
	framework := t.child.pkg.text
	framework = identifierOf(framework[strings.LastIndexByte(framework, '/')+1:], "operator")
	a := &v1alpha1.InstanceTask{Framework: framework, Version: versionOf(t.child.version.text)}
	im.blocked(operatorFile, t.line, "the KudoOperator task "+t.name, "child instances are not yet supported; it is the task "+t.name+" with instance",
		"import the package "+t.child.pkg.text+" too, deploy an Instance of it first, and remove the task")
	if f := t.child.parameterFile; f.text != "" {
		im.lost(operatorFile, f.line, "parameterFile "+f.text, "the parameters of a child instance are not templates", "set them in the Instance of the child")
	}
	if i := t.child.instance; i.text != "" {
		im.lost(operatorFile, i.line, "instanceName "+i.text, "child instances are not yet supported", "")
	}
	return []unit{{task: im.add(t.name, v1alpha1.TaskAction{Instance: a})}}
}

// add gives the package a task, under a name that is free.
func (im *importer) add(old string, a v1alpha1.TaskAction) string {
	name := unique(im.build.names.tasks, identifierOf(old, "task"))
	im.build.tasks = append(im.build.tasks, v1alpha1.Task{Name: name, TaskAction: a})
	return name
}
