// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/lint"
)

// linter is the command lint.
type linter struct {
	env      *command.Env
	output   command.Output
	explain  string
	rules    bool
	from     string
	failOn   string
	disabled []string
}

// linted is what was found in one package.
type linted struct {
	Directory string         `json:"directory"`
	Findings  []lint.Finding `json:"findings"`
}

// report is the answer of lint as JSON and YAML.
type report struct {
	Packages []linted `json:"packages"`
	Summary  summary  `json:"summary"`
}

type summary struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Infos    int `json:"infos"`
}

func newLint(env *command.Env) *cobra.Command {
	l := &linter{env: env}
	cmd := &cobra.Command{
		Use:   "lint DIR...",
		Short: "Say what is wrong with packages, and what will hurt later",
		Long: `Checks packages without a cluster: everything that admission checks, and what an experienced
reviewer would look at. Each finding has a rule; --explain says why the rule exists.

A comment on the line of a finding, or above it, takes it back:

  # kudo:ignore KUDO101 the sidecar ends with the pod

The exit code is 1 if there is a finding as bad as --fail-on says, 2 for a wrong use.`,
		Example: `  kubectl kudo lint frameworks/zookeeper/3.9.3
  kubectl kudo lint --from frameworks/zookeeper/3.8.4 frameworks/zookeeper/3.9.3
  kubectl kudo lint --explain KUDO056`,
		Args: func(cmd *cobra.Command, args []string) error {
			if l.explain != "" || l.rules {
				return command.Args(0, 0)(cmd, args)
			}
			return command.Args(1, -1)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error { return l.run(args) },
	}
	l.output.AddFlags(cmd, "sarif")
	flags := cmd.Flags()
	flags.StringVar(&l.explain, "explain", "", "Explain the rule of this id")
	flags.BoolVar(&l.rules, "rules", false, "List all rules")
	flags.StringVar(&l.from, "from", "", "Directory of the package of an older version: find what an upgrade from it would break")
	flags.StringVar(&l.failOn, "fail-on", string(lint.Error), "Least severity that makes the command fail: error, warning, info")
	flags.StringSliceVar(&l.disabled, "disable", nil, "Ids of rules to leave out")
	for flag, values := range map[string][]string{"explain": ruleIDs(), "disable": ruleIDs(), "fail-on": {"error", "warning", "info"}} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

func ruleIDs() []string {
	var out []string
	for _, rule := range lint.Rules() {
		out = append(out, rule.ID)
	}
	return out
}

func (l *linter) run(dirs []string) error {
	if err := l.check(dirs); err != nil {
		return err
	}
	switch {
	case l.explain != "":
		return l.printRule()
	case l.rules:
		return l.printRules()
	}
	options := lint.Options{Disabled: l.disabled}
	if l.from != "" {
		older, err := directory(l.from)
		if err != nil {
			return err
		}
		options.Older = older
	}
	answer := report{Packages: []linted{}}
	for _, dir := range dirs {
		fsys, err := directory(dir)
		if err != nil {
			return err
		}
		found := linted{Directory: dir, Findings: lint.Check(fsys, options)}
		if found.Findings == nil {
			found.Findings = []lint.Finding{}
		}
		answer.Packages = append(answer.Packages, found)
		answer.Summary.count(found.Findings)
	}
	if err := l.print(&answer); err != nil {
		return err
	}
	return l.verdict(&answer)
}

// check refuses flags that mean nothing.
func (l *linter) check(dirs []string) error {
	if !slices.Contains(lint.Severities(), lint.Severity(l.failOn)) {
		return command.Misuse("--fail-on %s is not known: use error, warning or info", l.failOn)
	}
	if l.from != "" && len(dirs) > 1 {
		return command.Misuse("--from compares one package with an older version of it: name one directory")
	}
	for _, id := range l.disabled {
		if _, known := lint.Find(id); !known {
			return command.Misuse("--disable: there is no rule %s; --rules lists them", id)
		}
	}
	return nil
}

// directory opens that of a package.
func directory(dir string) (fs.FS, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the package: %w", err)
	}
	if !info.IsDir() {
		return nil, command.Misuse("%s is a file: name the directory that holds framework.yaml", dir)
	}
	return os.DirFS(dir), nil
}

func (s *summary) count(findings []lint.Finding) {
	for _, f := range findings {
		switch f.Severity {
		case lint.Error:
			s.Errors++
		case lint.Warning:
			s.Warnings++
		default:
			s.Infos++
		}
	}
}

func (l *linter) verdict(answer *report) error {
	for _, p := range answer.Packages {
		for _, f := range p.Findings {
			if f.Severity.AtLeast(lint.Severity(l.failOn)) {
				return command.ErrFindings
			}
		}
	}
	return nil
}

func (l *linter) print(answer *report) error {
	if l.output.Is("sarif") {
		return l.printSarif(answer)
	}
	return l.output.Print(l.env, answer, func() error {
		for _, p := range answer.Packages {
			for _, f := range p.Findings {
				l.printFinding(p.Directory, &f)
			}
		}
		s := answer.Summary
		l.env.Printf("%s, %s, %s in %s\n", plural(s.Errors, "error"), plural(s.Warnings, "warning"), plural(s.Infos, "info"), plural(len(answer.Packages), "package"))
		return nil
	})
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func (l *linter) printFinding(dir string, f *lint.Finding) {
	where := filepath.Join(dir, f.File)
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", where, f.Line)
	}
	l.env.Printf("%s: %s %s: %s\n", where, l.colour(f.Severity, string(f.Severity)), f.ID, f.Message)
	l.env.Printf("    fix: %s\n", f.Fix)
}

// colour paints a text by its severity, on a terminal that wants it.
func (l *linter) colour(s lint.Severity, text string) string {
	if !l.env.Terminal || os.Getenv("NO_COLOR") != "" {
		return text
	}
	code := map[lint.Severity]string{lint.Error: "31", lint.Warning: "33", lint.Info: "36"}[s]
	return "\x1b[1;" + code + "m" + text + "\x1b[0m"
}

func (l *linter) printRule() error {
	rule, known := lint.Find(strings.ToUpper(l.explain))
	if !known {
		return command.Misuse("there is no rule %s; --rules lists them", l.explain)
	}
	return l.output.Print(l.env, rule, func() error {
		l.env.Printf("%s: %s\n\nSeverity: %s\nFamily:   %s\n\n%s\n\nFix: %s.\n", rule.ID, rule.Title, l.colour(rule.Severity, string(rule.Severity)), rule.Family, rule.Why, rule.Fix)
		return nil
	})
}

func (l *linter) printRules() error {
	all := lint.Rules()
	return l.output.Print(l.env, all, func() error {
		for _, rule := range all {
			l.env.Printf("%s  %-7s  %-12s  %s\n", rule.ID, rule.Severity, rule.Family, rule.Title)
		}
		return nil
	})
}
