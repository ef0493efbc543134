// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/pack"
)

// finish writes the files, reads them back as every tool will, and compiles what they hold:
// what is wrong with it is a note at the place where it came from.
func (im *importer) finish() (*Result, error) {
	var written map[string][]byte
	for round := 0; ; round++ {
		var err error
		if written, err = im.emit(); err != nil {
			return nil, err
		}
		loaded, err := load(written)
		if err != nil {
			return nil, fmt.Errorf("the imported package can not be read: %w", err)
		}
		errs := compile(&loaded.Version.Spec)
		if round < maxRepairs && len(errs) > 0 && im.repair(errs) {
			im.writeTemplates()
			continue
		}
		for _, err := range errs {
			im.noteError(err)
		}
		break
	}
	im.sortNotes()
	written[readmeFile] = im.readme()
	return &Result{Name: im.build.name, Version: im.build.version, Files: written, Notes: im.notes}, nil
}

// load reads the files as a package.
func load(written map[string][]byte) (*pack.Package, error) {
	fsys, err := memory(written)
	if err != nil {
		return nil, err
	}
	p, err := pack.Load(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("reading it back: %w", err)
	}
	return p, nil
}

// memory is a file system of files in memory.
func memory(written map[string][]byte) (fs.FS, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(written)) {
		file, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = file.Write(written[name])
		}
		if err != nil {
			return nil, fmt.Errorf("keeping %s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("keeping the files: %w", err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return nil, fmt.Errorf("keeping the files: %w", err)
	}
	return r, nil
}

// compile tells what is wrong with the version. Tasks that are not yet supported are noted
// already; without them the rest can be judged.
func compile(spec *v1alpha1.FrameworkVersionSpec) field.ErrorList {
	spec = spec.DeepCopy()
	for i := range spec.Tasks {
		if t := &spec.Tasks[i]; t.Call != nil || t.Instance != nil {
			t.TaskAction = v1alpha1.TaskAction{Wait: &v1alpha1.WaitTask{For: &metav1.Duration{Duration: time.Second}}}
		}
	}
	_, errs := graph.Compile(spec)
	return errs
}

var templatePlace = regexp.MustCompile(`(?:^|template )([A-Za-z0-9][A-Za-z0-9._/-]*):([0-9]+)(?::[0-9]+)?: `)

// noteError tells a mistake at the place in the old package where it came from.
func (im *importer) noteError(err *field.Error) {
	file, line, message := operatorFile, 0, err.ErrorBody()
	if err.Detail != "" {
		message = err.Detail
	}
	if strings.HasPrefix(err.Field, "spec.parameters") {
		file = paramsFile
	}
	if m := templatePlace.FindStringSubmatch(err.Detail); m != nil {
		if o := im.output(m[1]); o != nil {
			number, _ := strconv.Atoi(m[2])
			file, line = o.src.file(), o.line(number)
			message = strings.Replace(message, m[0], "", 1)
		}
	} else if o := im.output(templateOf(err.Field)); o != nil {
		file = o.src.file()
	}
	if slices.ContainsFunc(im.notes, func(n Note) bool { return n.Blocks && n.File == file && n.Line == line && line > 0 }) {
		return // its cause is told
	}
	im.blocked(file, line, cmp.Or(templateOf(err.Field), err.Field), message, "correct it in the imported package")
}

// templateOf is the template that the path of an error names.
func templateOf(path string) string {
	name, found := strings.CutPrefix(path, "spec.templates[")
	if !found {
		return ""
	}
	name, _, _ = strings.Cut(name, "]")
	return name
}

func (im *importer) output(name string) *output {
	for _, o := range im.build.outputs {
		if o.name == name {
			return o
		}
	}
	return nil
}

// line is the line of the old template that a line of the new one came from.
func (o *output) line(number int) int {
	if number < 1 || number > len(o.lines) {
		return 0
	}
	return o.src.line(o.lines[number-1])
}

// readme tells what the package is and what was not carried over.
func (im *importer) readme() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n", im.operator.name.text, im.build.version)
	if d := strings.TrimSpace(im.operator.description.text); d != "" {
		fmt.Fprintf(&b, "%s\n\n", d)
	}
	fmt.Fprintf(&b, "Imported from the KUDO 0.x operator `%s`, version %s", im.operator.name.text, im.operator.version.text)
	if app := im.operator.appVersion.text; app != "" {
		fmt.Fprintf(&b, ", of the software's version %s", app)
	}
	b.WriteString(".\n")
	for _, severity := range []struct {
		is    Severity
		title string
	}{{Lost, "Not carried over"}, {Changed, "Carried over differently"}} {
		first := true
		for _, n := range im.notes {
			if n.Severity != severity.is {
				continue
			}
			if first {
				fmt.Fprintf(&b, "\n## %s\n\n", severity.title)
				first = false
			}
			n.Severity = ""
			fmt.Fprintf(&b, "- %s\n", strings.Replace(n.String(), ": : ", ": ", 1))
		}
	}
	return []byte(b.String())
}

func sorted(values []any) []any {
	slices.SortFunc(values, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return values
}
