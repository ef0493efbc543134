// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// screen writes lines, and redraws the last of them where it is a terminal.
type screen struct {
	out   io.Writer
	live  bool
	color bool
	// size of the terminal, columns and rows.
	size func() (width, height int)

	drawn int
	frame int
}

// newScreen writes to a file. NO_COLOR is about colours only: a terminal stays live.
func newScreen(f *os.File) *screen {
	s := &screen{out: f, live: term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"}
	s.color = s.live && os.Getenv("NO_COLOR") == ""
	s.size = func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	return s
}

// look is how things are drawn here and now.
func (s *screen) look() look {
	l := look{color: s.color, frame: s.frame}
	if s.live {
		l.width, _ = s.size()
	}
	return l
}

// draw puts lines in the place of those that were drawn last. What does not fit on the
// terminal could not be replaced later, so it is left out at the top.
func (s *screen) draw(lines []string) {
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

// keep leaves what was drawn as it is.
func (s *screen) keep() { s.drawn = 0 }

// print writes lines below everything else.
func (s *screen) print(lines ...string) {
	s.keep()
	for _, line := range lines {
		fmt.Fprintln(s.out, line)
	}
}

// title starts a chapter.
func (s *screen) title(format string, args ...any) {
	s.print("", s.look().paint(bold, fmt.Sprintf(format, args...)))
}

// redrawEvery is the pace at which marks turn and durations grow.
const redrawEvery = 100 * time.Millisecond

// step shows what goes on until it is done, then how long it took and what came out.
func (s *screen) step(what string, do func() (result string, err error)) error {
	start := time.Now()
	stop := s.turn(func() []string {
		l := s.look()
		return []string{l.paint(cyan, l.turning()) + " " + what + l.paint(faint, "  "+seconds(time.Since(start)))}
	})
	result, err := do()
	stop()
	l := s.look()
	sign := l.paint(green, "✔")
	if err != nil {
		sign = l.paint(red, "✘")
	}
	line := fmt.Sprintf("%s %-24s %7s", sign, what, seconds(time.Since(start)))
	if result != "" {
		line += "  " + l.paint(faint, result)
	}
	if s.live {
		s.draw([]string{line})
		s.keep()
	} else {
		s.print(line)
	}
	return err
}

// turn redraws at a pace until it is stopped; where nothing can be redrawn, never.
func (s *screen) turn(lines func() []string) (stop func()) {
	if !s.live {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(redrawEvery); ; {
			s.draw(lines())
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
