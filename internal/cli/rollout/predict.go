// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/archive"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/observe"
	"kudo.dev/kudo/internal/revision"
)

// prediction is what follows from a spec.
type prediction struct {
	// Instance that it is about, and what runs there now.
	Instance string `json:"instance"`
	From     string `json:"from,omitempty"`
	To       string `json:"to"`
	// Plan that would run; empty where none would.
	Plan string `json:"plan,omitempty"`
	// Why no plan would run, or what comes before it.
	Note string `json:"note,omitempty"`
	// Parameters that differ from what runs.
	Changed []string `json:"changed,omitempty"`

	forecast *forecast.Forecast
	changes  []forecast.Change
}

// before is where an Instance stands.
type before struct {
	runs     []v1alpha1.PlanExecution
	baseline *archive.Baseline
	applied  *revision.Applied
}

// stand reads it, as the manager does; inst may be new.
func (s *session) stand(ctx context.Context, inst *v1alpha1.Instance) (*before, error) {
	b := &before{baseline: &archive.Baseline{Touched: map[string]bool{}}}
	if inst.UID == "" {
		return b, nil
	}
	all, err := s.executions(ctx, inst.Namespace)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if pe := &all[i]; pe.Spec.Instance == inst.Name && archive.Concerns(pe, inst) {
			b.runs = append(b.runs, *pe)
		}
	}
	store := archive.New(s.client, s.client)
	if b.baseline, err = store.Baseline(ctx, inst, b.runs); err != nil {
		return nil, atRest(inst, err)
	}
	if b.baseline.Previous == "" {
		return b, nil
	}
	if b.applied, err = store.Applied(ctx, inst.Namespace, b.baseline.Previous); err != nil {
		return nil, atRest(inst, err)
	}
	return b, nil
}

// atRest says what it takes to read what an Instance was at rest: Kudo's own roles for people do
// not have it, the role view of every cluster has.
func atRest(inst *v1alpha1.Instance, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("reading what %s was at rest: %w. A preview needs the right to get controllerrevisions.apps in the namespace %s: the ClusterRole view of Kubernetes has it",
			inst.Name, err, inst.Namespace)
	}
	return evidence.Denied("reading what "+inst.Name+" was at rest", err) //nolint:wrapcheck // it says what it is about
}

// executions of a namespace.
func (s *session) executions(ctx context.Context, namespace string) ([]v1alpha1.PlanExecution, error) {
	if known, read := s.runs[namespace]; read {
		return known, nil
	}
	var list v1alpha1.PlanExecutionList
	if err := s.client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, evidence.Denied("reading the executions in the namespace "+namespace, err) //nolint:wrapcheck // it says what it is about
	}
	s.runs[namespace] = list.Items
	return list.Items, nil
}

// predict says what would follow if an Instance were as wanted, its generation included.
func (s *session) predict(ctx context.Context, wanted *v1alpha1.Instance, version *graph.Version) (*prediction, error) {
	b, err := s.stand(ctx, wanted)
	if err != nil {
		return nil, err
	}
	values, digest, unfit := b.baseline.Judge(wanted, version)
	if unfit != nil {
		return nil, fmt.Errorf("the Instance would be refused: %s", unfit.Message)
	}
	desired := b.baseline.Desired(wanted, version, values, digest)
	p := &prediction{Instance: wanted.Namespace + "/" + wanted.Name, To: version.Spec.Version}
	if b.baseline.Completed != nil {
		p.From = b.baseline.Completed.Version.Name
	}
	p.Changed = desired.Changed
	start := choose(wanted, desired, b, p)
	if start == nil {
		return p, nil
	}
	p.Plan = start.Plan
	in := b.baseline.Inputs(wanted, version, values, digest, archive.Asked{Plan: start.Plan, Trigger: start.Trigger})
	in.Tracked, in.Contents = b.baseline.Contents != nil, b.baseline.Contents
	return p, s.foresee(ctx, p, b, version, in, wanted)
}

