// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/params"
)

// packageRules are about the package as a whole and about the framework. What suppresses a
// finding is checked last, by suppress.
var packageRules = []Rule{
	{ID: unreadable, Family: "package", Severity: Error, Title: "the package can not be read", check: refused,
		Why: "A file is missing, misnamed or too large, or holds a field that does not exist or a value of the wrong type. Nothing else can be checked before it is read.",
		Fix: "correct the place that the message names"},
	{ID: frameworkRefused, Family: "package", Severity: Error, Title: "the framework is not valid", check: refused,
		Why: "Admission refuses the Framework, so the package can not be installed.",
		Fix: "correct the field that the message names"},
	{ID: versionRefused, Family: "package", Severity: Error, Title: "the version is not valid", check: refused,
		Why: "Admission refuses the FrameworkVersion, or it is never Valid.",
		Fix: "correct the field that the message names"},
	{ID: unsupported, Family: "package", Severity: Error, Title: "a field is not yet supported", check: refused,
		Why: "The API has the field, but this version of Kudo does not act on it. It is refused and not ignored, so that nobody relies on it.",
		Fix: "leave the field out"},
	{ID: "KUDO005", Family: "package", Severity: Warning, Title: "the framework does not say what it is", check: undescribedFramework,
		Why: "People choose from a catalogue by displayName and description; without them they see a name only.",
		Fix: "set framework.displayName and framework.description"},
	{ID: "KUDO006", Family: "package", Severity: Info, Title: "nobody is named as maintainer", check: noMaintainer,
		Why: "Whoever runs the software must know whom to ask and where it comes from.",
		Fix: "set framework.maintainers and framework.url"},
	{ID: "KUDO007", Family: "package", Severity: Info, Title: "there is no README.md", check: noReadme,
		Why: "The README is what people read before they deploy.",
		Fix: "write README.md beside framework.yaml"},
	{ID: "KUDO008", Family: "package", Severity: Warning, Title: "the version is open for changes", check: development,
		Why: "A development version is not sealed: every edit of it runs in every Instance of it at once.",
		Fix: "leave version.development out before you publish"},
	{ID: suppressesSilently, Family: "package", Severity: Warning, Title: "a suppression gives no reason", check: bySuppress,
		Why: "The next reader can not tell whether the finding was understood or was in the way.",
		Fix: "write the reason after the id: # kudo:ignore KUDO101 the sidecar ends with the pod"},
	{ID: suppressesNothing, Family: "package", Severity: Warning, Title: "a suppression has nothing to suppress", check: bySuppress,
		Why: "A comment that no longer matches a finding would hide the next one.",
		Fix: "remove the comment, or move it to the line of the finding or above it"},
	{ID: "KUDO011", Family: "package", Severity: Info, Title: "there are no tests", check: noTests,
		Why: "A package without tests breaks unseen with its next change.",
		Fix: "add a test below tests/"},
	{ID: "KUDO012", Family: "package", Severity: Info, Title: "the version says nothing about itself", check: undescribedVersion,
		Why: "People choose between versions by what is new in them.",
		Fix: "set version.description"},
	{ID: "KUDO013", Family: "package", Severity: Error, Title: "no typed kind can be made", check: noKind,
		Why: "The Framework is never Established: its kind, its scale subresource or its schema can not be made.",
		Fix: "correct framework.names, framework.replicasParameter or the parameter that the message names"},
	{ID: "KUDO014", Family: "package", Severity: Warning, Title: "a printer column shows a parameter that does not exist", check: emptyColumn,
		Why: "The column stays empty for ever.",
		Fix: "correct the name after .spec.parameters"},
	{ID: "KUDO015", Family: "package", Severity: Warning, Title: "an observation is read by nothing", check: unusedObservation,
		Why: "It asks for rights and watches that nothing needs.",
		Fix: "remove it from version.observe"},
	{ID: "KUDO016", Family: "package", Severity: Info, Title: "the version tells nothing to its users", check: noOutputs,
		Why: "Whoever uses the software needs its address; without outputs they have to guess it from names.",
		Fix: "add version.outputs, for example an endpoint"},
	{ID: outsideSchema, Family: "package", Severity: Error, Title: "a field has a value that the API does not take", check: outOfSchema,
		Why: "The API server holds Framework and FrameworkVersion to their schemas: lengths, patterns and words such as Serial and Parallel. It refuses the whole object.",
		Fix: "correct the value; docs/api lists what each field takes"},
}

