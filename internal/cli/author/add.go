// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/scaffold"
)

// The files that grow.
const (
	frameworkFile = "framework.yaml"
	paramsFile    = "params.yaml"
)

// addition is what the commands below add share.
type addition struct {
	env *command.Env
	dir string
}

func newAdd(env *command.Env) *cobra.Command {
	a := &addition{env: env}
	cmd := command.Parent(&cobra.Command{
		Use:   "add",
		Short: "Add a parameter, template, task, plan or test to a package",
		Long: "Adds to the package in the working directory, or that which --dir names. What stands there stays,\n" +
			"comments included. An addition with which the package would be refused is not made.",
	})
	cmd.PersistentFlags().StringVarP(&a.dir, "dir", "d", ".", "Directory of the package")
	cmd.AddCommand(a.newParameter(), a.newTemplate(), a.newTask(), a.newPlan(), a.newTest())
	return cmd
}

// insert adds an item to a list of a file.
func (a *addition) insert(file string, item any, path ...string) error {
	name := filepath.Join(a.dir, file)
	raw, err := os.ReadFile(name)
	if err != nil && (file != paramsFile || !errors.Is(err, os.ErrNotExist)) {
		return fmt.Errorf("reading the package: %w", err)
	}
	updated, err := scaffold.Append(raw, item, path...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return a.write(file, updated, raw)
}

// create writes a new file.
func (a *addition) create(file string, content []byte) error {
	if _, err := os.Stat(filepath.Join(a.dir, filepath.FromSlash(file))); err == nil {
		return fmt.Errorf("%s is there already", filepath.Join(a.dir, file))
	}
	return a.write(file, content, nil)
}

// write writes a file, and takes that back if the package would be refused with it.
func (a *addition) write(file string, content, before []byte) error {
	name := filepath.Join(a.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // as git makes them
		return fmt.Errorf("making %s: %w", filepath.Dir(name), err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil { //nolint:gosec // meant to be shared
		return fmt.Errorf("writing %s: %w", name, err)
	}
	p, err := pack.Load(os.DirFS(a.dir), ".")
	if err == nil {
		err = check(p)
	}
	if err == nil {
		a.env.Printf("%s\n", name)
		return nil
	}
	undo := os.Remove(name)
	if before != nil {
		undo = os.WriteFile(name, before, 0o644) //nolint:gosec // as it was
	}
	return errors.Join(fmt.Errorf("nothing was added: %w", err), undo)
}

func (a *addition) newTemplate() *cobra.Command {
	var kind, from string
	cmd := &cobra.Command{
		Use:     "template FILE",
		Short:   "Add a template",
		Long:    "Adds templates/FILE: the beginning of one of a kind, or a manifest that --from names, in which\nnothing is replaced yet. Name it in a task to have it applied.",
		Example: "  kubectl kudo add template backup.yaml --kind job\n  kubectl kudo add template ingress.yaml --from ../ingress.yaml",
		Args:    command.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			content, err := beginning(kind, from, args[0])
			if err != nil {
				return err
			}
			return a.create("templates/"+args[0], content)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "Kind to begin with: "+strings.Join(scaffold.Kinds(), ", "))
	cmd.Flags().StringVar(&from, "from", "", "Manifest to begin with")
	return cmd
}

func beginning(kind, from, file string) ([]byte, error) {
	if (kind == "") == (from == "") {
		return nil, command.Misuse("say what to begin with: --kind, one of %s, or --from FILE", strings.Join(scaffold.Kinds(), ", "))
	}
	if from == "" {
		content, err := scaffold.Template(kind, strings.TrimSuffix(filepath.Base(file), ".yaml"))
		if err != nil {
			return nil, command.Misuse("%v", err)
		}
		return content, nil
	}
	raw, err := os.ReadFile(from)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	// What looks like an action of a template is text in a manifest.
	return []byte(strings.ReplaceAll(string(raw), "{{", "{{`{{`}}")), nil
}
