// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lint looks at a package as an experienced reviewer would. It finds what the
// validators refuse, with file and line, and what they accept although it will hurt: unsafe
// pods, plans that leave something out, versions that no Instance can come to.
//
// Each rule has an id that never changes its meaning. All rules stand in one table, a file for
// each family. The package is pure but for the fs.FS that it reads.
package lint

import (
	"cmp"
	"io/fs"
	"slices"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	// Error does not work, or loses data or security.
	Error Severity = "error"
	// Warning works until something happens.
	Warning Severity = "warning"
	// Info is what a careful author would do as well.
	Info Severity = "info"
)

// severities, worst first.
var severities = []Severity{Error, Warning, Info}

// Severities lists the severities, worst first.
func Severities() []Severity { return slices.Clone(severities) }

// AtLeast says whether a severity is as bad as another, or worse.
func (s Severity) AtLeast(other Severity) bool {
	return slices.Index(severities, s) <= slices.Index(severities, other)
}

// Rule is something that a package should do or leave.
type Rule struct {
	// ID names the rule for good.
	ID string `json:"id"`
	// Family is the part of a package that it is about.
	Family   string   `json:"family"`
	Severity Severity `json:"severity"`
	// Title is what a finding is, in a few words.
	Title string `json:"title"`
	// Why says what happens otherwise.
	Why string `json:"why"`
	// Fix says what to do.
	Fix string `json:"fix"`

	check func(*subject, *reporter)
	// firm rules say what admission refuses, so nobody can take their findings back.
	firm bool
	// compiled rules look at what a version that compiles renders.
	compiled bool
	// older rules compare with an older version.
	older bool
}

// Finding is one place where a package does not follow a rule.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	// File is the path in the package.
	File string `json:"file"`
	// Line is counted from 1; 0 where the finding is about the whole file.
	Line    int    `json:"line"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// Options say how a package is checked.
type Options struct {
	// Older is the package of an older version to compare with, if any.
	Older fs.FS
	// Disabled are ids of rules that are left out.
	Disabled []string
}

// Rules lists all rules, by id.
func Rules() []Rule {
	all := slices.Concat(packageRules, parameterRules, templateRules, kindRules, nameRules, planRules, hazardRules,
		podRules, securityRules, networkRules, availabilityRules, authorityRules, upgradeRules)
	for i := range all {
		all[i].firm = slices.Contains(firm, all[i].ID)
	}
	slices.SortFunc(all, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Check lints the package at the root of a file system. The same files give the same findings,
// sorted by place.
func Check(fsys fs.FS, options Options) []Finding {
	s := open(fsys)
	if options.Older != nil {
		s.old = open(options.Older)
	}
	r := &reporter{subject: s}
	ran := map[string]bool{}
	for _, rule := range Rules() {
		if !applies(&rule, s) {
			continue
		}
		ran[rule.ID] = true
		r.rule = &rule
		rule.check(s, r)
	}
	findings := suppress(s, r.findings, ran)
	findings = slices.DeleteFunc(findings, func(f Finding) bool { return slices.Contains(options.Disabled, f.ID) })
	return sorted(findings)
}

// applies says whether a rule has what it looks at.
func applies(rule *Rule, s *subject) bool {
	switch {
	case s.pkg == nil:
		return rule.ID == unreadable
	case rule.older:
		return s.old != nil && (rule.ID == incomparable || s.old.pkg != nil && (!rule.compiled || s.version != nil && s.old.version != nil))
	}
	return !rule.compiled || s.version != nil
}

// sorted orders findings by place and drops what is said twice.
func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(findings, func(a, b Finding) bool {
		return a.ID == b.ID && a.File == b.File && a.Line == b.Line && a.Message == b.Message
	})
}