// bySuppress is the check of rules whose findings suppress makes.
func bySuppress(*subject, *reporter) {}

func undescribedFramework(s *subject, r *reporter) {
	fw := s.pkg.Framework.Spec
	for _, missing := range []struct{ field, value string }{{"displayName", fw.DisplayName}, {"description", fw.Description}} {
		if strings.TrimSpace(missing.value) == "" {
			r.field("framework."+missing.field, "framework.%s is not set", missing.field)
		}
	}
}

func noMaintainer(s *subject, r *reporter) {
	if len(s.pkg.Framework.Spec.Maintainers) == 0 {
		r.field("framework.maintainers", "framework.maintainers is empty")
	}
	if s.pkg.Framework.Spec.URL == "" {
		r.field("framework.url", "framework.url is not set")
	}
}

func noReadme(s *subject, r *reporter) {
	if strings.TrimSpace(s.pkg.Readme) == "" {
		r.field("framework", "the package has no README.md, or an empty one")
	}
}

func development(s *subject, r *reporter) {
	if s.spec.Development {
		r.field("version.development", "version.development is true")
	}
}

func noTests(s *subject, r *reporter) {
	entries, err := fs.ReadDir(s.fsys, "tests")
	if err != nil || len(entries) == 0 {
		r.field("framework", "the directory tests is missing or empty")
	}
}

func undescribedVersion(s *subject, r *reporter) {
	if strings.TrimSpace(s.spec.Description) == "" {
		r.field("version.version", "version.description is not set")
	}
}

func noKind(s *subject, r *reporter) {
	if len(s.problems[frameworkRefused])+len(s.problems[parameterRefused]) > 0 {
		return
	}
	if _, err := crdgen.Build(s.pkg.Framework, []*v1alpha1.FrameworkVersion{s.pkg.Version}); err != nil {
		path := "framework.names"
		if strings.Contains(err.Error(), "replicasParameter") {
			path = "framework.replicasParameter"
		}
		r.field(path, "%v", err)
	}
}

var parameterPath = regexp.MustCompile(`^\.spec\.parameters\.([A-Za-z0-9_]+)`)

func emptyColumn(s *subject, r *reporter) {
	for i, c := range s.pkg.Framework.Spec.PrinterColumns {
		m := parameterPath.FindStringSubmatch(c.JSONPath)
		if len(m) > 1 && s.parameter(m[1]) == nil {
			r.field(fmt.Sprintf("framework.printerColumns[%d].jsonPath", i), "column %s reads the parameter %s, which does not exist%s", c.Name, m[1], params.Hint(m[1], s.parameterNames()))
		}
	}
}

func unusedObservation(s *subject, r *reporter) {
	read := map[string]bool{}
	for _, source := range s.expressions() {
		for _, word := range identifier.FindAllString(source.text, -1) {
			read[word] = true
		}
	}
	for _, o := range s.spec.Observe {
		needed := read[o.Name] || slices.ContainsFunc(s.spec.Observe, func(other v1alpha1.Observation) bool {
			return other.OwnedBy == o.Name || other.ClaimsOf == o.Name
		})
		if !needed {
			r.field("version.observe["+o.Name+"]", "no expression reads objects.%s", o.Name)
		}
	}
}

func noOutputs(s *subject, r *reporter) {
	if len(s.spec.Outputs) == 0 {
		r.field("version", "version.outputs is empty")
	}
}
