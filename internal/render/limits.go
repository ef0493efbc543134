// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

// Limits bound what one Render may use.
type Limits struct {
	// Steps is how many nodes of templates may be executed.
	Steps int
	// Work is how many bytes templates and functions may read and write.
	Work int
	// Output is the size of the rendered text in bytes.
	Output int
	// Depth is how deeply templates may include each other.
	Depth int
	// Objects is how many objects one Render may give.
	Objects int
	// Nodes is how many YAML nodes the output may hold, aliases expanded.
	Nodes int
}

// DefaultLimits ends any template within about a second and 64 MiB.
func DefaultLimits() Limits {
	return Limits{Steps: 100_000, Work: 16 << 20, Output: 1 << 20, Depth: 100, Objects: 1000, Nodes: 200_000}
}

// Option changes how a Set is compiled.
type Option func(*Set)

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return func(s *Set) { s.limits = l } }

const (
	maxSourceBytes = 1 << 20
	maxBlockDepth  = 200
	maxParenDepth  = 200
)
