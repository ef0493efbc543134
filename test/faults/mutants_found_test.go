// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

// foundMutants bring back what the harness once found in the manager.
func foundMutants() []*mutant {
	return []*mutant{
		{
			name: "a plan that starts again before its repair",
			edits: []edit{
				{"controllers/instance/recovery.go", `wait > 0 && now.ended == known.trace.ended {`, `wait > 0 {`},
				{"internal/engine/choose.go", ` || first.Undecided {`, ` {`},
			},
			workload: "rescue", finds: "the run does not end",
		},
		{
			name: "a removal that lost a race and is forgotten",
			edits: []edit{{"internal/archive/archive.go", `	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("removing`, `	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("removing`}},
			workload: "history", class: "409", write: write{"DELETE controllerrevisions/one-update-HASH-inputs", 1},
			finds: "was removed: nothing",
		},
		{
			name: "a status whose reply was lost and is not read again",
			edits: []edit{{"controllers/planexecution/controller.go", `	if err != nil {
		r.Lock.Forget(pe.UID)`, `	if false {
		r.Lock.Forget(pe.UID)`}},
			workload: "upgrade", class: "lost-late", write: write{"PUT planexecutions/one-upgrade-HASH/status", -1},
			finds: "was announced by no status",
		},
		{
			name:     "an execution that is discarded before it is known what it is for",
			edits:    []edit{{"controllers/instance/content.go", `doubt := waits(o)`, `doubt := false && waits(o)`}},
			workload: "content", class: "killed-after", write: write{"POST planexecutions", 1},
			finds: "times that planexecutions one-update-HASH was made: 2",
		},
		{
			name:     "an Instance that lets go of what its cache does not show",
			edits:    []edit{{"controllers/instance/gather.go", `		if o.run(a.UID) != nil {`, `		if o.run(a.UID) != nil || true {`}},
			workload: "custom", class: "lagging-lists", write: write{"POST jobs", 1}, shown: write{"the beginning", 1},
			lagging: "planexecutions", finds: "which had not ended",
		},
		{
			name: "a run that has ended and is taken for one that goes on",
			edits: []edit{{"controllers/instance/controller.go", `		if !holding(next, o) {
`, `		if false {
`}},
			workload: "rescue", class: "403", write: write{"POST planexecutions", 1},
			finds: "nothing says",
		},
	}
}
