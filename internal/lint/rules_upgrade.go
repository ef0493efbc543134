// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
)

// incomparable is the rule about an older version that is not valid itself.
const incomparable = "KUDO170"

var upgradeRules = []Rule{
	{ID: incomparable, Family: "upgrades", Severity: Error, Title: "the older version can not be compared with", check: invalidOlder, older: true,
		Why: "It can not be read or does not compile, so nothing is known about what Instances of it run.",
		Fix: "lint the older version first"},
	{ID: "KUDO171", Family: "upgrades", Severity: Error, Title: "the version is not newer", check: notNewer, older: true,
		Why: "Sealed versions are told apart by version.version; a change under the same number is refused.",
		Fix: "raise version.version"},
	{ID: "KUDO172", Family: "upgrades", Severity: Error, Title: "the framework or its kind has another name", check: otherFramework, older: true,
		Why: "Kind, plural and singular can not change, because objects exist under them; another framework is no upgrade.",
		Fix: "keep framework.name and framework.names"},
	{ID: "KUDO173", Family: "upgrades", Severity: Error, Title: "Instances of the older version can not come to this one", check: notUpgradable, compiled: true, older: true,
		Why: "Admission refuses the change of spec.version.",
		Fix: "add the older version to upgradableFrom, or name another one in --from"},
	{ID: "KUDO174", Family: "upgrades", Severity: Error, Title: "a new parameter is required", check: newlyRequired, older: true,
		Why: "No Instance of the older version has a value for it, so none can be upgraded without one.",
		Fix: "give it a default"},
	{ID: "KUDO175", Family: "upgrades", Severity: Warning, Title: "a parameter is gone", check: goneParameter, older: true,
		Why: "An Instance that sets it is refused the new version until the value is removed from its spec.",
		Fix: "keep it, and say in its description that it does nothing any more"},
	{ID: "KUDO176", Family: "upgrades", Severity: Error, Title: "a parameter has another type", check: otherType, older: true,
		Why: "One kind serves all versions, so this one is Valid=False with SchemaConflict.",
		Fix: "give the parameter another name"},
	{ID: "KUDO177", Family: "upgrades", Severity: Warning, Title: "a parameter takes less than before", check: narrowed, older: true,
		Why: "An Instance whose value was valid is refused the new version.",
		Fix: "accept what was accepted, or name the change in version.description"},
	{ID: "KUDO178", Family: "upgrades", Severity: Info, Title: "a default is another one", check: otherDefault, older: true,
		Why: "Defaults are not stored in Instances: each one that does not set the parameter changes with the upgrade.",
		Fix: "keep the default, or say what changes in version.description"},
	{ID: "KUDO179", Family: "upgrades", Severity: Error, Title: "a field that can not change is another one", check: immutableHazard, compiled: true, older: true,
		Why: "The API server refuses it, and every upgrade stalls in its middle.",
		Fix: "keep the field, or set onImmutable of the apply task and read what that does to the pods"},
	{ID: "KUDO180", Family: "upgrades", Severity: Warning, Title: "an object is gone", check: vanished, compiled: true, older: true,
		Why: "The upgrade prunes what no template renders any more; data stays behind without an owner.",
		Fix: "keep rendering it, or say that it goes in version.description"},
	{ID: "KUDO181", Family: "upgrades", Severity: Info, Title: "a plan is gone", check: gonePlan, older: true,
		Why: "People and schedules that run it by its name get an error.",
		Fix: "keep it, or say that it is gone in version.description"},
	{ID: "KUDO182", Family: "upgrades", Severity: Warning, Title: "every lower version may be upgraded", check: openPath, older: true,
		Why: "An empty upgradableFrom allows every lower version, also those that nobody tried.",
		Fix: "list in upgradableFrom what was tested, such as ~1.2.0"},
	{ID: "KUDO183", Family: "upgrades", Severity: Warning, Title: "an upgrade path includes downgrades", check: downgrade,
		Why: "The constraint also matches higher versions, whose data the software may not read.",
		Fix: "add an upper bound: \">=1.2.0 <1.4.0\" instead of \">=1.2.0\""},
	{ID: "KUDO184", Family: "upgrades", Severity: Warning, Title: "an upgrade path skips major versions", check: skipsMajor,
		Why: "Most software with data upgrades one major version at a time.",
		Fix: "narrow the constraint to the last minor versions of the major before"},
	{ID: "KUDO185", Family: "upgrades", Severity: Warning, Title: "a parameter can no longer change", check: newlyImmutable, older: true,
		Why: "Instances could set it, and people who did can not any more.",
		Fix: "keep it mutable, or name the change in version.description"},
	{ID: "KUDO186", Family: "upgrades", Severity: Info, Title: "the framework is described differently", check: otherWords, older: true,
		Why: "Both packages hold the one Framework, and the package that is applied last wins: an old package that is applied again takes the change back.",
		Fix: "bring the part framework of the older package up to date too"},
}

