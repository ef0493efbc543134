// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"
	"os"
	"strings"
)

// LogTail returns the last lines of the manager's log.
func (p *Process) LogTail(lines int) (string, error) {
	raw, err := os.ReadFile(p.Log)
	if err != nil {
		return "", fmt.Errorf("reading the manager's log: %w", err)
	}
	all := strings.SplitAfter(string(raw), "\n")
	return strings.Join(all[max(0, len(all)-lines-1):], ""), nil
}
