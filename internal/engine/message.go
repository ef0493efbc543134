// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import "unicode/utf8"

// MaxMessage is the budget of a message in status, in bytes.
const MaxMessage = 1024

// Brief cuts a message to at most so many bytes, between characters: status is not a log.
func Brief(message string, most int) string {
	if len(message) <= most {
		return message
	}
	end := most - len("...")
	for end > 0 && !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + "..."
}

// brief is a message as it is stored: what is compared with status must be cut alike.
func brief(message string) string { return Brief(message, MaxMessage) }
