// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "kudo.dev/kudo/apis/kudo/v1alpha1"

// look says how things are drawn.
type look struct {
	// color uses ANSI colours.
	color bool
	// width cuts lines; 0 for no limit.
	width int
	// frame turns the mark of what runs.
	frame int
}

const (
	reset  = "\x1b[0m"
	bold   = "\x1b[1m"
	faint  = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
)

func (l look) paint(color, text string) string {
	if !l.color || color == "" || text == "" {
		return text
	}
	return color + text + reset
}

func (l look) turning() string {
	frames := [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	return frames[l.frame%len(frames)]
}

// mark is the sign of a state and its colour.
func (l look) mark(state v1alpha1.RunState) (sign, color string) {
	switch state {
	case v1alpha1.RunSucceeded:
		return "✔", green
	case v1alpha1.RunRunning:
		return l.turning(), cyan
	case v1alpha1.RunStalled:
		return "!", yellow
	case v1alpha1.RunFailed, v1alpha1.RunCancelled:
		return "✘", red
	case v1alpha1.RunSkipped:
		return "-", faint
	case v1alpha1.RunPending:
	}
	return "·", faint
}
