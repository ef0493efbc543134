// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/params"
	"kudo.dev/kudo/internal/revision"
)

var revisions = schema.GroupResource{Group: "apps", Resource: "controllerrevisions"}

// store is an API server for revisions only; behind is a cache that sees none of them.
type store struct {
	client.Client
	objects map[string]*appsv1.ControllerRevision
	gets    int
}

func (s *store) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	s.gets++
	found := s.objects[key.Name]
	if found == nil {
		return apierrors.NewNotFound(revisions, key.Name)
	}
	found.DeepCopyInto(o.(*appsv1.ControllerRevision))
	return nil
}

func (s *store) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	if s.objects[o.GetName()] != nil {
		return apierrors.NewAlreadyExists(revisions, o.GetName())
	}
	o.SetUID(types.UID(fmt.Sprintf("cr-%d", len(s.objects))))
	s.objects[o.GetName()] = o.DeepCopyObject().(*appsv1.ControllerRevision)
	return nil
}

func (s *store) Delete(_ context.Context, o client.Object, opts ...client.DeleteOption) error {
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	found := s.objects[o.GetName()]
	switch {
	case found == nil:
		return apierrors.NewNotFound(revisions, o.GetName())
	case options.Preconditions == nil || options.Preconditions.UID == nil:
		return errors.New("the delete names no UID")
	case *options.Preconditions.UID != found.UID:
		return apierrors.NewConflict(revisions, o.GetName(), errors.New("another UID"))
	}
	delete(s.objects, o.GetName())
	return nil
}

// stale is an API server that is read through a cache.
type stale struct {
	*store
	seen *store
}

func (s *stale) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	return s.seen.Get(ctx, key, o, opts...)
}

func newStore() *store { return &store{objects: map[string]*appsv1.ControllerRevision{}} }

func execution(name string) *v1alpha1.PlanExecution {
	return &v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name, UID: types.UID("uid-" + name)}}
}

func zk() *v1alpha1.Instance {
	return &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "zk", UID: "u-1"}}
}

// Revisions are written once: what an interrupted run pinned counts, and what belongs
// to something else is not taken.
func TestWhatIsPinnedFirstCounts(t *testing.T) {
	s := newStore()
	a := New(s, s)
	name, first, err := a.WriteInputs(t.Context(), zk(), execution("run"), &revision.Inputs{Plan: "deploy"})
	if err != nil || name != revision.Name("run", "uid-run", "inputs") || first.Plan != "deploy" {
		t.Fatalf("%s %+v %v", name, first, err)
	}
	_, second, err := a.WriteInputs(t.Context(), zk(), execution("run"), &revision.Inputs{Plan: "update"})
	if err != nil || second.Plan != "deploy" {
		t.Errorf("the second write gives %+v, %v", second, err)
	}
	cr := s.objects[name]
	if cr.Labels[v1alpha1.LabelRevision] != "inputs" || cr.Labels[v1alpha1.LabelInstance] != "zk" || !metav1.IsControlledBy(cr, zk()) {
		t.Errorf("labels %v, owners %v", cr.Labels, cr.OwnerReferences)
	}
	other := zk()
	other.UID = "u-2"
	if _, _, err := a.WriteInputs(t.Context(), other, execution("run"), &revision.Inputs{}); err == nil {
		t.Error("the revision of an earlier Instance of the same name was taken")
	}
}

