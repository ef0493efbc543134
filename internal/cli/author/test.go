// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/packtest"
)

// tested is what became of a test.
type tested struct {
	Package     string   `json:"package"`
	Test        string   `json:"test"`
	Description string   `json:"description,omitempty"`
	Failures    []string `json:"failures,omitempty"`
}

func newTest(env *command.Env) *cobra.Command {
	var from sources
	var out command.Output
	cmd := &cobra.Command{
		Use:   "test PACKAGE...",
		Short: "Run the tests of packages, without a cluster",
		Long: "Runs the files below tests/ of packages: each says which plan must run with given parameters, its\n" +
			"steps, what they apply, or the words of a refusal. " + sourceHelp,
		Example: "  kubectl kudo test frameworks/zookeeper/3.9.3",
		Args:    command.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all := []tested{}
			for _, name := range args {
				some, err := from.test(cmd.Context(), name)
				if err != nil {
					return err
				}
				all = append(all, some...)
			}
			return printTested(env, &out, all)
		},
	}
	from.addFlags(cmd)
	out.AddFlags(cmd)
	return cmd
}

func (s *sources) test(ctx context.Context, name string) ([]tested, error) {
	p, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	version, err := compile(p.Package)
	if err != nil {
		return nil, err
	}
	cases, err := packtest.Load(p.files)
	if err != nil {
		return nil, fmt.Errorf("reading the tests of %s:\n%w", name, err)
	}
	out := make([]tested, 0, len(cases))
	for i := range cases {
		out = append(out, tested{
			Package: name, Test: cases[i].File, Description: cases[i].Description, Failures: cases[i].Run(version),
		})
	}
	return out, nil
}

func printTested(env *command.Env, out *command.Output, all []tested) error {
	failed := 0
	for _, t := range all {
		if len(t.Failures) > 0 {
			failed++
		}
	}
	err := out.Print(env, all, func() error {
		for _, t := range all {
			verdict := "ok  "
			if len(t.Failures) > 0 {
				verdict = "FAIL"
			}
			env.Printf("%s %s/%s  %s\n", verdict, t.Package, t.Test, t.Description)
			for _, f := range t.Failures {
				env.Printf("     %s\n", f)
			}
		}
		env.Printf("%d tests, %d failed\n", len(all), failed)
		return nil
	})
	if err == nil && failed > 0 {
		return command.ErrFindings
	}
	return err //nolint:wrapcheck // it says what it does
}
