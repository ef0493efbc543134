// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package packtest runs the tests of a package: files below tests/ that say what a plan
// must do with given parameters. It asks the engine and the renderer of the manager.
package packtest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/graph"
)

// Dir is where the tests of a package are.
const Dir = "tests"

const (
	maxFile  = 256 << 10
	maxTests = 500
)

// Case is a test.
type Case struct {
	// File in the package; its name tells tests apart.
	File string `json:"-"`
	// Description says what is protected.
	Description string `json:"description,omitempty"`
	// Plan that runs; empty is the one that follows from old and parameters.
	Plan string `json:"plan,omitempty"`
	// Parameters that the Instance sets.
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Old is what ran before; nothing, where it is missing.
	Old *Old `json:"old,omitempty"`
	// Expect is what must come out.
	Expect Expect `json:"expect"`
}

// Old is what ran before, of the same version.
type Old struct {
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
}

// Expect is what a test demands. What is not named is not looked at.
type Expect struct {
	// Plan that runs.
	Plan string `json:"plan,omitempty"`
	// Steps that run, all of them in their order.
	Steps []string `json:"steps,omitempty"`
	// Skipped parts of the plan, among others.
	Skipped []string `json:"skipped,omitempty"`
	// Objects that are applied or started, among others: each lists what it must hold.
	Objects []map[string]any `json:"objects,omitempty"`
	// Absent objects are not applied or started: none may hold all of this.
	Absent []map[string]any `json:"absent,omitempty"`
	// Error are words of the error with which the parameters or the plan must be refused.
	Error string `json:"error,omitempty"`
}

// Load reads the tests of a package, in the order of their names, and every mistake in them.
func Load(fsys fs.FS) ([]Case, error) {
	entries, err := fs.ReadDir(fsys, Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the tests: %w", err)
	}
	if len(entries) > maxTests {
		return nil, fmt.Errorf("there are %d files in %s, more than %d", len(entries), Dir, maxTests)
	}
	var out []Case
	var errs []error
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".yaml" {
			continue
		}
		c, err := read(fsys, path.Join(Dir, e.Name()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, *c)
	}
	return out, errors.Join(errs...)
}

func read(fsys fs.FS, file string) (*Case, error) {
	info, err := fs.Stat(fsys, file)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("has %d bytes, more than %d", info.Size(), maxFile)
	}
	var raw []byte
	if err == nil {
		raw, err = fs.ReadFile(fsys, file)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	c := &Case{File: file}
	if err := yaml.UnmarshalStrict(raw, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if e := c.Expect; e.Plan == "" && e.Error == "" && len(e.Steps)+len(e.Skipped)+len(e.Objects)+len(e.Absent) == 0 {
		return nil, fmt.Errorf("%s: expect is empty: a test that demands nothing can not fail", file)
	}
	return c, nil
}

// Run runs a test and returns what is not as it demands; nothing if it passes.
func (c *Case) Run(version *graph.Version) []string {
	f, err := c.forecast(version)
	switch {
	case err != nil && c.Expect.Error == "":
		return []string{"unexpected error: " + err.Error()}
	case err != nil && !strings.Contains(err.Error(), c.Expect.Error):
		return []string{fmt.Sprintf("expect.error: %q is not in: %v", c.Expect.Error, err)}
	case err != nil:
		return nil
	case c.Expect.Error != "":
		return []string{fmt.Sprintf("expect.error: nothing was refused; want %q", c.Expect.Error)}
	}
	return slices.Concat(c.plan(f), c.objects(f))
}

// Record makes the test demand what happens now: the plan, its steps and its objects by name.
func (c *Case) Record(version *graph.Version) error {
	f, err := c.forecast(version)
	if err != nil {
		return err
	}
	c.Expect = Expect{Plan: f.Plan, Steps: steps(f)}
	for _, t := range f.Tasks {
		if t.Kind != engine.TaskApply && t.Kind != engine.TaskJob {
			continue
		}
		for _, o := range t.Objects {
			c.Expect.Objects = append(c.Expect.Objects, map[string]any{
				"kind": o.Object.GetKind(), "metadata": map[string]any{"name": o.Object.GetName()},
			})
		}
	}
	return nil
}

func (c *Case) forecast(version *graph.Version) (*forecast.Forecast, error) {
	now, err := forecast.Resolve(version, c.Parameters)
	if err != nil {
		return nil, err //nolint:wrapcheck // shown as it is
	}
	var old *forecast.Side
	if c.Old != nil {
		if old, err = forecast.Resolve(version, c.Old.Parameters); err != nil {
			return nil, fmt.Errorf("old: %w", err)
		}
		if errs := version.Params.ValidateChange(old.Params, now.Params, nil); len(errs) > 0 {
			return nil, errs.ToAggregate()
		}
		if errs := version.Validate(now.Params, old.Params, nil); len(errs) > 0 {
			return nil, errs.ToAggregate()
		}
	}
	const name, namespace = "example", "default"
	return forecast.Of(forecast.Between(old, now, c.Plan, graph.Identity{Name: name, Namespace: namespace})) //nolint:wrapcheck // shown as it is
}

// plan compares what runs.
func (c *Case) plan(f *forecast.Forecast) []string {
	var wrong []string
	if c.Expect.Plan != "" && c.Expect.Plan != f.Plan {
		wrong = append(wrong, fmt.Sprintf("expect.plan: plan %s runs, not %s", f.Plan, c.Expect.Plan))
	}
	if run := steps(f); len(c.Expect.Steps) > 0 && !slices.Equal(c.Expect.Steps, run) {
		wrong = append(wrong, fmt.Sprintf("expect.steps: these run: %s", strings.Join(run, ", ")))
	}
	for _, s := range c.Expect.Skipped {
		if !slices.ContainsFunc(f.Skipped, func(x forecast.Skipped) bool { return x.Path == s }) {
			wrong = append(wrong, fmt.Sprintf("expect.skipped: %s is not skipped", s))
		}
	}
	return wrong
}

// steps are those that run, in the order in which they start.
func steps(f *forecast.Forecast) []string {
	var out []string
	for _, t := range f.Tasks {
		if len(out) == 0 || out[len(out)-1] != t.Step {
			out = append(out, t.Step)
		}
	}
	return out
}
