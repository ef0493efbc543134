// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"kudo.dev/kudo/internal/lint"
)

// The parts of SARIF 2.1.0, the format in which code hosts take findings, that lint fills in.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

func (l *linter) printSarif(answer *report) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "kubectl kudo lint"}}, Results: []sarifResult{}}
	for _, rule := range lint.Rules() {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, Short: sarifText{rule.Title}, Full: sarifText{rule.Why}, Help: sarifText{rule.Fix},
		})
	}
	for _, p := range answer.Packages {
		for _, f := range p.Findings {
			run.Results = append(run.Results, sarifOf(p.Directory, &f))
		}
	}
	enc := json.NewEncoder(l.env.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	return nil
}

func sarifOf(dir string, f *lint.Finding) sarifResult {
	level := string(f.Severity)
	if f.Severity == lint.Info {
		level = "note"
	}
	where := sarifPhysical{Artifact: sarifArtifact{filepath.ToSlash(filepath.Join(dir, f.File))}}
	if f.Line > 0 {
		where.Region = &sarifRegion{f.Line}
	}
	return sarifResult{RuleID: f.ID, Level: level, Message: sarifText{f.Message + "; " + f.Fix}, Locations: []sarifLocation{{where}}}
}
