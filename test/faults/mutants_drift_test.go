// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

// drifts break the rules about what others change at rest.
func drifts() []*mutant {
	return []*mutant{
		{
			name: "drift that is corrected while a plan runs",
			edits: []edit{{"controllers/instance/drift.go", `	if inst.Status.Active != nil || c.Start != nil || c.Admit != nil {`,
				`	if false && (inst.Status.Active != nil || c.Start != nil || c.Admit != nil) {`}},
			workload: "upgrade", finds: "was announced by no status",
		},
		{
			name:     "drift that is only told",
			edits:    []edit{{"controllers/instance/drift.go", `drift.Decide(seen, policy, inst.Spec.IgnoreFields)`, `drift.Decide(seen, v1alpha1.DriftReport, inst.Spec.IgnoreFields)`}},
			workload: "update", class: "objects", detail: "ConfigMap one-config without data",
			finds: "ConfigMap one-config does not come back",
		},
		{
			name: "drift that is seen only when the Instance is looked at",
			edits: []edit{{"controllers/instance/drift_watch.go", `	CreateFunc: func(e event.CreateEvent) bool { return steady(e.Object) },
	DeleteFunc: func(e event.DeleteEvent) bool { return steady(e.Object) },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return (steady`, `	CreateFunc: func(e event.CreateEvent) bool { return steady(e.Object) },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return (steady`}},
			workload: "update", class: "objects", detail: "delete StatefulSet one",
			finds: "StatefulSet one does not come back",
		},
		{
			name:     "drift that takes what is nobody's",
			edits:    []edit{{"internal/apply/restore.go", `	if err := a.mayWrite(live, ref); err != nil {`, `	if err := a.mayWrite(live, ref); err != nil && live.GetDeletionTimestamp() != nil {`}},
			workload: "update", class: "disowned", detail: "ConfigMap one-config",
			finds: "nothing says",
		},
	}
}
