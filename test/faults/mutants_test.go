// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import "slices"

// mutants are all of them.
func mutants() []*mutant {
	return slices.Concat(namesAndLocks(), truths(), orders(), errorHandling(), drifts(), foundMutants())
}

// namesAndLocks break the rules about who may do what.
func namesAndLocks() []*mutant {
	return []*mutant{
		{
			name: "names that are not derived", quick: true,
			edits: []edit{
				{"internal/revision/name.go", `	"strings"`, `	"strings"
	"time"`},
				{"internal/revision/name.go", `func derive(`, `func derive(prefix string, parts ...string) string {
	return deriveFrom(prefix, append(parts, process)...)
}

// process makes names stable while a manager runs, and others in the next one.
var process = time.Now().String()

func deriveFrom(`},
			},
			workload: "deploy", class: "killed-after", write: write{"POST jobs", 1},
			finds: "times that jobs one-verify-HASH was made: 2, in the reference 1",
		},
		{
			name:     "a job name without the attempt",
			edits:    []edit{{"internal/revision/name.go", `string(execution), path, strconv.Itoa(int(attempt)))`, `string(execution), path, strconv.Itoa(min(int(attempt), 1)))`}},
			workload: "retry", finds: ruleEnd,
		},
		{
			name: "admission without a live read of the lock",
			edits: []edit{
				{"controllers/planexecution/open.go", `if r.Lock.Confirmed(ctx, pe.UID, admission.Epoch) {`, `if r.Lock.Confirmed(ctx, pe.UID, admission.Epoch) || true {`},
			},
			workload: "upgrade", class: "lagging-lists", write: write{"PUT instances/one/status", -1}, shown: write{"DELETE statefulsets/one", 1},
			finds: "was announced by no status",
		},
		{
			// Either rule alone keeps the new StatefulSet: a removal that differs from its record is announced.
			name: "a run that is taken over from the cache, and removes what it finds",
			edits: []edit{
				{"controllers/planexecution/open.go", `	return inst, live, nil
`, `	r.Lock.Confirm(pe.UID, epoch)
	return inst, pe, nil
`},
				{"controllers/planexecution/effects.go", `n.ahead || !slices.Equal(refs, n.objects[e.Path])`, `n.ahead || false && !slices.Equal(refs, n.objects[e.Path])`},
			},
			workload: "upgrade", class: "lagging-lists", write: write{"PATCH statefulsets/one", 1}, shown: write{"DELETE statefulsets/one", 1},
			lagging: "planexecutions", finds: "was announced by no status",
		},
		{
			name: "an epoch that is not raised",
			edits: []edit{{"controllers/instance/act.go", `		epoch++
`, `		epoch = max(epoch, 1)
`}},
			workload: "update", finds: "with the epoch 1, after one of",
		},
		{
			name: "no finalizer",
			edits: []edit{
				{"webhooks/instance.go", `controllerutil.AddFinalizer(inst, v1alpha1.FinalizerInstance)`, `controllerutil.ContainsFinalizer(inst, v1alpha1.FinalizerInstance)`},
				{"controllers/instance/controller.go", `if !controllerutil.ContainsFinalizer(inst, v1alpha1.FinalizerInstance) {`, `if false && !controllerutil.ContainsFinalizer(inst, v1alpha1.FinalizerInstance) {`},
			},
			workload: "delete", finds: "times that jobs one-farewell-HASH was made: nothing, in the reference 1",
		},
		{
			name: "deletes without a UID",
			edits: []edit{{"internal/apply/delete.go", `Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy`, `Preconditions: &metav1.Preconditions{UID: map[bool]*types.UID{true: &uid}[uid == ""]}, PropagationPolicy`}, {"internal/apply/delete.go", `	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"`, `	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"`}},
			workload: "upgrade", finds: "DELETE statefulsets/one#1 names no UID",
		},
	}
}