func TestRemoveMeansOneRevision(t *testing.T) {
	s := newStore()
	a := New(s, s)
	name, err := a.WriteApplied(t.Context(), zk(), execution("run"), &revision.Applied{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Remove(t.Context(), "prod", name); err != nil {
			t.Error(err)
		}
	}
	if len(s.objects) > 0 {
		t.Errorf("%d revisions are left", len(s.objects))
	}
}

// A removal that lost a race is asked for again: a revision that nobody asks for again would
// stay for as long as the Instance.
func TestARefusedRemovalIsToldToTheCaller(t *testing.T) {
	live := newStore()
	name, err := New(live, live).WriteApplied(t.Context(), zk(), execution("run"), &revision.Applied{})
	if err != nil {
		t.Fatal(err)
	}
	behind := newStore()
	old := live.objects[name].DeepCopy()
	old.UID = "an-older-one"
	behind.objects[name] = old
	a := New(&stale{store: live, seen: behind}, live)
	if err := a.Remove(t.Context(), "prod", name); !apierrors.IsConflict(err) {
		t.Errorf("error %v, want the conflict", err)
	}
}

func TestReadFallsBackToTheServerAndRemembers(t *testing.T) {
	live, behind := newStore(), newStore()
	if _, err := New(live, live).WriteApplied(t.Context(), zk(), execution("run"), &revision.Applied{}); err != nil {
		t.Fatal(err)
	}
	a := New(behind, live)
	if _, err := a.Applied(t.Context(), "prod", revision.Name("run", "uid-run", "applied")); err != nil {
		t.Fatal(err)
	}
	_, err := a.Inputs(t.Context(), "prod", "nobody")
	var missing *ErrMissing
	if !errors.As(err, &missing) || missing.Name != "nobody" {
		t.Errorf("error %v, want that it is missing", err)
	}
}

// run is an execution in the shape that Baseline reads.
func run(name string, epoch int64, state v1alpha1.RunState, changes ...func(*v1alpha1.PlanExecution)) v1alpha1.PlanExecution {
	now := metav1.NowMicro()
	pe := v1alpha1.PlanExecution{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	pe.Status = v1alpha1.PlanExecutionStatus{
		InstanceUID: "u-1", Epoch: epoch, State: state, StartedAt: &now, Inputs: revision.Name(name, types.UID("uid-"+name), "inputs"),
		Program: &v1alpha1.ProgramReference{Lifecycle: true},
	}
	if state.Terminal() {
		pe.Status.Applied = name + "-applied"
	}
	for _, c := range changes {
		c(&pe)
	}
	return pe
}

func TestBaseline(t *testing.T) {
	const succeeded, cancelled, stalled = v1alpha1.RunSucceeded, v1alpha1.RunCancelled, v1alpha1.RunStalled
	foreign := func(pe *v1alpha1.PlanExecution) { pe.Status.InstanceUID = "u-0" }
	jobs := func(pe *v1alpha1.PlanExecution) { pe.Status.Program.Lifecycle = false }
	unstarted := func(pe *v1alpha1.PlanExecution) { pe.Status.StartedAt = nil }
	tests := map[string]struct {
		last               string // execution in the Instance's status, of epoch 1
		runs               []v1alpha1.PlanExecution
		completed          string
		previous           string
		touched            map[string]bool
		withoutTheRevision string
	}{
		"nothing ever ran":  {touched: map[string]bool{}},
		"deployed":          {runs: []v1alpha1.PlanExecution{run("a", 1, succeeded)}, completed: "a", previous: "a-applied", touched: map[string]bool{}},
		"the newest counts": {runs: []v1alpha1.PlanExecution{run("b", 2, succeeded), run("a", 1, succeeded)}, completed: "b", previous: "b-applied", touched: map[string]bool{}},
		"one that was cancelled after": {
			runs:      []v1alpha1.PlanExecution{run("a", 1, succeeded), run("b", 2, cancelled)},
			completed: "a", previous: "b-applied", touched: map[string]bool{"b": true},
		},
		"one that still runs": {
			runs:      []v1alpha1.PlanExecution{run("a", 1, succeeded), run("b", 2, stalled)},
			completed: "a", previous: "a-applied", touched: map[string]bool{"b": true},
		},
		"what was cancelled before is made good": {
			runs:      []v1alpha1.PlanExecution{run("a", 1, cancelled), run("b", 2, succeeded)},
			completed: "b", previous: "b-applied", touched: map[string]bool{},
		},
		"of an earlier Instance": {runs: []v1alpha1.PlanExecution{run("a", 1, succeeded, foreign)}, touched: map[string]bool{}},
		"a run of jobs only": {
			runs:      []v1alpha1.PlanExecution{run("a", 1, succeeded), run("b", 2, succeeded, jobs), run("c", 3, cancelled, jobs)},
			completed: "a", previous: "a-applied", touched: map[string]bool{},
		},
		"one that never started": {
			runs:      []v1alpha1.PlanExecution{run("a", 1, succeeded), run("b", 2, cancelled, unstarted, func(pe *v1alpha1.PlanExecution) { pe.Status.Applied = "" })},
			completed: "a", previous: "a-applied", touched: map[string]bool{},
		},
		"the execution was deleted":                 {last: "a", completed: "a", previous: "a-applied", touched: map[string]bool{}},
		"the status is behind":                      {last: "a", runs: []v1alpha1.PlanExecution{run("b", 2, succeeded)}, completed: "b", previous: "b-applied", touched: map[string]bool{}},
		"the revision is lost: nothing is known of": {last: "a", withoutTheRevision: revision.Name("a", "uid-a", "inputs"), previous: "a-applied", touched: map[string]bool{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore()
			a := New(s, s)
			for _, n := range []string{"a", "b", "c"} {
				if _, _, err := a.WriteInputs(t.Context(), zk(), execution(n), &revision.Inputs{Plan: n, Changed: []string{n}}); err != nil {
					t.Fatal(err)
				}
			}
			delete(s.objects, tc.withoutTheRevision)
			inst := zk()
			if tc.last != "" {
				inst.Status.LastCompleted = &v1alpha1.CompletedExecution{Name: tc.last, Epoch: 1, Inputs: revision.Name(tc.last, types.UID("uid-"+tc.last), "inputs"), Applied: tc.last + "-applied"}
			}
			b, err := New(s, s).Baseline(t.Context(), inst, tc.runs)
			if err != nil {
				t.Fatal(err)
			}
			completed := ""
			if b.Completed != nil {
				completed = b.Completed.Plan
			}
			if completed != tc.completed || b.Previous != tc.previous {
				t.Errorf("completed %q, previous %q; want %q, %q", completed, b.Previous, tc.completed, tc.previous)
			}
			if diff := cmp.Diff(tc.touched, b.Touched); diff != "" {
				t.Errorf("touched (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChanged(t *testing.T) {
	compiled, errs := params.Compile([]v1alpha1.Parameter{{Name: "c"}, {Name: "a"}, {Name: "b"}}, nil)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	desired := params.Values{"a": "1", "b": "2", "c": "3"}
	if got := (&Baseline{}).Changed(compiled, desired); got != nil {
		t.Errorf("before the first run %v changed", got)
	}
	b := &Baseline{Completed: &revision.Inputs{Params: revision.Values{"a": "1", "b": "0", "c": "3"}}, Touched: map[string]bool{"c": true, "gone": true}}
	if diff := cmp.Diff([]string{"b", "c"}, b.Changed(compiled, desired)); diff != "" {
		t.Errorf("those that differ and those that were touched (-want +got):\n%s", diff)
	}
}
