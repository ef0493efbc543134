// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"fmt"
	"strings"
)

const maxSuggestLength = 64

// Closest returns the name that is most likely meant, or "" if none is near.
func Closest(name string, names []string) string {
	best, bestDistance := "", 1+max(1, min(len(name), maxSuggestLength)/3)
	for _, candidate := range names {
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if len(name) > 2 && strings.HasPrefix(candidate, name) {
			d = 1
		}
		if d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// Hint is the end of a sentence about an unknown name: what was likely meant, or what there is.
func Hint(name string, names []string) string {
	if likely := Closest(name, names); likely != "" {
		return fmt.Sprintf("; did you mean %q?", likely)
	}
	if len(names) == 0 {
		return ""
	}
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("; there are %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "; there is " + strings.Join(names, ", ")
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	if len(a) > maxSuggestLength || len(b) > maxSuggestLength {
		return maxSuggestLength
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
