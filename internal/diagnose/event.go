// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// subject is what an event is about. Two objects of a name are told apart by UID.
type subject struct {
	kind, name string
	uid        types.UID
}

// latest is the newest trouble with a subject; nil if there is none. Unlike a condition an
// event may be outdated, so those older than since do not count.
func latest(events []corev1.Event, s subject, since time.Time) *corev1.Event {
	var found *corev1.Event
	for i := range events {
		e := &events[i]
		o := e.InvolvedObject
		if o.Kind != s.kind || o.Name != s.name || (s.uid != "" && o.UID != "" && o.UID != s.uid) {
			continue
		}
		if e.Type != corev1.EventTypeWarning && e.Reason != "FailedBinding" || lastSeen(e).Before(since) {
			continue
		}
		if found == nil || lastSeen(e).After(lastSeen(found)) {
			found = e
		}
	}
	return found
}

func lastSeen(e *corev1.Event) time.Time {
	at := e.LastTimestamp.Time
	if e.Series != nil && e.Series.LastObservedTime.After(at) {
		at = e.Series.LastObservedTime.Time
	}
	if e.EventTime.After(at) {
		at = e.EventTime.Time
	}
	return at
}

// link shows an event with how often and how long ago it was seen.
func (d *diagnosis) link(e *corev1.Event) Link {
	state := e.Reason
	count := e.Count
	if e.Series != nil {
		count = e.Series.Count
	}
	var when []string
	if at := lastSeen(e); !at.IsZero() {
		when = append(when, ago(d.Now.Sub(at))+" ago")
	}
	if count > 1 {
		when = append(when, fmt.Sprintf("%d times", count))
	}
	message := oneLine(e.Message)
	if len(when) > 0 {
		message += " (" + strings.Join(when, ", ") + ")"
	}
	return Link{Object: "event of " + e.InvolvedObject.Kind + " " + e.InvolvedObject.Name, State: state, Message: message}
}

func ago(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// oneLine is a text without line breaks, a full stop, and what would steer a terminal.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	return strings.TrimRight(text, ". ")
}
