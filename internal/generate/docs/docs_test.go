// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/golden"
	"kudo.dev/kudo/internal/testing/sample"
)

func files(t *testing.T, s *generate.Source) generate.Files {
	t.Helper()
	out, err := Files(s, "prod")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGoldenDocumentation(t *testing.T) {
	zk, wide := files(t, sample.ZooKeeper(t, "3.9.3")), files(t, sample.Wide(t))
	golden.Compare(t, "testdata/zookeeper-verify.md", string(zk["plans/verify.md"]))
	golden.Compare(t, "testdata/zookeeper-update.svg", string(zk["plans/update.svg"]))
	golden.Compare(t, "testdata/wide.md", string(wide["README.md"]))
	golden.Compare(t, "testdata/wide-parameters.md", string(wide["parameters.md"]))
	golden.Compare(t, "testdata/wide-update.md", string(wide["plans/update.md"]))
	golden.Compare(t, "testdata/wide-update.svg", string(wide["plans/update.svg"]))
}

// A runbook leaves no step, no task and nothing that takes one back out.
func TestRunbooksAreComplete(t *testing.T) {
	for _, s := range []*generate.Source{sample.ZooKeeper(t, "3.9.3"), sample.Wide(t)} {
		all := files(t, s)
		for _, name := range s.Version.PlanNames {
			book := string(all["plans/"+name+".md"])
			s.Version.Plans[name].Program.Root.Walk(func(n *engine.Node) {
				switch {
				case n.Task == nil && len(n.Children) > 0 && n.Children[0].Task != nil:
					if !strings.Contains(book, "**"+n.Path+"**") {
						t.Errorf("the runbook of %s lacks the step %s", name, n.Path)
					}
				case n.Task != nil && n.Task.Kind != engine.TaskWait && n.Task.Kind != engine.TaskApprove:
					if !strings.Contains(book, "- `"+n.Name+"`: ") {
						t.Errorf("the runbook of %s lacks the task %s", name, n.Path)
					}
				}
				if n.Task != nil && !strings.Contains(book, "Time-out: "+short(n.Task.Timeout)) {
					t.Errorf("the runbook of %s lacks the time-out of %s", name, n.Path)
				}
			})
		}
	}
}

// What the plans of the sample are there for stands in their runbooks.
func TestRunbooksSayWhatMatters(t *testing.T) {
	all := files(t, sample.Wide(t))
	tests := map[string][]string{
		"deploy": {"For a new object, until it has succeeded once.", "Side by side", "Every step that was started is taken back, the newest first. Then the run ends as Failed. Nothing follows", "Waits for 1m30s.", "Waits until `objects.pods.all(p, p.status.phase == \"Running\")`."},
		"update": {
			"nobody has ever run \\| so many copies.", "Skipped unless `changed.port`.", "Starts after `left`, `right`.", "At most 2 at a time.",
			"`kubectl kudo approve NAME right/wait`", "If nobody does in time, the run fails.", "3 attempts, the second after 5s, each pause 3 times", "The plan [mend](mend.md) follows.",
			"waits until `self.status.readyReplicas == params.copies`", "made anew", "The task `migrate-back`.", "`RequirementNotMet`", "Is port &lt;80>",
		},
		"upgrade": {"from `~1.1.0`", "The plan rollback follows", "`kubectl kudo skip NAME all/migrate/undo/manual`"},
		"reload":  {"When `zone` changes.", "When a Secret or ConfigMap of others changes that pods consume."},
		"mend":    {"When the recovery rule `failed` finds", "After a run of [update](update.md) that failed."},
		"check":   {"When somebody runs it.", "It runs beside other plans", "`kubectl kudo run check NAME`"},
		"cleanup": {"When the object is deleted, and never otherwise."},
	}
	for plan, wants := range tests {
		book := string(all["plans/"+plan+".md"])
		for _, want := range wants {
			if !strings.Contains(strings.ToLower(book), strings.ToLower(want)) {
				t.Errorf("the runbook of %s does not say %q:\n%s", plan, want, book)
			}
		}
	}
	if strings.Contains(string(all["plans/cleanup.md"]), "kudo run cleanup") {
		t.Error("cleanup can not be run by hand")
	}
}

// Words of an author are text, in Markdown, in Mermaid and in SVG.
func TestWordsOfAuthorsAreText(t *testing.T) {
	for path, raw := range files(t, sample.Wide(t)) {
		for _, bad := range []string{"<script", "<b>", "<80>"} {
			if strings.Contains(string(raw), bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
		if !strings.HasSuffix(path, ".md") {
			continue
		}
		cells := 0
		for line := range strings.Lines(string(raw)) {
			if !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if cells != 0 && n != cells {
				t.Errorf("%s: a row of a table has %d cells, not %d: %s", path, n-1, cells-1, line)
			}
			cells = n
		}
	}
}

type shape struct {
	XMLName xml.Name `xml:""`
	Class   string   `xml:"class,attr"`
	X       float64  `xml:"x,attr"`
	Y       float64  `xml:"y,attr"`
	W       float64  `xml:"width,attr"`
	H       float64  `xml:"height,attr"`
	Text    string   `xml:",chardata"`
}

// shapes reads a picture; it must be XML.
func shapes(t *testing.T, raw []byte) (width, height float64, out []shape) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return width, height, out
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "svg":
			for _, a := range start.Attr {
				v, _ := strconv.ParseFloat(a.Value, 64)
				switch a.Name.Local {
				case "width":
					width = v
				case "height":
					height = v
				}
			}
		case "rect", "text", "path":
			var s shape
			if err := d.DecodeElement(&s, &start); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
	}
}

// In a picture every step has a box, boxes do not cover each other, texts fit into the
// picture, and there is an arrow for every dependency.
func TestPicturesAreDrawnRight(t *testing.T) {
	for _, s := range []*generate.Source{sample.ZooKeeper(t, "3.9.3"), sample.Wide(t)} {
		for i := range s.Version.Spec.Plans {
			p := &s.Version.Spec.Plans[i]
			t.Run(s.Framework.Name+" "+p.Name, func(t *testing.T) { checkPicture(t, s, p) })
		}
	}
}

func checkPicture(t *testing.T, s *generate.Source, p *v1alpha1.Plan) {
	width, height, all := shapes(t, []byte(SVG(s, p)))
	boxes := map[string][]shape{}
	arrows := 0
	for _, s := range all {
		if s.Class == "phase" || s.Class == "step" {
			boxes[s.Class] = append(boxes[s.Class], s)
		}
		if s.Class == "edge" {
			arrows++
		}
		if s.X+s.W > width || s.Y+s.H > height || s.XMLName.Local == "text" && s.X+float64(len([]rune(s.Text)))*7.2 > width {
			t.Errorf("%q at %.0f,%.0f does not fit into %.0fx%.0f", s.Text, s.X, s.Y, width, height)
		}
	}
	steps, wantArrows := 0, len(edges(s.Version.Plans[p.Name].Program.Root))
	for i, ph := range p.Phases {
		steps += len(ph.Steps)
		wantArrows += len(edges(s.Version.Plans[p.Name].Program.Root.Children[i]))
	}
	if len(boxes["phase"]) != len(p.Phases) || len(boxes["step"]) != steps || arrows != wantArrows {
		t.Errorf("%d phases, %d steps, %d arrows; want %d, %d, %d", len(boxes["phase"]), len(boxes["step"]), arrows, len(p.Phases), steps, wantArrows)
	}
	for class, list := range boxes {
		for i, a := range list {
			for _, b := range list[:i] {
				if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("two boxes of class %s cover each other: %v and %v", class, a, b)
				}
			}
		}
	}
	for _, step := range boxes["step"] {
		inside := 0
		for _, ph := range boxes["phase"] {
			if step.X >= ph.X && step.Y >= ph.Y && step.X+step.W <= ph.X+ph.W && step.Y+step.H <= ph.Y+ph.H {
				inside++
			}
		}
		if inside != 1 {
			t.Errorf("a step lies in %d phases: %v", inside, step)
		}
	}
}

