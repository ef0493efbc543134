// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Screen writes lines, and redraws the last of them where it is a terminal.
type Screen struct {
	out io.Writer
	// Live says that lines can be drawn again.
	Live  bool
	color bool
	// size of the terminal, columns and rows.
	size func() (width, height int)

	drawn int
	frame int
}

// New writes to a file. NO_COLOR is about colours only: a terminal stays live.
func New(f *os.File) *Screen {
	s := &Screen{out: f, Live: term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"}
	s.color = s.Live && os.Getenv("NO_COLOR") == ""
	s.size = func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	return s
}

// Of writes to a writer that is a terminal or is not. A terminal that is no file has 80
// columns and colours: tests are such.
func Of(out io.Writer, terminal bool) *Screen {
	if f, ok := out.(*os.File); ok && terminal {
		return New(f)
	}
	const columns = 80
	return &Screen{out: out, Live: terminal, color: terminal, size: func() (int, int) { return columns, 0 }}
}

// Look is how things are drawn here and now.
func (s *Screen) Look() Look {
	l := Look{Color: s.color, Frame: s.frame}
	if s.Live {
		l.Width, _ = s.size()
	}
	return l
}

// Draw puts lines in the place of those that were drawn last. What does not fit on the
// terminal could not be replaced later, so it is left out at the top.
func (s *Screen) Draw(lines []string) {
	if _, height := s.size(); height > 1 && len(lines) > height-1 {
		lines = lines[len(lines)-height+1:]
	}
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.drawn)
	}
	for _, line := range lines {
		b.WriteString("\r" + line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.drawn = len(lines)
	s.frame++
	fmt.Fprint(s.out, b.String())
}

// Keep leaves what was drawn as it is.
func (s *Screen) Keep() { s.drawn = 0 }

// Print writes lines below everything else.
func (s *Screen) Print(lines ...string) {
	s.Keep()
	for _, line := range lines {
		fmt.Fprintln(s.out, line)
	}
}

// Title starts a chapter.
func (s *Screen) Title(format string, args ...any) {
	s.Print("", s.Look().Paint(Bold, fmt.Sprintf(format, args...)))
}

// RedrawEvery is the pace at which marks turn and durations grow.
const RedrawEvery = 100 * time.Millisecond

// Step shows what goes on until it is done, then how long it took and what came out.
func (s *Screen) Step(what string, do func() (result string, err error)) error {
	start := time.Now()
	stop := s.turn(func() []string {
		l := s.Look()
		return []string{l.Paint(Cyan, l.Turning()) + " " + what + l.Paint(Faint, "  "+Span(time.Since(start)))}
	})
	result, err := do()
	stop()
	l := s.Look()
	sign := l.Paint(Green, "✔")
	if err != nil {
		sign = l.Paint(Red, "✘")
	}
	line := fmt.Sprintf("%s %-24s %7s", sign, what, Span(time.Since(start)))
	if result != "" {
		line += "  " + l.Paint(Faint, result)
	}
	if s.Live {
		s.Draw([]string{line})
		s.Keep()
	} else {
		s.Print(line)
	}
	return err
}

// turn redraws at a pace until it is stopped; where nothing can be redrawn, never.
func (s *Screen) turn(lines func() []string) (stop func()) {
	if !s.Live {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(RedrawEvery); ; {
			s.Draw(lines())
			select {
			case <-end:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}