// truths break the rules about what is recorded, where, and in which write.
func truths() []*mutant {
	return []*mutant{
		{
			name: "effects before write-ahead", quick: true,
			edits: []edit{
				{"controllers/planexecution/proceed.go", `(d.WriteAhead || n.ahead) && len(ready) > 0`, `false && len(ready) > 0`},
			},
			workload: "deploy", finds: "was announced by no status",
		},
		{
			name: "objects that are recorded only once they are made",
			edits: []edit{
				{"controllers/planexecution/status.go", `ProgressAt: stamp(n.ProgressAt), Objects: objects,`, `ProgressAt: stamp(n.ProgressAt), Objects: made(n, objects),`},
				{"controllers/planexecution/status.go", `// stamp drops`, `func made(n engine.NodeState, objects []v1alpha1.ObjectReference) []v1alpha1.ObjectReference {
	if n.Run == v1alpha1.RunRunning && n.Message == "" {
		return nil
	}
	return objects
}

// stamp drops`},
			},
			workload: "deploy", finds: "was announced by no status",
		},
		{
			name: "a fact split over two writes", quick: true, loose: true,
			edits: []edit{{"controllers/planexecution/proceed.go", `	if err := r.Client.Status().Update(ctx, n.pe); err != nil {
		return fmt.Errorf("writing the status of the PlanExecution: %w", err)
	}
`, `	if applied := n.pe.Status.Applied; n.state.Run.Terminal() && applied != "" {
		n.pe.Status.Applied = ""
		if err := r.Client.Status().Update(ctx, n.pe); err != nil {
			return fmt.Errorf("writing the status of the PlanExecution: %w", err)
		}
		n.pe.Status.Applied = applied
	}
	if err := r.Client.Status().Update(ctx, n.pe); err != nil {
		return fmt.Errorf("writing the status of the PlanExecution: %w", err)
	}
`}},
			workload: "update", class: "killed-before", write: write{"PUT planexecutions/one-update-HASH/status", -1},
			finds: "PlanExecution one-update-HASH status applied: nothing",
		},
		{
			name: "a seal after the terminal status", loose: true,
			edits: []edit{
				{"controllers/planexecution/proceed.go", `		n.facts.Sealed = r.seal(ctx, n)
`, `		n.facts.Sealed = engine.Outcome{Class: engine.OutcomeDone}
`},
				{"controllers/planexecution/proceed.go", `	if n.state.Run.Terminal() {
		return ctrl.Result{}, nil
	}
`, `	if n.state.Run.Terminal() {
		if n.plan.Lifecycle && n.pe.Status.Applied == "" {
			r.seal(ctx, n)
			return ctrl.Result{}, r.store(ctx, n)
		}
		return ctrl.Result{}, nil
	}
`},
			},
			workload: "update", class: "killed-before", write: write{"PUT planexecutions/one-update-HASH/status", -1},
			finds: "PlanExecution one-update-HASH status applied: nothing",
		},
		{
			name: "a status without resourceVersion",
			edits: []edit{
				{"controllers/planexecution/proceed.go", `	if err := r.Client.Status().Update(ctx, n.pe); err != nil {
		return fmt.Errorf("writing`, `	raw, err := json.Marshal(map[string]any{"status": n.pe.Status})
	if err != nil {
		return err
	}
	if err := r.Client.Status().Patch(ctx, n.pe, client.RawPatch(types.MergePatchType, raw)); err != nil {
		return fmt.Errorf("writing`},
				{"controllers/planexecution/proceed.go", `	"context"
`, `	"context"
	"encoding/json"
`},
				{"controllers/planexecution/proceed.go", `	ctrl "sigs.k8s.io/controller-runtime"
`, `	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
`},
			},
			workload: "deploy", class: "zombie", write: write{"PATCH planexecutions/one-deploy-HASH/status", 2},
			finds: "Running after it was Succeeded",
		},
		{
			name: "an attempt that is forgotten on restart",
			edits: []edit{
				{"controllers/planexecution/status.go", `= t.Attempt, at(t.AttemptAt), at(t.RetryAt), at(t.ProgressAt)`, `= remembered(prefix+t.Name+fmt.Sprint(t.StartedAt), t.Attempt), at(t.AttemptAt), at(t.RetryAt), at(t.ProgressAt)`},
				{"controllers/planexecution/status.go", `const (
	answerDone `, `var attempts sync.Map

func remembered(key string, stored int32) int32 {
	if _, seen := attempts.LoadOrStore(key, true); !seen && stored > 1 {
		return stored - 1
	}
	return stored
}

const (
	answerDone `},
				{"controllers/planexecution/status.go", `	"fmt"
`, `	"fmt"
	"sync"
`},
			},
			workload: "retry", class: "killed-before", write: write{"PUT planexecutions/one-deploy-HASH/status", -1},
			finds: "after attempt 2",
		},
		{
			name: "a revision that is missing in a stale cache",
			edits: []edit{{"internal/archive/archive.go", `		// The cache may be behind the manager that wrote it.
		err = a.live.Get(ctx, key, cr)
`, ``}},
			workload: "update", class: "lagging-lists", write: write{"PUT planexecutions/one-update-HASH/status", -1}, shown: write{"POST controllerrevisions", 1},
			lagging: "controllerrevisions", finds: "times that planexecutions one-deploy-HASH was made",
		},
	}
}
