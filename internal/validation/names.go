// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import "strings"

// Some lists the first names of count, and says that there are more.
func Some(names []string, count int) string {
	text := strings.Join(names, ", ")
	if count > len(names) {
		text += ", ..."
	}
	return text
}
