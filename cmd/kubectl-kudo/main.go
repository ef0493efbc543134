// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kubectl-kudo is the plugin `kubectl kudo`: it makes packages of frameworks, shows
// what they would do, and helps where a plan is stuck.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kudo.dev/kudo/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who interrupts again does not wait for an orderly end
	return cli.Main(ctx, version, os.Args, os.Stdin, os.Stdout, os.Stderr)
}
