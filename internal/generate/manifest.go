// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// ManifestName is the file in which a generated set remembers what was written.
const ManifestName = ".kudo-generate.json"

// Manifest says what was written, so that edits of others are noticed.
type Manifest struct {
	// Artefact that the files belong to, for example helm.
	Artefact string `json:"artefact"`
	// Files are the SHA-256 of what was written, by path.
	Files map[string]string `json:"files"`
}

// ReadManifest decodes a manifest.
func ReadManifest(raw []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("reading %s: %w: restore it, or remove it and generate into an empty directory", ManifestName, err)
	}
	for path := range m.Files {
		if !fs.ValidPath(path) || path == "." {
			return nil, fmt.Errorf("reading %s: %q is no path within the directory: restore the file", ManifestName, path)
		}
	}
	return m, nil
}

// Encode gives the bytes of the file.
func (m *Manifest) Encode() ([]byte, error) {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", ManifestName, err)
	}
	return append(raw, '\n'), nil
}

// State says how a file differs from what is generated now.
type State string

// The states of files.
const (
	// Missing: it is not there.
	Missing State = "missing"
	// Outdated: it is as it was generated earlier.
	Outdated State = "outdated"
	// Edited: someone changed it, or made it, by hand.
	Edited State = "edited"
	// Leftover: it is as it was generated earlier and not generated any more.
	Leftover State = "leftover"
	// LeftoverEdited: it is not generated any more, and was changed by hand.
	LeftoverEdited State = "leftover, edited"
)

// Change is a file that differs.
type Change struct {
	Path  string
	State State
}

// Kept says whether the file is left as it is unless it is forced.
func (c Change) Kept() bool { return c.State == Edited || c.State == LeftoverEdited }

// Removes says whether the file goes.
func (c Change) Removes() bool { return c.State == Leftover || c.State == LeftoverEdited }

// Compare finds the files that differ from what is generated, sorted by path. had is what
// was written before, nil for nothing; read gives the content of a file that is there.
func Compare(files Files, had *Manifest, read func(path string) (content []byte, found bool, err error)) ([]Change, error) {
	written := map[string]string{}
	if had != nil {
		written = had.Files
	}
	paths := slices.Sorted(maps.Keys(files))
	for _, path := range slices.Sorted(maps.Keys(written)) {
		if _, still := files[path]; !still {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	var out []Change
	for _, path := range paths {
		content, found, err := read(path)
		if err != nil {
			return nil, err
		}
		want, wanted := files[path]
		if state := stateOf(want, wanted, content, found, written[path]); state != "" {
			out = append(out, Change{path, state})
		}
	}
	return out, nil
}

func stateOf(want []byte, wanted bool, have []byte, found bool, written string) State {
	untouched := found && Digest(have) == written
	switch {
	case !found && wanted:
		return Missing
	case !found:
		return ""
	case wanted && bytes.Equal(want, have):
		return ""
	case wanted && untouched:
		return Outdated
	case wanted:
		return Edited
	case untouched:
		return Leftover
	default:
		return LeftoverEdited
	}
}

// Digest of a file's content.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Next is the manifest after the changes were made. What was kept is remembered as it was
// written, so that it still counts as edited; what was kept and is not generated any more
// is not ours any more.
func Next(artefact string, files Files, had *Manifest, changes []Change, force bool) *Manifest {
	out := &Manifest{Artefact: artefact, Files: map[string]string{}}
	for path, content := range files {
		out.Files[path] = Digest(content)
	}
	for _, c := range changes {
		if force || c.State != Edited {
			continue
		}
		delete(out.Files, c.Path)
		if had != nil && had.Files[c.Path] != "" {
			out.Files[c.Path] = had.Files[c.Path]
		}
	}
	return out
}
