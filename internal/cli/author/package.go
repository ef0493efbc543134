// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/cli/command"
)

func newPackage(env *command.Env) *cobra.Command {
	cmd := command.Parent(&cobra.Command{
		Use:   "package",
		Short: "Check a package, make an archive of it, push and pull it, print its objects",
	})
	cmd.AddCommand(newManifests(env))
	return cmd
}

func newManifests(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "manifests DIR...",
		Short:   "Print the Framework and the FrameworkVersion of packages",
		Long:    "Prints the objects that a GitOps repository holds and that `kubectl apply --server-side` takes.",
		Example: `  kubectl kudo package manifests frameworks/zookeeper/3.9.3 | kubectl apply --server-side -f -`,
		Args:    command.Args(1, -1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, dir := range args {
				if err := printManifests(env, dir); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func printManifests(env *command.Env, dir string) error {
	p, err := load(dir)
	if err != nil {
		return err
	}
	for _, o := range []client.Object{p.Framework, p.Version} {
		raw, err := yaml.Marshal(o)
		if err != nil {
			return fmt.Errorf("encoding %T %s: %w", o, o.GetName(), err)
		}
		env.Printf("---\n%s", raw)
	}
	return nil
}
