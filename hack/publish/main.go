// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Command publish prints a package, such as frameworks/zookeeper/3.9.3, as the Framework and
// the FrameworkVersion that kubectl applies.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/pack"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: publish PACKAGE... | kubectl apply --server-side -f -")
		os.Exit(2)
	}
	for _, dir := range os.Args[1:] {
		if err := show(dir); err != nil {
			fmt.Fprintln(os.Stderr, "publish:", err)
			os.Exit(1)
		}
	}
}

func show(dir string) error {
	p, err := pack.Load(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		return fmt.Errorf("reading the package %s: %w", dir, err)
	}
	for _, o := range []client.Object{p.Framework, p.Version} {
		raw, err := yaml.Marshal(o)
		if err != nil {
			return fmt.Errorf("encoding %T %s: %w", o, o.GetName(), err)
		}
		fmt.Printf("---\n%s", raw)
	}
	return nil
}
