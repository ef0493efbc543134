// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package author holds the commands for those who write packages.
package author

import (
	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
)

// Group is the id of the commands in the help.
const Group = "author"

// Commands are those of this package.
func Commands(env *command.Env) []*cobra.Command {
	all := []*cobra.Command{
		newInit(env),
		newAdd(env),
		newPackage(env),
		newRender(env),
		newLint(env),
		newTest(env),
		newImport(env),
		newGenerate(env),
	}
	for _, c := range all {
		c.GroupID = Group
	}
	return all
}
