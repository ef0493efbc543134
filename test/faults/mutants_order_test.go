// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

// orders break the rules about what comes when.
func orders() []*mutant {
	return []*mutant{
		{
			name: "prune before the new is healthy",
			edits: []edit{{"internal/engine/decide.go", `	d.program.Root.Leaves(d.effects)
	switch root {`, `	d.prune()
	d.program.Root.Leaves(d.effects)
	switch root {`}},
			workload: "upgrade", finds: "came before its turn",
		},
		{
			name:     "prune by plan",
			edits:    []edit{{"controllers/planexecution/change.go", `		Listing: n.version.Listing,`, `		Listing: func(string) []string { return nil },`}},
			workload: "custom", finds: ruleState,
		},
		{
			name: "steps that are taken back oldest first",
			edits: []edit{{"internal/engine/undo.go", `		return d.State.Node(b.Path).StartedAt.Compare(d.State.Node(a.Path).StartedAt)`,
				`		return d.State.Node(a.Path).StartedAt.Compare(d.State.Node(b.Path).StartedAt)`}},
			workload: "undo", finds: "before what comes before it had succeeded",
		},
		{
			name: "an edge-triggered wake-up",
			edits: []edit{
				{"controllers/planexecution/watches.go", `builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Instance{}, handler.EnqueueRequestsFromMapFunc(activeOf)).`, `builder.WithPredicates(predicate.GenerationChangedPredicate{}, news)).
		Watches(&v1alpha1.Instance{}, handler.EnqueueRequestsFromMapFunc(activeOf), builder.WithPredicates(news)).`},
				{"controllers/planexecution/watches.go", `builder.WithPredicates(labelled))`, `builder.WithPredicates(labelled, news))`},
				{"controllers/planexecution/watches.go", `// activeOf are the executions`, `// news are changes, not what was there before.
var news = predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}

// activeOf are the executions`},
				{"controllers/planexecution/watches.go", `	"sigs.k8s.io/controller-runtime/pkg/controller"
`, `	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
`},
			},
			workload: "deploy", class: "killed-after", write: write{"PUT planexecutions/one-deploy-HASH/status", 1},
			finds: ruleEnd,
		},
		{
			name: "an Instance that is looked at only when its spec changes",
			edits: []edit{
				{"controllers/instance/watches.go", `For(&v1alpha1.Instance{}). // status too: wiped, it comes back`, `For(&v1alpha1.Instance{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).`},
			},
			workload: "update", class: "status", detail: `{"status":{"version":"9.9.9"}}`,
			finds: "the Instance does not come back",
		},
	}
}

// errorHandling breaks the rules about what an error means.
func errorHandling() []*mutant {
	return []*mutant{
		{
			name:     "a repeated creation that is an error",
			edits:    []edit{{"controllers/instance/act.go", `	if !apierrors.IsAlreadyExists(err) {`, `	if !apierrors.IsAlreadyExists(err) || apierrors.IsAlreadyExists(err) {`}},
			workload: "deploy", class: "lagging-lists", write: write{"POST planexecutions", 1}, shown: write{"POST planexecutions", 1},
			lagging: "planexecutions", finds: ruleLog,
		},
		{
			name: "a server error that is taken for a refusal",
			edits: []edit{{"internal/apply/classify.go", `	if permanent(err) {
`, `	if permanent(err) || apierrors.IsInternalError(err) {
`}},
			workload: "deploy", class: "500", write: write{"PATCH configmaps/one-config", 1},
			finds: ruleEnd,
		},
		{
			name: "a refusal that is tried for ever",
			edits: []edit{{"internal/apply/classify.go", `	if permanent(err) {
`, `	if permanent(err) && !apierrors.IsForbidden(err) {
`}},
			workload: "deploy", class: "403", write: write{"PATCH configmaps/one-config", 1},
			finds: "nothing says",
		},
		{
			name: "a conflict that is an error",
			edits: []edit{{"controllers/planexecution/controller.go", `	if apierrors.IsConflict(err) {
`, `	if false && apierrors.IsConflict(err) {
`}},
			workload: "deploy", class: "zombie", write: write{"PUT planexecutions/one-deploy-HASH/status", 2},
			finds: ruleLog,
		},
		{
			name:     "a Job that was removed is made again",
			edits:    []edit{{"controllers/planexecution/health.go", `if known.Name != ref.Name || known.UID == "" {`, `if known.Name != ref.Name || known.UID == "" || true {`}},
			workload: "deploy", class: "job-removed",
			finds: ruleEffect,
		},
	}
}
