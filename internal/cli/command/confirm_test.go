// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// What is not a clear yes changes nothing, and who answers is a person.
func TestOnlyAYesIsAYes(t *testing.T) {
	pipe, silent, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close(); _ = silent.Close() })
	open, _ := io.Pipe() // a terminal at which nobody types
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	for name, tt := range map[string]struct {
		in    io.Reader
		yes   bool
		ctx   context.Context
		want  string
		wrong bool
	}{
		"y":                      {in: strings.NewReader("y\n")},
		"yes, without a newline": {in: strings.NewReader(" YES ")},
		"--yes":                  {in: pipe, yes: true},
		"no":                     {in: strings.NewReader("n\n"), want: "the answer was not yes"},
		"another word":           {in: strings.NewReader("yesterday\n"), want: "the answer was not yes"},
		"the end of the input":   {in: strings.NewReader(""), want: "the answer was not yes"},
		"nobody":                 {in: pipe, want: "repeat with --yes", wrong: true},
		"an interrupt":           {in: open, ctx: interrupted, want: "interrupted before an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ctx := tt.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			c := Confirmation{yes: tt.yes}
			err := c.Confirm(ctx, New(genericiooptions.IOStreams{In: tt.in, Out: &out, ErrOut: &out}), "Do it?")
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if _, wrong := errors.AsType[*UsageError](err); wrong != tt.wrong {
				t.Errorf("a wrong use: %v, want %v", wrong, tt.wrong)
			}
		})
	}
}
