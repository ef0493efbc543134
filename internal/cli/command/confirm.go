// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Confirmation is the flag --yes.
type Confirmation struct{ yes bool }

// AddFlags adds --yes.
func (c *Confirmation) AddFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "Do it without asking")
}

// Confirm asks a question and returns an error unless the answer is yes. Where nobody can
// answer, --yes is needed.
func (c *Confirmation) Confirm(e *Env, format string, args ...any) error {
	if c.yes {
		return nil
	}
	if f, ok := e.In.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		return Misuse("nobody is there to ask; repeat with --yes")
	}
	e.Warnf(format+" [y/N] ", args...)
	line, err := bufio.NewReader(e.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done: the answer was not yes")
}
