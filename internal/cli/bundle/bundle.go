// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// File is one of the archive.
type File struct {
	// Name within the archive.
	Name string
	// Content of it, redacted.
	Content string
}

// Bundle collects files.
type Bundle struct {
	redactor *Redactor
	files    []File
}

// Add adds a value as YAML.
func (b *Bundle) Add(name string, value any) {
	raw, err := yaml.Marshal(value)
	if err != nil {
		raw = []byte("could not be encoded: " + err.Error() + "\n")
	}
	b.AddText(name, string(raw))
}

// AddText adds a text. Every file goes through here, and so through the redactor.
func (b *Bundle) AddText(name, text string) {
	b.files = append(b.files, File{Name: safe(name), Content: b.redactor.Text(text)})
}

// Files are all that was added.
func (b *Bundle) Files() []File { return b.files }

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9./_-]+`)

// safe is a name that stays within the archive.
func safe(name string) string {
	return strings.TrimPrefix(path.Clean("/"+unsafeInName.ReplaceAllString(name, "_")), "/")
}

// Write writes the files below one directory of the archive.
func Write(w io.Writer, dir string, files []File, at time.Time) error {
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	for _, f := range files {
		header := &tar.Header{Name: dir + "/" + f.Name, Mode: 0o600, Size: int64(len(f.Content)), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
		if _, err := io.WriteString(archive, f.Content); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		return fmt.Errorf("ending the archive: %w", err)
	}
	return nil
}
