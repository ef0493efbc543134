// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// ActionRetry starts the next attempt of what stalled.
const ActionRetry = "retry"

// answerRequests carries out each request of a person once.
func (d *decider) answerRequests() {
	for _, r := range d.facts.Requests {
		if _, done := d.State.Answered[r.ID]; done {
			continue
		}
		a := Answer{At: d.now}
		if r.Action == ActionRetry {
			a.Refused, a.Message = d.retryStalled(r)
		} else {
			a.Refused, a.Message = true, r.Action+" is not yet supported"
		}
		if d.State.Answered == nil {
			d.State.Answered = map[string]Answer{}
		}
		d.State.Answered[r.ID] = a
	}
}

// retryStalled begins the next attempt of every stalled task at or below a path.
func (d *decider) retryStalled(r Request) (refused bool, message string) {
	var paths []string
	d.program.Root.Leaves(func(n *Node) {
		below := r.Path == "" || n.Path == r.Path || strings.HasPrefix(n.Path, r.Path+"/")
		if s := d.State.Node(n.Path); below && s.Run == v1alpha1.RunStalled {
			s.Reason, s.Message = "", ""
			d.beginAttempt(n, s)
			paths = append(paths, n.Path)
		}
	})
	if len(paths) == 0 && d.State.Run == v1alpha1.RunStalled && r.Path == "" {
		return false, "tried again" // what stalled is tried with every decision
	}
	if len(paths) == 0 {
		return true, "nothing is stalled there"
	}
	by := ""
	if r.By != "" {
		by = " as asked by " + r.By
	}
	message = "retried " + strings.Join(paths, ", ") + by
	d.note("", v1alpha1.ReasonRetrying, message, false)
	return false, message
}
