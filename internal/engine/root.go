// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

func (d *decider) setRoot(run v1alpha1.RunState, reason, message string) {
	message = brief(message)
	if d.State.Run == run && d.State.Reason == reason && d.State.Message == message {
		return
	}
	if run == v1alpha1.RunStalled && (d.State.Run != run || d.State.Message != message) {
		d.note("", reason, message, true)
	}
	d.State.Run, d.State.Reason, d.State.Message = run, reason, message
}

func (d *decider) finish(run v1alpha1.RunState, reason, message string) {
	message = brief(message)
	d.State.Run, d.State.Reason, d.State.Message = run, reason, message
	d.State.FinishedAt = d.now
	d.Effects, d.WriteAhead, d.Wake, d.Backoff = nil, false, time.Time{}, false
	d.note("", reason, message, run == v1alpha1.RunFailed)
}

func (d *decider) note(path, reason, message string, warning bool) {
	d.Notes = append(d.Notes, Note{Path: path, Reason: reason, Message: message, Warning: warning})
}

func (d *decider) wake(at time.Time) {
	if !at.IsZero() && (d.Wake.IsZero() || at.Before(d.Wake)) {
		d.Wake = at
	}
}
