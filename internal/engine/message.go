// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

// MaxMessage is the budget of a message in status, in bytes.
const MaxMessage = 1024

// Brief cuts a message to at most so many bytes: status is not a log.
func Brief(message string, most int) string {
	if len(message) <= most {
		return message
	}
	return message[:most-3] + "..."
}
