// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/argocd"
	"kudo.dev/kudo/internal/generate/docs"
	"kudo.dev/kudo/internal/generate/flux"
	"kudo.dev/kudo/internal/generate/helm"
	"kudo.dev/kudo/internal/generate/kustomize"
	"kudo.dev/kudo/internal/generate/rbac"
)

// artefact is something that can be generated.
type artefact struct {
	name, short string
	files       func(s *generate.Source, namespace string) (generate.Files, error)
}

// artefacts in the order of the help.
func artefacts() []artefact {
	return []artefact{
		{helm.Artefact, "Helm charts: one that installs objects of the framework, one that publishes it", helm.Files},
		{kustomize.Artefact, "kustomizations: one that publishes the framework, a base and an overlay with an object", kustomize.Files},
		{docs.Artefact, "documentation: parameters, outputs, pictures of the plans, and a runbook for each", docs.Files},
		{rbac.Artefact, "the least that the account of an Instance must be allowed to do", rbac.Files},
		{argocd.Artefact, "health checks and actions for Argo CD, and Applications", argocd.Files},
		{flux.Artefact, "Kustomizations of Flux, with health expressions", flux.Files},
	}
}

func newGenerate(env *command.Env) *cobra.Command {
	cmd := command.Parent(&cobra.Command{
		Use:   "generate",
		Short: "Make charts, kustomizations, documentation and roles from a package",
		Long: "Makes files from a package: the same package gives the same bytes. What was edited by hand is\n" +
			"kept and reported; files that are not of the set are left alone.",
	})
	for _, a := range artefacts() {
		cmd.AddCommand(newArtefact(env, a))
	}
	return cmd
}

func newArtefact(env *command.Env, a artefact) *cobra.Command {
	var g generation
	cmd := &cobra.Command{
		Use:   a.name + " DIR",
		Short: "Make " + a.short,
		Long: "Makes " + a.short + ".\n\nThe flag --namespace names the namespace of the Instance in what is made; without it, that\n" +
			"is the name of the framework, whatever the kubeconfig says.",
		Example: "  kubectl kudo generate " + a.name + " frameworks/zookeeper/3.9.3 -o deploy/zookeeper\n" +
			"  kubectl kudo generate " + a.name + " frameworks/zookeeper/3.9.3 -o deploy/zookeeper --check",
		Args: command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd.Context(), env, a, args[0]) },
	}
	cmd.Flags().StringVarP(&g.out, "output-dir", "o", "", "Directory to write to (default generated/<framework>-<version>/"+a.name+")")
	cmd.Flags().BoolVar(&g.check, "check", false, "Write nothing; list the files that differ, and exit with 1 if there are any")
	cmd.Flags().BoolVar(&g.force, "force", false, "Overwrite and remove files that were edited by hand, too")
	return cmd
}

// generation is one call of a command.
type generation struct {
	out          string
	check, force bool
}

func (g *generation) run(ctx context.Context, env *command.Env, a artefact, dir string) error {
	if g.check && g.force {
		return command.Misuse("--check writes nothing: leave --force out")
	}
	var from sources
	p, err := from.load(ctx, dir)
	if err != nil {
		return err
	}
	source, err := generate.New(p.Package)
	if err != nil {
		return fmt.Errorf("reading the package %s: %w", dir, err)
	}
	out := g.out
	if out == "" {
		out = filepath.Join("generated", source.ID(), a.name)
	}
	if err := outside(out, dir); err != nil {
		return err
	}
	files, err := a.files(source, tenant(env, source))
	if err != nil {
		return fmt.Errorf("generating %s from %s: %w", a.name, dir, err)
	}
	set := &fileSet{artefact: a.name, dir: out, files: files, force: g.force}
	if g.check {
		return set.check(env)
	}
	return set.write(env)
}

// tenant is the namespace of the Instance: what a person says, never what a kubeconfig
// happens to hold.
func tenant(env *command.Env, s *generate.Source) string {
	if env.Config.Namespace != nil && *env.Config.Namespace != "" {
		return *env.Config.Namespace
	}
	return s.Framework.Name
}

// outside refuses to write into the package: it may hold nothing but its own files.
func outside(out, dir string) error {
	target, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("finding %s: %w", out, err)
	}
	source, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("finding %s: %w", dir, err)
	}
	within, err := filepath.Rel(source, target)
	if err == nil && within != ".." && !strings.HasPrefix(within, ".."+string(filepath.Separator)) {
		return command.Misuse("%s is within the package %s, which holds nothing but its own files: name another directory with -o", out, dir)
	}
	return nil
}