// choose asks the engine which plan runs; nil if none does.
func choose(wanted *v1alpha1.Instance, desired *engine.Desired, b *before, p *prediction) *engine.Start {
	f := engine.InstanceFacts{Suspended: wanted.Spec.Suspend, Completed: b.baseline.Run(), Desired: desired}
	for i := range b.runs {
		run := archive.Run(&b.runs[i], wanted)
		run.Shared = run.Shared || run.Epoch == 0 && slices.Contains(desired.Shared, run.Plan)
		f.Runs = append(f.Runs, run)
	}
	for _, shared := range wanted.Status.Shared {
		f.Beside = append(f.Beside, string(shared.UID))
	}
	if active := wanted.Status.Active; active != nil {
		f.Active = string(active.UID)
	}
	c := engine.Choose(f)
	if active := activeRun(f); active != nil && c.Start == nil && c.Admit == nil {
		switch {
		case c.Stop != "":
			p.Note = "plan " + active.Plan + " runs: it ends at its next safe point first"
			c = engine.Choose(superseded(f))
		case !active.ByUser && active.Desired == desired.Digest:
			p.Note = "plan " + active.Plan + " runs already, for exactly this"
			return nil
		default:
			p.Note = "plan " + active.Plan + " runs: it ends first"
			c = engine.Choose(ended(f))
		}
	}
	switch {
	case c.Start != nil:
		return c.Start
	case c.Admit != nil:
		return &engine.Start{Plan: c.Admit.Plan, Trigger: c.Admit.Trigger}
	case c.Blocked != "":
		p.Note = c.Blocked + ": " + c.Message
	case p.Note == "":
		p.Note = "nothing would run: this is what runs already"
	}
	return nil
}

// superseded is what the engine sees once the run that holds the Instance has given way.
func superseded(f engine.InstanceFacts) engine.InstanceFacts {
	for i := range f.Runs {
		if r := &f.Runs[i]; r.UID == f.Active {
			r.State, r.Reason = v1alpha1.RunCancelled, v1alpha1.ReasonSuperseded
		}
	}
	f.Active = ""
	return f
}

// ended is what the engine sees as if the run that holds the Instance, and is about something
// else, had come and gone.
func ended(f engine.InstanceFacts) engine.InstanceFacts {
	f.Runs = slices.DeleteFunc(slices.Clone(f.Runs), func(r engine.Run) bool { return r.UID == f.Active })
	f.Active = ""
	return f
}

// activeRun is the run that holds the Instance; nil if there is none.
func activeRun(f engine.InstanceFacts) *engine.Run {
	for i := range f.Runs {
		if r := &f.Runs[i]; f.Active != "" && r.UID == f.Active {
			return r
		}
	}
	return nil
}

// foresee follows the plan, and compares what it leaves with what is there.
func (s *session) foresee(ctx context.Context, p *prediction, b *before, version *graph.Version, in *revision.Inputs, inst *v1alpha1.Instance) error {
	subject := forecast.Subject{
		Version: version, Inputs: in, Scope: s.scope,
		Identity: graph.Identity{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID},
	}
	subject.Objects = s.observed(ctx, subject)
	var err error
	if p.forecast, err = forecast.Of(subject); err != nil {
		return fmt.Errorf("plan %s would stall: %w", in.Plan, err)
	}
	p.changes, err = p.forecast.Changes(version, forecast.Rest{Applied: b.applied, Content: content, Outlives: apply.Outlives})
	if err != nil {
		return fmt.Errorf("comparing with what is there: %w", err)
	}
	return nil
}

// scope asks the cluster's discovery.
func (s *session) scope(gk schema.GroupKind) (namespaced, known bool) {
	mapping, err := s.client.RESTMapper().RESTMapping(gk)
	if err != nil {
		return false, false
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, true
}

// observed answers the observations of the plan's conditions. What may not be read leaves
// its conditions open, and the forecast says so.
func (s *session) observed(ctx context.Context, subject forecast.Subject) map[string]any {
	plan := subject.Version.Plan(subject.Inputs.Plan)
	near := map[string]bool{}
	plan.Program.Root.Walk(func(n *engine.Node) { near[n.Path] = true })
	out := map[string]any{}
	for _, name := range subject.Version.Needed(plan, near, func(string) bool { return false }, true) {
		q, err := subject.Version.Query(name, subject.Inputs, subject.Identity)
		if err != nil {
			continue
		}
		if answer, err := observe.Ask(ctx, s.client, subject.Identity.Namespace, q, out); err == nil {
			out[name] = answer
		}
	}
	return out
}

// content is an object as it was sent; nil for a Secret, which is not on record.
func content(o *revision.Object) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if len(o.Content) == 0 || json.Unmarshal(o.Content, u) != nil {
		return nil
	}
	return u
}
