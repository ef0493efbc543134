// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bufio"
	"context"
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
// answer, --yes is needed. Who interrupts the command has answered.
func (c *Confirmation) Confirm(ctx context.Context, e *Env, format string, args ...any) error {
	if c.yes {
		return nil
	}
	if f, ok := e.In.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		return Misuse("nobody is there to ask; repeat with --yes")
	}
	e.Warnf(format+" [y/N] ", args...)
	answered := make(chan error, 1)
	go func() { answered <- yes(e.In) }() // a read can not be interrupted
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		e.Warnf("\n")
		return errors.New("nothing was done: interrupted before an answer")
	}
}

// yes reads a line, and returns an error unless it says so.
func yes(in io.Reader) error {
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done: the answer was not yes")
}
