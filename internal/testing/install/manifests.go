// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package install puts Kudo and its tenants on a cluster the way that an admin
// does: from the manifests of config/, with the roles that stand there.
package install

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"kudo.dev/kudo/internal/testing/repository"
)

// Loopback is where the manager serves its webhooks beside the API server.
const Loopback = "127.0.0.1"

// Manifests renders config/overlays/dev of the repository, with the webhooks called on
// the given port of loopback. Namespaces and CRDs come first: the rest needs them.
func Manifests(webhookPort int) ([]*unstructured.Unstructured, error) {
	root, err := repository.Root()
	if err != nil {
		return nil, err
	}
	return ManifestsFrom(root, webhookPort)
}

// ManifestsFrom renders those of another source tree.
func ManifestsFrom(root string, webhookPort int) ([]*unstructured.Unstructured, error) {
	overlay := filepath.Join(root, "config", "overlays", "dev")
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay)
	if err != nil {
		return nil, fmt.Errorf("rendering config/overlays/dev: %w", err)
	}
	raw, err := resources.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("encoding config/overlays/dev: %w", err)
	}
	objects, err := decode(raw)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if err := setPort(o, webhookPort); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	return objects, nil
}

func rank(o *unstructured.Unstructured) int {
	switch o.GetKind() {
	case "Namespace":
		return 0
	case "CustomResourceDefinition":
		return 1
	}
	return 2
}

func decode(raw []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
		o := &unstructured.Unstructured{}
		err := d.Decode(o)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decoding manifests: %w", err)
		}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
}

// setPort rewrites the port of the URLs of a webhook configuration.
func setPort(o *unstructured.Unstructured, port int) error {
	hooks, found, err := unstructured.NestedSlice(o.Object, "webhooks")
	if err != nil || !found {
		return err
	}
	for _, hook := range hooks {
		entry, ok := hook.(map[string]any)
		if !ok {
			return fmt.Errorf("a webhook of %s is no object", o.GetName())
		}
		raw, found, err := unstructured.NestedString(entry, "clientConfig", "url")
		if err != nil || !found {
			return fmt.Errorf("a webhook of %s has no URL: %w", o.GetName(), err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			return fmt.Errorf("parsing the URL of a webhook of %s: %w", o.GetName(), err)
		}
		u.Host = net.JoinHostPort(Loopback, strconv.Itoa(port))
		if err := unstructured.SetNestedField(entry, u.String(), "clientConfig", "url"); err != nil {
			return fmt.Errorf("setting the URL of a webhook of %s: %w", o.GetName(), err)
		}
	}
	return unstructured.SetNestedSlice(o.Object, hooks, "webhooks")
}
