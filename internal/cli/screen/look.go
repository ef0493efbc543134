// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package screen draws what the commands show: executions as trees, tables, and lines that
// are drawn again while something goes on.
package screen

import "kudo.dev/kudo/apis/kudo/v1alpha1"

// Look says how things are drawn.
type Look struct {
	// Color uses ANSI colours.
	Color bool
	// Width cuts lines; 0 for no limit.
	Width int
	// Frame turns the mark of what runs.
	Frame int
}

// The colours and weights of text.
const (
	Bold   = "\x1b[1m"
	Faint  = "\x1b[2m"
	Red    = "\x1b[31m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
	Cyan   = "\x1b[36m"

	reset = "\x1b[0m"
)

// Paint gives a text a colour, where there are colours.
func (l Look) Paint(color, text string) string {
	if !l.Color || color == "" || text == "" {
		return text
	}
	return color + text + reset
}

// Turning is the mark of what runs.
func (l Look) Turning() string {
	frames := [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}
	return frames[l.Frame%len(frames)]
}

// Mark is the sign of a state and its colour.
func (l Look) Mark(state v1alpha1.RunState) (sign, color string) {
	switch state {
	case v1alpha1.RunSucceeded:
		return "✔", Green
	case v1alpha1.RunRunning:
		return l.Turning(), Cyan
	case v1alpha1.RunStalled:
		return "!", Yellow
	case v1alpha1.RunFailed, v1alpha1.RunCancelled:
		return "✘", Red
	case v1alpha1.RunSkipped:
		return "-", Faint
	case v1alpha1.RunPending:
	}
	return "·", Faint
}
