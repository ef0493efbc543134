// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/generate"
)

// fileSet is a generated set and the directory that it is for.
type fileSet struct {
	artefact, dir string
	files         generate.Files
	force         bool

	root *os.Root
	had  *generate.Manifest
}

// open finds what stands in the directory; without one, root stays nil.
func (s *fileSet) open() error {
	root, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening the directory %s: %w", s.dir, err)
	}
	s.root = root
	raw, found, err := s.read(generate.ManifestName)
	if err != nil || !found {
		return err
	}
	if s.had, err = generate.ReadManifest(raw); err != nil {
		return fmt.Errorf("reading %s: %w", s.dir, err)
	}
	if s.had.Artefact != s.artefact {
		return command.Misuse("%s holds what `generate %s` made: name another directory with -o", s.dir, s.had.Artefact)
	}
	return nil
}

// close ends the access to the directory, which holds nothing that closing could lose.
func (s *fileSet) close() {
	if s.root != nil {
		_ = s.root.Close()
	}
}

func (s *fileSet) read(name string) (content []byte, found bool, err error) {
	if s.root == nil {
		return nil, false, nil
	}
	content, err = s.root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading %s/%s: %w", s.dir, name, err)
	}
	return content, true, nil
}

// check lists what differs.
func (s *fileSet) check(env *command.Env) error {
	defer s.close()
	if err := s.open(); err != nil {
		return err
	}
	changes, err := generate.Compare(s.files, s.had, s.read)
	if err != nil {
		return fmt.Errorf("comparing %s: %w", s.dir, err)
	}
	for _, c := range changes {
		env.Printf("%s: %s\n", path.Join(s.dir, c.Path), c.State)
	}
	if s.had == nil {
		env.Printf("%s: %s\n", path.Join(s.dir, generate.ManifestName), generate.Missing)
	}
	if len(changes) > 0 || s.had == nil {
		env.Warnf("%s differs from what is generated: run `kubectl kudo generate %s` without --check\n", s.dir, s.artefact)
		return command.ErrFindings
	}
	return nil
}

// write makes the directory what is generated, but for what others edited. The manifest
// comes last: where it is missing, files with the right content are taken for ours.
func (s *fileSet) write(env *command.Env) error {
	defer s.close()
	if err := s.open(); err != nil {
		return err
	}
	if s.root == nil {
		if err := os.MkdirAll(s.dir, 0o750); err != nil {
			return fmt.Errorf("making the directory %s: %w", s.dir, err)
		}
		if err := s.open(); err != nil {
			return err
		}
	}
	changes, err := generate.Compare(s.files, s.had, s.read)
	if err != nil {
		return fmt.Errorf("comparing %s: %w", s.dir, err)
	}
	kept := 0
	for _, c := range changes {
		if c.Kept() && !s.force {
			kept++
			env.Warnf("kept     %s (%s)\n", path.Join(s.dir, c.Path), c.State)
			continue
		}
		if err := s.carryOut(env, c); err != nil {
			return err
		}
	}
	raw, err := generate.Next(s.artefact, s.files, s.had, changes, s.force).Encode()
	if err != nil {
		return err
	}
	if err := s.replace(generate.ManifestName, raw); err != nil {
		return err
	}
	switch {
	case kept > 0:
		env.Warnf("%d files in %s were edited by hand and kept: merge them, or repeat with --force to lose the edits\n", kept, s.dir)
		return command.ErrFindings
	case len(changes) == 0:
		env.Printf("%s is up to date\n", s.dir)
	}
	return nil
}

// carryOut makes one file what it should be.
func (s *fileSet) carryOut(env *command.Env, c generate.Change) error {
	name := path.Join(s.dir, c.Path)
	if c.Removes() {
		if err := s.root.Remove(c.Path); err != nil {
			return fmt.Errorf("removing %s: %w", name, err)
		}
		s.prune(path.Dir(c.Path))
		env.Printf("removed  %s\n", name)
		return nil
	}
	if err := s.replace(c.Path, s.files[c.Path]); err != nil {
		return err
	}
	word := "replaced"
	if c.State == generate.Missing {
		word = "created "
	}
	env.Printf("%s %s\n", word, name)
	return nil
}

// prune removes directories that became empty; one that others use is refused, and stays.
func (s *fileSet) prune(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		if s.root.Remove(dir) != nil {
			return
		}
	}
}

// replace writes a file at once: nobody reads half of it.
func (s *fileSet) replace(name string, content []byte) error {
	full := path.Join(s.dir, name)
	if dir := path.Dir(name); dir != "." {
		if err := s.root.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("making the directory of %s: %w", full, err)
		}
	}
	draft := path.Join(path.Dir(name), "."+path.Base(name)+".new")
	if err := s.root.WriteFile(draft, content, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", full, err)
	}
	if err := s.root.Rename(draft, name); err != nil {
		return fmt.Errorf("writing %s: %w", full, err)
	}
	return nil
}
