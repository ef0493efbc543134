// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package revision holds the two immutable records of an execution: its inputs,
// written before anything starts, and what it applied, written just before it
// ends. Both are stored as ControllerRevisions in the Instance's namespace.
package revision

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/params"
)

// MaxSize is the largest stored object: past it the API server answers an opaque 500.
const MaxSize = 900_000

// SizeError says that something is too large to be stored.
type SizeError struct {
	What string
	Size int
	Hint string
}

// Error names the sizes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%s take %d bytes, more than the %d that can be stored: %s", e.What, e.Size, MaxSize, e.Hint)
}

// Values are parameters whose numbers are int64, else uint64, else float64.
type Values map[string]any

// UnmarshalJSON keeps integers whole.
func (v *Values) UnmarshalJSON(raw []byte) error {
	decoded, err := params.Decode(raw)
	if err != nil {
		return fmt.Errorf("decoding values: %w", err)
	}
	if decoded == nil {
		*v = nil
		return nil
	}
	m, ok := decoded.(map[string]any)
	if !ok {
		return errors.New("decoding values: not an object")
	}
	*v = m
	return nil
}

// VersionName names a version as templates and expressions see it.
type VersionName struct {
	Name string `json:"name"`
	App  string `json:"app"`
}

// Inputs are everything that an execution renders from. A resumed execution reads
// them again, so that its output is equal byte for byte.
type Inputs struct {
	Framework        string      `json:"framework"`
	FrameworkVersion string      `json:"frameworkVersion"`
	Version          VersionName `json:"version"`
	// Name that templates see, where it is not the Instance's own: that of the typed object.
	Name string `json:"name,omitempty"`
	// Digest of the FrameworkVersion's spec.
	Digest string `json:"digest"`
	// Program is the compressed spec, unless the version is sealed and can be read again.
	Program []byte `json:"program,omitempty"`
	// Desired is the digest of all that the Instance wanted.
	Desired    string            `json:"desired"`
	Plan       string            `json:"plan"`
	Trigger    string            `json:"trigger,omitempty"`
	Generation int64             `json:"generation"`
	Account    string            `json:"account"`
	Labels     map[string]string `json:"labels,omitempty"`
	Params     Values            `json:"params"`
	// Old are the parameters of the last completed run; nil before the first.
	Old        Values       `json:"old"`
	OldVersion *VersionName `json:"oldVersion,omitempty"`
	// Changed names the parameters that differ from Old, or that a run touched since.
	Changed []string `json:"changed,omitempty"`
	// Previous names the applied revision that this run starts from.
	Previous string `json:"previous,omitempty"`
	// Base are the revisions of the last completed run: what undo and rollback go back to.
	Base *Base `json:"base,omitempty"`
	// Deployed says that the Instance is whole once this run succeeds: it is a deploy, or
	// one had completed before.
	Deployed bool `json:"deployed,omitempty"`
	// Against is, of a rollback and of a recovery, the digest of what the Instance wanted;
	// Desired is that of what runs.
	Against string `json:"against,omitempty"`
	// Tracked says that what pods consume is known: it stands in Contents.
	Tracked bool `json:"tracked,omitempty"`
	// Contents are the Secrets and ConfigMaps that pods of the Instance consume.
	Contents []Content `json:"contents,omitempty"`
}

// Wanted is the digest of what the Instance wanted when the run was pinned.
func (in *Inputs) Wanted() string {
	if in.Plan == v1alpha1.PlanRollback || engine.ForRecovery(in.Trigger) {
		return in.Against
	}
	return in.Desired
}

// Base names the revisions of a completed run.
type Base struct {
	Inputs  string `json:"inputs"`
	Applied string `json:"applied,omitempty"`
}

// Encode returns the JSON of the inputs.
func (in *Inputs) Encode() ([]byte, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encoding inputs: %w", err)
	}
	if len(raw) > MaxSize {
		return nil, &SizeError{What: "the inputs", Size: len(raw), Hint: "make the parameters smaller"}
	}
	return raw, nil
}

// DecodeInputs is the inverse of Encode.
func DecodeInputs(raw []byte) (*Inputs, error) {
	var in Inputs
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("decoding inputs: %w", err)
	}
	return &in, nil
}

// SetProgram stores the spec itself, for versions that may change.
func (in *Inputs) SetProgram(spec *v1alpha1.FrameworkVersionSpec) error {
	raw, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("encoding the program: %w", err)
	}
	in.Program, err = compress(raw)
	return err
}

// GetProgram returns the stored spec, or nil when there is none.
func (in *Inputs) GetProgram() (*v1alpha1.FrameworkVersionSpec, error) {
	if len(in.Program) == 0 {
		return nil, nil
	}
	raw, err := decompress(in.Program)
	if err != nil {
		return nil, fmt.Errorf("decoding the program: %w", err)
	}
	var spec v1alpha1.FrameworkVersionSpec
	if err := json.Unmarshal(raw, &spec); err != nil {
		return nil, fmt.Errorf("decoding the program: %w", err)
	}
	return &spec, nil
}

// Digest returns the SHA-256 of the canonical JSON of a value.
func Digest(v any) (string, error) {
	raw, err := json.Marshal(v) // sorts the keys of maps
	if err != nil {
		return "", fmt.Errorf("computing a digest: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

func compress(raw []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return buf.Bytes(), nil
}

// maxContent bounds what a compressed revision may expand to.
const maxContent = 64 << 20

func decompress(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxContent))
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	return raw, nil
}
