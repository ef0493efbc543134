// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the kubectl plugin. Each group of commands is a package below it; what they
// share (cluster access, output, questions) is internal/cli/command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"kudo.dev/kudo/internal/cli/admin"
	"kudo.dev/kudo/internal/cli/author"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/oncall"
	"kudo.dev/kudo/internal/cli/rollout"
)

// The exit codes.
const (
	succeeded = 0
	failed    = 1
	misused   = 2
)

// completer is the name under which kubectl asks a plugin for completions.
const completer = "kubectl_complete-kudo"

// Main runs the plugin with the arguments of a process, whose first is its name, and returns
// the exit code: 0, 1 for a failure or findings, 2 for a wrong use.
func Main(ctx context.Context, version string, args []string, in io.Reader, out, errOut io.Writer) int {
	env := command.New(genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut})
	root := New(env, version) //nolint:contextcheck,nolintlint // commands and completions take the context of their own run
	rest := args[1:]
	if filepath.Base(args[0]) == completer {
		rest = append([]string{cobra.ShellCompRequestCmd}, rest...)
	}
	root.SetArgs(rest)
	began := false
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		err := command.CheckFlags(cmd, args)
		began = err == nil
		return err
	}
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return succeeded
	case errors.Is(err, command.ErrFindings): // they have been shown
		return failed
	}
	_, _ = fmt.Fprintf(errOut, "error: %v\n", err)
	if _, wrong := errors.AsType[*command.UsageError](err); wrong || !began {
		return misused
	}
	return failed
}

// New is the root command.
func New(env *command.Env, version string) *cobra.Command {
	root := command.Parent(&cobra.Command{
		Use:           "kubectl-kudo",
		Short:         "Describe software once, and operate it with kubectl",
		Long:          "kubectl kudo makes packages of frameworks, shows what they would do to a cluster,\nruns and steers plans, and says why one is stuck.",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl kudo"},
	})
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return command.Misuse("%v. See: %s --help", err, cmd.CommandPath())
	})
	env.AddFlags(root)
	root.AddGroup(
		&cobra.Group{ID: author.Group, Title: "For authors of packages:"},
		&cobra.Group{ID: rollout.Group, Title: "To deploy and change:"},
		&cobra.Group{ID: oncall.Group, Title: "To operate:"},
		&cobra.Group{ID: admin.Group, Title: "For admins:"},
	)
	root.AddCommand(author.Commands(env)...)
	root.AddCommand(rollout.Commands(env, oncall.CompleteNames(env, 1))...)
	root.AddCommand(oncall.Commands(env)...)
	root.AddCommand(admin.Commands(env, version)...)
	return root
}