var arrow = regexp.MustCompile(`^ *(p\d+(?:s\d+)?) --> (p\d+(?:s\d+)?)$`)

// The chart in Mermaid has the plan's dependencies, and nothing that Mermaid would read as
// its own language.
func TestMermaidHasTheDependencies(t *testing.T) {
	s := sample.Wide(t)
	var got []string
	for line := range strings.Lines(Mermaid(s, &s.Version.Spec.Plans[1])) {
		line = strings.TrimRight(line, "\n")
		if m := arrow.FindStringSubmatch(line); m != nil {
			got = append(got, m[1]+" "+m[2])
		}
		if strings.Count(line, `"`)%2 != 0 || strings.Count(line, `"`) > 2 {
			t.Errorf("a label is not one text: %s", line)
		}
	}
	want := []string{"p2s0 p2s2", "p2s1 p2s2", "p0 p2", "p1 p2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Siblings stand below all that they wait for, whatever the order of the text.
func TestLayers(t *testing.T) {
	node := func(name string, after ...string) *engine.Node { return &engine.Node{Name: name, DependsOn: after} }
	tests := map[string]struct {
		parent *engine.Node
		want   string
	}{
		"serial":   {&engine.Node{Strategy: v1alpha1.Serial, Children: []*engine.Node{node("a"), node("b")}}, "[[0] [1]]"},
		"parallel": {&engine.Node{Strategy: v1alpha1.Parallel, Children: []*engine.Node{node("a"), node("b")}}, "[[0 1]]"},
		"backwards": {&engine.Node{Strategy: v1alpha1.Parallel, Children: []*engine.Node{
			node("a", "b"), node("b", "c"), node("c"), node("d", "c"),
		}}, "[[2] [1 3] [0]]"},
	}
	for name, tt := range tests {
		if got := fmt.Sprint(layers(tt.parent)); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