func invalidOlder(s *subject, r *reporter) {
	switch {
	case s.old.pkg == nil:
		for _, p := range s.old.problems[unreadable] {
			r.field("version.version", "the older package can not be read: %s: %s", p.at.file, p.message)
		}
	case s.old.version == nil:
		r.field("version.version", "version %s does not compile", s.old.spec.Version)
	}
}

func versions(s *subject) (now, before *semver.Version) {
	now, errNow := semver.NewVersion(s.spec.Version)
	if s.old == nil || s.old.pkg == nil {
		return now, nil
	}
	before, errBefore := semver.NewVersion(s.old.spec.Version)
	if errNow != nil || errBefore != nil {
		return now, nil
	}
	return now, before
}

func notNewer(s *subject, r *reporter) {
	if now, before := versions(s); now != nil && before != nil && !now.GreaterThan(before) {
		r.field("version.version", "%s is not newer than %s", s.spec.Version, s.old.spec.Version)
	}
}

func otherFramework(s *subject, r *reporter) {
	if now, before := s.pkg.Framework.Name, s.old.pkg.Framework.Name; now != before {
		r.field("framework.name", "the framework was called %s", before)
		return
	}
	now, before := crdgen.Names(s.pkg.Framework), crdgen.Names(s.old.pkg.Framework)
	for _, n := range []struct{ field, now, before string }{
		{"kind", now.Kind, before.Kind}, {"plural", now.Plural, before.Plural}, {"singular", now.Singular, before.Singular},
	} {
		if n.now != n.before {
			r.field("framework.names."+n.field, "%s was %s", n.field, n.before)
		}
	}
}

func otherWords(s *subject, r *reporter) {
	if s.pkg.Framework.Name == s.old.pkg.Framework.Name && !same(s.pkg.Framework.Spec, s.old.pkg.Framework.Spec) {
		r.field("framework", "the part framework is not that of %s", s.old.spec.Version)
	}
}

func notUpgradable(s *subject, r *reporter) {
	if err := s.version.UpgradableFrom(s.old.spec.Version); err != nil {
		r.field("version.upgradableFrom", "%v", err)
	}
}

// kept calls a function for the parameters that both versions have.
func kept(s *subject, do func(now, before *v1alpha1.Parameter)) {
	for i := range s.spec.Parameters {
		if before := s.old.parameter(s.spec.Parameters[i].Name); before != nil {
			do(&s.spec.Parameters[i], before)
		}
	}
}

func newlyRequired(s *subject, r *reporter) {
	for i := range s.spec.Parameters {
		p := &s.spec.Parameters[i]
		before := s.old.parameter(p.Name)
		if p.Required && (before == nil || !before.Required) {
			r.field("version.parameters["+p.Name+"].required", "parameter %s was not required in %s", p.Name, s.old.spec.Version)
		}
	}
}

func goneParameter(s *subject, r *reporter) {
	for _, p := range s.old.spec.Parameters {
		if s.parameter(p.Name) == nil {
			r.field("version.parameters", "the parameter %s of %s is gone", p.Name, s.old.spec.Version)
		}
	}
}

// inOrder are both versions as the generated kind would take them, the older one first.
func inOrder(s *subject) []*v1alpha1.FrameworkVersion {
	before, now := s.old.pkg.Version.DeepCopy(), s.pkg.Version.DeepCopy()
	before.Name, now.Name = "a", "b"
	return []*v1alpha1.FrameworkVersion{before, now}
}

