// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package pack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// maxArchive bounds an archive: a package, and its tests.
const maxArchive = 4_000_000

// File is a file of a package, by its path in it.
type File struct {
	Name    string
	Content []byte
}

// Archive makes an archive of the package in dir, tests included, after it has been loaded:
// a tar, not compressed, of its files in the order of their names. Nothing but names and
// content is in it, so that its digest says what the package holds and no more.
func Archive(fsys fs.FS, dir string) ([]byte, error) {
	if _, err := Load(fsys, dir); err != nil {
		return nil, err
	}
	f := &files{dir: dir, tests: true, content: map[string][]byte{}}
	if err := f.list(fsys); err != nil {
		return nil, err
	}
	all := make([]File, 0, len(f.names))
	left := maxArchive
	for _, name := range f.names {
		raw, err := f.readAny(fsys, name, left)
		if err != nil {
			return nil, err
		}
		if left -= len(raw); left < 0 {
			return nil, &Error{File: dir, Msg: "the package and its tests are larger than " + kilobytes(maxArchive)}
		}
		all = append(all, File{Name: name, Content: raw})
	}
	return write(all)
}

// write is the only form of an archive.
func write(all []File) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range all {
		err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Content)), Format: tar.FormatPAX})
		if err == nil {
			_, err = w.Write(f.Content)
		}
		if err != nil {
			return nil, fmt.Errorf("archiving %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("archiving: %w", err)
	}
	return out.Bytes(), nil
}

// Extract returns the files of an archive. An archive that Archive would not have made is
// refused, so that none holds more than its files.
func Extract(raw []byte) ([]File, error) {
	if len(raw) > 2*maxArchive {
		return nil, fmt.Errorf("the archive is %s, more than any of a package", kilobytes(len(raw)))
	}
	var all []File
	r := tar.NewReader(bytes.NewReader(raw))
	for last := ""; ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the archive: %w", err)
		}
		if !fs.ValidPath(h.Name) || h.Name <= last || strings.Count(h.Name, "/") > maxDepth || len(all) >= maxEntries {
			return nil, notOurs("of the entry %q", clip(path.Clean(h.Name)))
		}
		last = h.Name
		content, err := io.ReadAll(io.LimitReader(r, maxArchive+1))
		if err != nil {
			return nil, fmt.Errorf("reading %s in the archive: %w", h.Name, err)
		}
		all = append(all, File{Name: h.Name, Content: content})
	}
	again, err := write(all)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(raw, again) {
		return nil, notOurs("of more than names and content in it")
	}
	return all, nil
}

func notOurs(format string, args ...any) error {
	return fmt.Errorf("the archive is none of a package, because %s; make it with: kubectl kudo package build", fmt.Sprintf(format, args...))
}

// FS holds files in memory, as Load reads them: zip is the form of an fs.FS in memory that
// the standard library has.
func FS(all []File) (fs.FS, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range all {
		part, err := w.CreateHeader(&zip.FileHeader{Name: f.Name})
		if err == nil {
			_, err = part.Write(f.Content)
		}
		if err != nil {
			return nil, fmt.Errorf("holding %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("holding the files: %w", err)
	}
	r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		return nil, fmt.Errorf("holding the files: %w", err)
	}
	return r, nil
}
