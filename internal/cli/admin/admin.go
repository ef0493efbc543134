// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admin holds the commands for those who run Kudo itself.
package admin

import (
	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
)

// Group is the id of the commands in the help.
const Group = "admin"

// Commands are those of this package. The version is that of the plugin, and of the image
// that it installs.
func Commands(env *command.Env, version string) []*cobra.Command {
	cmd := newInstall(env, version)
	cmd.GroupID = Group
	return []*cobra.Command{cmd}
}