func otherType(s *subject, r *reporter) {
	err := crdgen.Conflicts(inOrder(s))["b"]
	if err == nil {
		return
	}
	path := "version.parameters"
	if i := slices.IndexFunc(s.spec.Parameters, func(p v1alpha1.Parameter) bool {
		return strings.Contains(err.Error(), "parameter "+p.Name+" ")
	}); i >= 0 {
		path += "[" + s.spec.Parameters[i].Name + "]"
	}
	r.field(path, "%v", err)
}

func otherDefault(s *subject, r *reporter) {
	kept(s, func(now, before *v1alpha1.Parameter) {
		if !same(now.Default, before.Default) {
			r.field("version.parameters["+now.Name+"].default", "the default of %s was %s", now.Name, shown(before.Default))
		}
	})
}

const maxShown = 60

func shown(v *apiextensionsv1.JSON) string {
	if v == nil {
		return "none"
	}
	if text := string(v.Raw); len(text) <= maxShown {
		return text
	}
	return "another one"
}

func newlyImmutable(s *subject, r *reporter) {
	kept(s, func(now, before *v1alpha1.Parameter) {
		if now.Immutable && !before.Immutable {
			r.field("version.parameters["+now.Name+"].immutable", "parameter %s could change in %s", now.Name, s.old.spec.Version)
		}
	})
}

func immutableHazard(s *subject, r *reporter) {
	if len(s.renderings) == 0 || len(s.old.renderings) == 0 {
		return
	}
	pairs(s.renderings[0].objects, s.old.renderings[0].objects, byName, func(now, before *object) {
		for _, path := range changedFields(now, before) {
			if !s.tolerates(now) {
				r.object(now, path, "%s is not what it was in %s", strings.Join(path, "."), s.old.spec.Version)
			}
		}
	})
}

func vanished(s *subject, r *reporter) {
	if len(s.renderings) == 0 || len(s.old.renderings) == 0 {
		return
	}
	have := map[string]bool{}
	for _, rendering := range s.renderings {
		for _, o := range applied(rendering.objects) {
			have[byName(o)] = true
		}
	}
	for _, o := range applied(s.old.renderings[0].objects) {
		if !have[byName(o)] {
			have[byName(o)] = true
			r.field("version.tasks", "nothing renders %s of %s any more", o.title(), s.old.spec.Version)
		}
	}
}

func gonePlan(s *subject, r *reporter) {
	for _, p := range s.old.spec.Plans {
		if s.plan(p.Name) == nil {
			r.field("version.plans", "the plan %s of %s is gone", p.Name, s.old.spec.Version)
		}
	}
}

func openPath(s *subject, r *reporter) {
	if len(s.spec.UpgradableFrom) == 0 {
		r.field("version.version", "upgradableFrom is empty")
	}
}

// constraints calls a function for each entry of upgradableFrom.
func constraints(s *subject, do func(text, path string, c *semver.Constraints, now *semver.Version)) {
	now, err := semver.NewVersion(s.spec.Version)
	if err != nil {
		return
	}
	for i, text := range s.spec.UpgradableFrom {
		if c, err := semver.NewConstraint(text); err == nil {
			do(text, "version.upgradableFrom["+strconv.Itoa(i)+"]", c, now)
		}
	}
}

func downgrade(s *subject, r *reporter) {
	constraints(s, func(text, path string, c *semver.Constraints, now *semver.Version) {
		higher := semver.New(now.Major()+7, 0, 0, "", "")
		if c.Check(higher) {
			r.field(path, "%q matches %s too", text, higher)
		}
	})
}

func skipsMajor(s *subject, r *reporter) {
	constraints(s, func(text, path string, c *semver.Constraints, now *semver.Version) {
		for major := uint64(0); major+1 < now.Major() && major < 100; major++ {
			for _, minor := range []uint64{0, 1, 9, 99} {
				if from := semver.New(major, minor, 1, "", ""); c.Check(from) {
					r.field(path, "%q matches %s too", text, from)
					return
				}
			}
		}
	})
}
