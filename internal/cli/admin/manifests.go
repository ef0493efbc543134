// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/config"
	"kudo.dev/kudo/internal/cli/command"
)

// image is what config/ calls the manager's.
const image = "kudo/manager"

// manifests builds the kustomization default, or certmanager, with an image and components.
func manifests(overlay, name string, components []string) ([]*unstructured.Unstructured, error) {
	disk, err := files()
	if err != nil {
		return nil, err
	}
	base := "config/default"
	if overlay != "" {
		base = "config/overlays/" + overlay
	}
	wanted := map[string]any{"resources": []string{"../" + base}, "images": []any{imageOf(name)}}
	var parts []string
	for _, c := range components {
		if !disk.Exists("/config/components/" + c) {
			return nil, command.Misuse("there is no component %q: there are %s", c, strings.Join(known(), ", "))
		}
		parts = append(parts, "../config/components/"+c)
	}
	if len(parts) > 0 {
		wanted["components"] = parts
	}
	raw, err := yaml.Marshal(wanted)
	if err == nil {
		err = disk.WriteFile("/install/kustomization.yaml", raw)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the kustomization: %w", err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/install")
	if err != nil {
		return nil, fmt.Errorf("building the manifests: %w", err)
	}
	var out []*unstructured.Unstructured
	for _, r := range built.Resources() {
		o := &unstructured.Unstructured{}
		raw, err := r.MarshalJSON()
		if err == nil {
			err = o.UnmarshalJSON(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", r.CurId(), err)
		}
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	return out, nil
}

// rank puts first what the rest needs.
func rank(o *unstructured.Unstructured) int {
	switch o.GetKind() {
	case "Namespace":
		return 0
	case "CustomResourceDefinition":
		return 1
	}
	return 2
}

func imageOf(name string) map[string]string {
	out := map[string]string{"name": image}
	bare, digest, pinned := strings.Cut(name, "@")
	if i := strings.LastIndex(bare, ":"); i > strings.LastIndex(bare, "/") {
		bare, out["newTag"] = bare[:i], bare[i+1:]
	}
	if out["newName"] = bare; pinned {
		out["digest"] = digest
		delete(out, "newTag")
	}
	return out
}

// files copies the kustomizations to where kustomize can build them.
func files() (filesys.FileSystem, error) {
	disk := filesys.MakeFsInMemory()
	err := fs.WalkDir(config.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := config.Files.ReadFile(name)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		return disk.WriteFile("/"+path.Join("config", name), raw) //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("reading the manifests: %w", err)
	}
	return disk, nil
}

// known are the components of config/.
func known() []string {
	entries, err := config.Files.ReadDir("components")
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}
