// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// Output is the flag -o: the form in which a command answers.
type Output struct {
	form  string
	forms []string
}

// AddFlags adds -o with the forms that a command knows beside its text: json and yaml, and
// others such as wide or name.
func (o *Output) AddFlags(cmd *cobra.Command, others ...string) {
	o.forms = append([]string{"json", "yaml"}, others...)
	cmd.Flags().StringVarP(&o.form, "output", "o", "", "Form of the output: "+strings.Join(o.forms, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.forms, cobra.ShellCompDirectiveNoFileComp))
}

// Is says whether a form is asked for.
func (o *Output) Is(form string) bool { return o.form == form }

// Asked says whether a form is asked for at all.
func (o *Output) Asked() bool { return o.form != "" }

// Check refuses a form that the command does not know, before it does anything.
func (o *Output) Check() error {
	if o.form != "" && !slices.Contains(o.forms, o.form) {
		return Misuse("-o %s is not known here: use one of %s", o.form, strings.Join(o.forms, ", "))
	}
	return nil
}

// Print writes a value as JSON or YAML where -o asks for it, and else lets text write it.
func (o *Output) Print(e *Env, value any, text func() error) error {
	if err := o.Check(); err != nil {
		return err
	}
	switch o.form {
	case "json":
		enc := json.NewEncoder(e.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(value); err != nil {
			return fmt.Errorf("encoding the answer: %w", err)
		}
		return nil
	case "yaml":
		raw, err := yaml.Marshal(value)
		if err != nil {
			return fmt.Errorf("encoding the answer: %w", err)
		}
		e.Printf("%s", raw)
		return nil
	}
	return text()
}
