// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/drift"
	"kudo.dev/kudo/internal/engine"
)

// deviation is what differs from the state at rest and stays so.
type deviation struct {
	reason   string
	messages []string
	// unknown says that the condition stays as it is.
	unknown bool
}

// rank of the reasons: the worst is the condition's.
var rank = map[string]int{v1alpha1.ReasonDrifted: 0, v1alpha1.ReasonFighting: 1, v1alpha1.ReasonNotPutBack: 2}

func (d *deviation) with(reason, message string) *deviation {
	if d == nil {
		return &deviation{reason: reason, messages: []string{message}}
	}
	if rank[reason] > rank[d.reason] {
		d.reason = reason
	}
	d.messages = append(d.messages, message)
	return d
}

// drifted sets the condition, or removes it.
func (r *Reconciler) drifted(inst *v1alpha1.Instance, d *deviation) {
	if d == nil {
		meta.RemoveStatusCondition(&inst.Status.Conditions, v1alpha1.ConditionDrifted)
		return
	}
	if d.unknown {
		return
	}
	meta.SetStatusCondition(&inst.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionDrifted, Status: metav1.ConditionTrue, Reason: d.reason,
		Message:            engine.Brief(strings.Join(d.messages, ". "), engine.MaxMessage),
		ObservedGeneration: inst.Generation, LastTransitionTime: metav1.NewTime(r.Clock.Now()),
	})
}

// alreadySaid says whether a manager that led before told this.
func alreadySaid(inst *v1alpha1.Instance, message string) bool {
	c := meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionDrifted)
	return c != nil && strings.Contains(c.Message, message)
}

// maxAction is the longest action of an event.
const maxAction = 128

// event tells of one finding. Events that differ only in their note count as one: object
// and field tell them apart.
func (r *Reconciler) event(inst *v1alpha1.Instance, f *drift.Finding, kind, reason, message string) {
	ref := f.Object.ObjectReference
	related := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.Name, UID: ref.UID}}
	related.SetGroupVersionKind(schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind))
	action := "drift/" + strings.Join(f.Fields(), ",")
	r.Events.Eventf(inst, related, kind, reason, action[:min(len(action), maxAction)], "%s", engine.Brief(message, engine.MaxMessage))
}
