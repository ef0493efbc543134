// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/pack"
)

func newPackage(env *command.Env) *cobra.Command {
	cmd := command.Parent(&cobra.Command{
		Use:   "package",
		Short: "Check a package, make an archive of it, push and pull it, print its objects",
		Long:  "Checks packages, makes archives of them, keeps these in OCI registries and prints\nthe objects of a package. The same files always make the same archive and digest.",
	})
	cmd.AddCommand(newBuild(env), newPush(env), newPull(env), newManifests(env))
	return cmd
}

func newManifests(env *command.Env) *cobra.Command {
	var from sources
	cmd := &cobra.Command{
		Use:   "manifests PACKAGE...",
		Short: "Print the Framework and the FrameworkVersion of packages",
		Long: "Prints the objects that a GitOps repository holds and that `kubectl apply --server-side` takes.\n" +
			sourceHelp,
		Example: `  kubectl kudo package manifests frameworks/zookeeper/3.9.3 | kubectl apply --server-side -f -`,
		Args:    command.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				p, err := from.load(cmd.Context(), name)
				if err != nil {
					return err
				}
				if err := printManifests(env, p.Package); err != nil {
					return err
				}
			}
			return nil
		},
	}
	from.addFlags(cmd)
	return cmd
}

func printManifests(env *command.Env, p *pack.Package) error {
	for _, o := range []client.Object{p.Framework, p.Version} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return fmt.Errorf("encoding %T %s: %w", o, o.GetName(), err)
		}
		delete(content, "status") // the cluster's own
		raw, err := yaml.Marshal(content)
		if err != nil {
			return fmt.Errorf("encoding %T %s: %w", o, o.GetName(), err)
		}
		env.Printf("---\n%s", raw)
	}
	return nil
}
