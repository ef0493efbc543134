// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Command devcluster is a Kubernetes cluster for development and tests in one process, with simulated nodes.
// Called as etcd, kube-apiserver or kubectl it is that program.
package main

import (
	"os"
	"path/filepath"

	"kudo.dev/kudo/hack/devcluster/internal/cli"
)

func main() {
	if args := os.Args; runProgram(filepath.Base(args[0]), args[1:]) {
		return
	}
	if args := os.Args; len(args) > 1 && runProgram(args[1], args[2:]) {
		return
	}
	os.Exit(cli.Main(os.Args[1:]))
}
