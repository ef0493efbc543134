// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// The program behind `make demo`: a Kubernetes control plane of its own, Kudo on it
// under its own roles, and ZooKeeper through its whole life.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/testing/repository"
)

// interrupted is the exit code of a program that Ctrl-C ended.
const interrupted = 130

func main() {
	keep := flag.Bool("keep", false, "Leave the control plane and the manager running.")
	bin := flag.String("bin", "", "Directory with devcluster and manager; empty: bin/ of the repository.")
	flag.Parse()
	os.Exit(start(*bin, *keep))
}

func start(bin string, keep bool) int {
	// Libraries would report to the terminal what the demo tells better.
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	programs, err := findBinaries(bin)
	if err == nil {
		err = newDemo(screen.New(os.Stdout), programs, keep).run(ctx)
	}
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "demo: interrupted:", err)
		return interrupted
	}
	fmt.Fprintln(os.Stderr, "demo:", err)
	return 1
}

// binaries are the paths of the programs that the demo runs.
type binaries struct {
	devcluster, manager string
}

// findBinaries finds the programs that the Makefile built.
func findBinaries(bin string) (binaries, error) {
	var err error
	if bin == "" {
		if bin, err = repository.Path("bin"); err != nil {
			return binaries{}, err
		}
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return binaries{}, fmt.Errorf("finding the programs: %w", err)
	}
	found := binaries{devcluster: filepath.Join(bin, "devcluster"), manager: filepath.Join(bin, "manager")}
	for _, file := range []string{found.devcluster, found.manager} {
		if _, err := os.Stat(file); err != nil {
			return binaries{}, fmt.Errorf("finding the programs (make demo builds them): %w", err)
		}
	}
	return found, nil
}
