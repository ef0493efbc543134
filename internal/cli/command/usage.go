// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// ErrFindings ends a command whose findings have been shown: exit code 1 without a message.
var ErrFindings = errors.New("there are findings")

// UsageError is a command that was called wrongly: exit code 2.
type UsageError struct{ message string }

// Error says what is wrong and what to do.
func (e *UsageError) Error() string { return e.message }

// Misuse returns a UsageError.
func Misuse(format string, args ...any) error {
	return &UsageError{message: fmt.Sprintf(format, args...)}
}

// Args requires from least to most arguments, called as the command's Use says; most < 0 is
// any number.
func Args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Misuse("an argument is missing: %s", cmd.UseLine())
		case most >= 0 && len(args) > most:
			return Misuse("unexpected argument %q: %s", args[most], cmd.UseLine())
		}
		return nil
	}
}

// CheckFlags refuses flags that exclude each other, or that are missing, as a wrong use: what
// cobra itself returns about them can not be told from a failure of the command.
func CheckFlags(cmd *cobra.Command, _ []string) error {
	err := cmd.ValidateRequiredFlags()
	if err == nil {
		err = cmd.ValidateFlagGroups()
	}
	if err != nil {
		return Misuse("%v. See: %s --help", err, cmd.CommandPath())
	}
	return nil
}

// Parent makes a command that only has commands below it: alone it shows its help.
func Parent(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ". See: " + cmd.CommandPath() + " --help"
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return Misuse("unknown command %q for %q%s", args[0], cmd.CommandPath(), hint)
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}
