// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/scaffold"
)

func newInit(env *command.Env) *cobra.Command {
	var o scaffold.Options
	var dir string
	cmd := &cobra.Command{
		Use:   "init NAME",
		Short: "Begin a package that deploys as it is",
		Long: "Makes the files of a package: a web server with its service, configuration, disruption budget,\n" +
			"plans and tests, which passes lint and deploys as it is. Change it into your own.",
		Example: "  kubectl kudo init message-queue --kind MessageQueue",
		Args:    command.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Name = args[0]
			files, err := scaffold.New(o)
			if err != nil {
				return command.Misuse("%v", err)
			}
			if dir == "" {
				dir = o.Name
			}
			if err := writeNew(dir, files); err != nil {
				return err
			}
			for _, f := range files {
				env.Printf("%s/%s\n", dir, f.Name)
			}
			env.Printf("\nNext: kubectl kudo lint %s && kubectl kudo test %s && kubectl kudo render %s\n", dir, dir, dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&o.Kind, "kind", "", "Kind of its objects (default from the name: MessageQueue for message-queue)")
	cmd.Flags().StringVarP(&dir, "dir", "d", "", "Directory to make (default the name)")
	return cmd
}
