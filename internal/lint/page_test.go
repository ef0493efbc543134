// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/golden"
)

const page = "../../docs/spec/lint.md"

const intro = `# Rules of lint

<!-- Generated from internal/lint by go test ./internal/lint -update. Do not edit. -->

` + "`kubectl kudo lint DIR...`" + ` looks at packages without a cluster. It finds what admission refuses, with file and line, and what admission accepts although it will hurt. It renders every task with the defaults, the least, the greatest and further values of the parameters, for an Instance with the longest allowed name, and holds the objects to the types of Kubernetes.

| flag | meaning |
|---|---|
| ` + "`--explain KUDO056`" + ` | says why a rule exists and what to do |
| ` + "`--rules`" + ` | lists the rules |
| ` + "`--from DIR`" + ` | compares with the package of an older version: the family *upgrades* |
| ` + "`--fail-on error`" + ` | the least severity that makes the exit code 1: error, warning or info |
| ` + "`--disable ID,...`" + ` | leaves rules out |
| ` + "`-o json`, `yaml`, `sarif`" + ` | forms of the answer beside text |

The exit code is 0, 1 if there are such findings or the package is not there, and 2 for a wrong use. An *error* does not work, or loses data or security; a *warning* works until something happens; an *info* is what a careful author would do as well.

The answer as JSON has ` + "`packages`" + `, each with ` + "`directory`" + ` and ` + "`findings`" + ` (` + "`id`, `severity`, `file`, `line`, `message`, `fix`" + `; ` + "`line`" + ` is 0 where the finding is about the whole file), and ` + "`summary`" + ` with the numbers of ` + "`errors`, `warnings` and `infos`" + `. Findings are sorted by file, line and id. Ids never change their meaning.

A finding about an object is at the place of the field in the template, as far as the text of the template tells; else at the document or the file. A comment on the line of a finding, or above it, takes it back. It needs a reason, and a finding:

` + "```" + `
# kudo:ignore KUDO100 the sidecar serves nobody
{{- /* kudo:ignore KUDO057,KUDO158 made twice on purpose */}}
` + "```" + `
`

// TestPageIsUpToDate: the page is what people read instead of this code.
func TestPageIsUpToDate(t *testing.T) {
	var b strings.Builder
	b.WriteString(intro)
	family := ""
	for _, rule := range byFamily() {
		if rule.Family != family {
			family = rule.Family
			fmt.Fprintf(&b, "\n## %s\n\n| id | severity | finding | why | fix |\n|---|---|---|---|---|\n", strings.ToUpper(family[:1])+family[1:])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", rule.ID, rule.Severity, cell(rule.Title), cell(rule.Why), cell(rule.Fix))
	}
	golden.Compare(t, page, b.String())
}

// TestDefinitionsAreUpToDate: a schema of yesterday refuses what is right today.
func TestDefinitionsAreUpToDate(t *testing.T) {
	for name, have := range map[string][]byte{"kudo.dev_frameworks.yaml": frameworkCRD, "kudo.dev_frameworkversions.yaml": versionCRD} {
		want, err := os.ReadFile("../../config/crd/bases/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, have) {
			t.Errorf("the copy of config/crd/bases/%s in internal/lint is not up to date; run make manifests", name)
		}
	}
}

func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "{{", "`{{", "}}", "}}`").Replace(text)
}

// byFamily keeps families together, in the order of their first ids.
func byFamily() []Rule {
	all := Rules()
	var out []Rule
	done := map[string]bool{}
	for _, first := range all {
		if done[first.Family] {
			continue
		}
		done[first.Family] = true
		for _, rule := range all {
			if rule.Family == first.Family {
				out = append(out, rule)
			}
		}
	}
	return out
}
