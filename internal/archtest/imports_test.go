// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"slices"
	"strings"
	"testing"
)

// layer is a part of the repository with rules of its own about imports.
type layer string

const (
	program    layer = "main"
	api        layer = "apis"
	wiring     layer = "controllers"
	controller layer = "a controller"
	admission  layer = "webhooks"
	pure       layer = "pure"
	shell      layer = "shell"
	tool       layer = "tools"
	plugin     layer = "cmd"
	content    layer = "frameworks"
	check      layer = "tests"
)

var (
	purePackages  = []string{"engine", "graph", "params", "render", "health", "crdgen", "validation", "pack", "revision", "expr", "drift", "projection", "content", "forecast", "diagnose", "lint", "legacy", "authority", "generate", "scaffold", "packtest", "practice"}
	shellPackages = []string{"apply", "archive", "certs", "impersonate", "metric", "conditions", "dynamic", "crdinstall", "registry", "lock", "lineage", "preflight", "transport", "observe", "requeue"}
	toolPackages  = []string{"cli", "golden", "harness", "testing", "archtest"}
)

// layerOf says where a package belongs; "" if nobody has said so.
func layerOf(within string) layer {
	first, rest, _ := strings.Cut(within, "/")
	second, _, _ := strings.Cut(rest, "/")
	switch {
	case within == ".":
		return program
	case first == "apis":
		return api
	case within == "controllers":
		return wiring
	case first == "controllers":
		return controller
	case first == "webhooks":
		return admission
	case first == "internal" && slices.Contains(purePackages, second):
		return pure
	case first == "internal" && slices.Contains(shellPackages, second):
		return shell
	case first == "internal" && slices.Contains(toolPackages, second), first == "hack":
		return tool
	case first == "cmd":
		return plugin
	case first == "frameworks", first == "config":
		return content
	case first == "test":
		return check
	}
	return ""
}

// allowed says which layers a layer may import.
var allowed = map[layer][]layer{
	program:    {api, wiring, admission, pure, shell},
	api:        {},
	wiring:     {api, controller, pure, shell},
	controller: {api, pure, shell},
	admission:  {api, pure},
	pure:       {api, pure},
	shell:      {api, pure},
	tool:       {api, pure, shell, tool, content},
	plugin:     {tool},
	content:    {api, pure},
	check:      {api, pure, shell, tool},
}

func ours(importPath string) (within string, own bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func TestImportDirections(t *testing.T) {
	for _, p := range packages(t) {
		from := layerOf(p.within())
		if from == "" {
			t.Errorf("package %s belongs to no layer: say in internal/archtest which one it is", p.within())
			continue
		}
		for _, imported := range p.Imports {
			within, own := ours(imported)
			if !own {
				continue
			}
			if to := layerOf(within); !slices.Contains(allowed[from], to) {
				t.Errorf("%s (%s) imports %s (%s): it may import %v", p.within(), from, within, to, allowed[from])
			}
			if from == plugin && within != "internal/cli" {
				t.Errorf("%s imports %s: a command imports internal/cli only", p.within(), within)
			}
		}
	}
}

// under says whether a package is one of these or below one of these.
func under(importPath string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return importPath == root || strings.HasPrefix(importPath, root+"/")
	})
}

// impure are packages of the standard library that reach outside, or give another
// answer every time.
var impure = []string{
	"os", "net/http", "net/rpc", "net/smtp", "syscall", "log", "context", "math/rand", "crypto/rand", "plugin", "os/exec",
}

// clients are libraries that talk to an API server, or that log or measure.
var clients = []string{
	"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "k8s.io/apiserver", "github.com/prometheus",
	"github.com/go-logr", "k8s.io/klog", "go.uber.org/zap",
}

func TestPurePackagesImportNoIO(t *testing.T) {
	for _, p := range packages(t) {
		if layerOf(p.within()) != pure {
			continue
		}
		for _, imported := range p.Imports {
			// net/url is a parser; the rest of net is the network.
			if imported == "net" || under(imported, impure) || under(imported, clients) {
				t.Errorf("%s is pure and imports %s", p.within(), imported)
			}
		}
	}
}

// TestPurePackagesReachNoClient looks at everything that a pure package pulls in. The
// API machinery itself brings loggers, so those are forbidden as direct imports only.
func TestPurePackagesReachNoClient(t *testing.T) {
	forbidden := []string{
		"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "k8s.io/apiserver", "github.com/prometheus", "go.uber.org/zap",
		"k8s.io/kubernetes",
	}
	for _, p := range packages(t) {
		if l := layerOf(p.within()); l != pure && l != api {
			continue
		}
		for _, dep := range p.Deps {
			if under(dep, forbidden) {
				t.Errorf("%s reaches %s", p.within(), dep)
			}
		}
	}
}

// TestEngineReachesNothingImpure holds the engine to more: what it imports of our own
// counts too, at any distance.
func TestEngineReachesNothingImpure(t *testing.T) {
	byPath := map[string]listed{}
	for _, p := range packages(t) {
		byPath[p.ImportPath] = p
	}
	engine, found := byPath[module+"/internal/engine"]
	if !found {
		t.Fatal("there is no package internal/engine")
	}
	for _, dep := range append([]string{engine.ImportPath}, engine.Deps...) {
		own, found := byPath[dep]
		if !found {
			continue
		}
		if l := layerOf(own.within()); l != pure && l != api {
			t.Errorf("the engine reaches %s, which is %s", own.within(), l)
		}
		for _, imported := range own.Imports {
			if imported == "net" || under(imported, impure) || under(imported, clients) {
				t.Errorf("the engine reaches %s, which imports %s", own.within(), imported)
			}
		}
	}
}

func TestAPIImportsOnlyAPITypes(t *testing.T) {
	types := []string{"k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver/pkg/apis"}
	for _, p := range packages(t) {
		if layerOf(p.within()) != api {
			continue
		}
		for _, imported := range p.Imports {
			if strings.Contains(strings.Split(imported, "/")[0], ".") && !under(imported, types) {
				t.Errorf("%s imports %s: the API imports Kubernetes API types only", p.within(), imported)
			}
		}
	}
}

func TestKubernetesItselfStaysInDevcluster(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if under(imported, []string{"k8s.io/kubernetes"}) {
				t.Errorf("%s imports %s: only hack/devcluster, a module of its own, may", p.within(), imported)
			}
		}
	}
}

func TestPackageNames(t *testing.T) {
	for _, p := range packages(t) {
		for _, bad := range []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"} {
			if p.Name == bad || strings.HasSuffix(p.within(), "/"+bad) {
				t.Errorf("package %s: the name says nothing about what is in it", p.within())
			}
		}
	}
}
