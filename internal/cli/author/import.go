// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/legacy"
)

func newImport(env *command.Env) *cobra.Command {
	cmd := command.Parent(&cobra.Command{
		Use:   "import",
		Short: "Make a package of what was written for another tool",
	})
	cmd.AddCommand(newImportKudo(env))
	return cmd
}

// importer is the command `import kudo`.
type importer struct {
	env *command.Env
	// outputs are the values of -o: a directory, and a form.
	outputs []string
	force   bool
}

func newImportKudo(env *command.Env) *cobra.Command {
	i := &importer{env: env}
	cmd := &cobra.Command{
		Use:   "kudo DIR",
		Short: "Make a package of an operator of KUDO 0.x",
		Long: `Reads an operator package of KUDO 0.x (operator.yaml, params.yaml and templates/, apiVersion
kudo.dev/v1beta1) and writes a package that does the same. What is carried over differently,
or not at all, is told line by line: file, line, what, why, and what to do.`,
		Example: `  kubectl kudo import kudo operators/redis
  kubectl kudo import kudo operators/redis -o frameworks/redis/0.2.0 --force
  kubectl kudo import kudo operators/redis -o json`,
		Args: command.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error { return i.run(args[0]) },
	}
	cmd.Flags().StringArrayVarP(&i.outputs, "output", "o", nil,
		"Directory to write to (default NAME-VERSION), or json or yaml for the form of the answer; may be given twice")
	cmd.Flags().BoolVar(&i.force, "force", false, "Write into a directory that is not empty, and replace what is in it")
	return cmd
}

// imported is the answer as JSON or YAML.
type imported struct {
	*legacy.Result `json:",inline"`

	Directory   string   `json:"directory"`
	Files       []string `json:"files"`
	Publishable bool     `json:"publishable"`
}

func (i *importer) run(dir string) error {
	target, form, err := i.destination()
	if err != nil {
		return err
	}
	result, err := readOld(dir)
	if err != nil {
		return err
	}
	if target == "" {
		target = result.Name + "-" + result.Version
	}
	if err := i.write(target, result.Files); err != nil {
		return err
	}
	r := imported{Result: result, Directory: target, Files: slices.Sorted(maps.Keys(result.Files)), Publishable: result.Publishable()}
	out := command.Output{}
	cmd := &cobra.Command{}
	out.AddFlags(cmd)
	if err := cmd.Flags().Set("output", form); err != nil {
		return fmt.Errorf("reading the form of the output: %w", err)
	}
	return out.Print(i.env, r, func() error { return i.tell(dir, &r) })
}

// destination reads -o: json and yaml are forms, anything else is the directory.
func (i *importer) destination() (dir, form string, err error) {
	for _, o := range i.outputs {
		into := &dir
		if o == "json" || o == "yaml" {
			into = &form
		}
		if *into != "" || o == "" {
			return "", "", command.Misuse("-o takes one directory, and json or yaml: %q is one too many", o)
		}
		*into = o
	}
	return dir, form, nil
}

func readOld(dir string) (*legacy.Result, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, command.Misuse("%s is a file: name the directory that holds operator.yaml", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the operator: %w", err)
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", dir, err)
	}
	result, err := legacy.Import(os.DirFS(full), ".")
	if err != nil {
		return nil, fmt.Errorf("importing the operator %s:\n%w", dir, err)
	}
	return result, nil
}

// write writes the files below a directory that is new or empty. With --force it replaces
// what another import may have left there.
func (i *importer) write(dir string, files map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("looking into %s: %w", dir, err)
	case len(entries) > 0 && !i.force:
		return command.Misuse("%s is not empty: name another directory with -o, or replace what is in it with --force", dir)
	case len(entries) > 0:
		if err := os.RemoveAll(filepath.Join(dir, "templates")); err != nil {
			return fmt.Errorf("removing the old templates: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			return fmt.Errorf("making the directory of %s: %w", full, err)
		}
		if err := os.WriteFile(full, files[name], 0o600); err != nil {
			return fmt.Errorf("writing the package: %w", err)
		}
	}
	return nil
}

func (i *importer) tell(dir string, r *imported) error {
	var blocking []legacy.Note
	for _, n := range r.Notes {
		n.File = filepath.Join(dir, n.File)
		i.env.Printf("%s\n", n)
		if n.Blocks {
			blocking = append(blocking, n)
		}
	}
	i.env.Printf("%s %s was written to %s: %d files, %d notes.\n", r.Name, r.Version, r.Directory, len(r.Files), len(r.Notes))
	if !r.Publishable {
		i.env.Printf("It can not be published yet. These must be changed first:\n")
		for _, n := range blocking {
			i.env.Printf("  %s\n", n)
		}
	}
	i.env.Printf("Next:\n  kubectl kudo lint %s\n", r.Directory)
	if r.Publishable {
		i.env.Printf("  kubectl kudo package manifests %s | kubectl apply --server-side -f -\n", r.Directory)
	}
	return nil
}
