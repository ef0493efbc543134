// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"slices"
	"strings"
)

// Comments that switch a rule off for the line that they stand on or above, such as
//
//	# kudo:ignore KUDO101 the sidecar ends with the pod
var (
	ignoreComment = regexp.MustCompile(`(?:#|/\*).*?kudo:ignore\b[ \t]*((?:KUDO\d{3})(?:[ \t]*,[ \t]*KUDO\d{3})*)?[ \t]*(.*)$`)
	commentLine   = regexp.MustCompile(`^\s*(#|\{\{-?\s*/\*.*\*/\s*-?\}\})`)
	commentEnd    = regexp.MustCompile(`\s*\*/\s*-?\}\}.*$`)
)

// suppression is such a comment.
type suppression struct {
	at     place
	ids    []string
	reason string
	// from and to are the lines whose findings it covers.
	from, to int
	used     bool
}

// suppress drops the findings that comments take back, and adds what is wrong with these.
func suppress(s *subject, findings []Finding, ran map[string]bool) []Finding {
	all := suppressions(s)
	findings = slices.DeleteFunc(findings, func(f Finding) bool {
		for _, x := range all {
			if rule, _ := Find(f.ID); !rule.firm && x.at.file == f.File && slices.Contains(x.ids, f.ID) && x.from <= max(f.Line, 1) && max(f.Line, 1) <= x.to {
				x.used = true
				return true
			}
		}
		return false
	})
	r := &reporter{subject: s}
	for _, x := range all {
		report := func(id, format string, args ...any) {
			rule, _ := Find(id)
			r.rule = &rule
			r.at(x.at, format, args...)
		}
		unknown := slices.IndexFunc(x.ids, func(id string) bool { _, known := Find(id); return !known })
		switch {
		case len(x.ids) == 0:
			report(suppressesNothing, "the comment names no rule")
		case unknown >= 0:
			report(suppressesNothing, "there is no rule %s", x.ids[unknown])
		case slices.ContainsFunc(x.ids, func(id string) bool { return slices.Contains(firm, id) }):
			report(suppressesNothing, "findings of %s can not be taken back", strings.Join(x.ids, " or "))
		case !x.used && slices.ContainsFunc(x.ids, func(id string) bool { return ran[id] }):
			report(suppressesNothing, "%s finds nothing here", strings.Join(x.ids, " or "))
		}
		if x.reason == "" {
			report(suppressesSilently, "the comment gives no reason")
		}
	}
	return append(findings, r.findings...)
}

func suppressions(s *subject) []*suppression {
	if s.source == nil {
		return nil
	}
	var out []*suppression
	for _, name := range s.source.Names() {
		if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".tpl") {
			continue
		}
		lines := strings.Split(s.source.Text(name), "\n")
		for i, line := range lines {
			m := ignoreComment.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			x := &suppression{at: place{name, i + 1}, reason: strings.TrimSpace(commentEnd.ReplaceAllString(m[2], "")), from: i + 1, to: i + 1}
			if m[1] != "" {
				for id := range strings.SplitSeq(m[1], ",") {
					x.ids = append(x.ids, strings.TrimSpace(id))
				}
			}
			// A comment of its own speaks about the line below all comments around it.
			for x.to <= len(lines) && commentLine.MatchString(lines[x.to-1]) {
				x.to++
			}
			out = append(out, x)
		}
	}
	return out
}

// Find gives a rule by its id.
func Find(id string) (Rule, bool) {
	all := Rules()
	i := slices.IndexFunc(all, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return all[i], true
}
