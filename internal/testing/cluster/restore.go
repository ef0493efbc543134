// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

// Restore stores an object past the API server, with the UID, times and status that it
// has, as a backup of etcd brings it back.
func (c *Cluster) Restore(ctx context.Context, o *unstructured.Unstructured) error {
	if c.Audit == nil {
		return errors.New("restoring an object: the etcd of an existing cluster is out of reach")
	}
	gvk := o.GroupVersionKind()
	mapping, err := c.Client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return fmt.Errorf("restoring %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	stored := o.DeepCopy()
	stored.SetResourceVersion("") // etcd's own revision is that
	raw, err := stored.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encoding %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	if err := c.put(ctx, registryKey(mapping, o), bytes.TrimSpace(raw)); err != nil {
		return fmt.Errorf("restoring %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	return nil
}

// registryKey is where the API server keeps an object. Its own kinds have no group there,
// and Services stand beside their addresses; a few rare kinds have odd places too.
func registryKey(mapping *meta.RESTMapping, o *unstructured.Unstructured) string {
	group, resource := mapping.Resource.Group, mapping.Resource.Resource
	if clientgoscheme.Scheme.Recognizes(mapping.GroupVersionKind) {
		group = ""
	}
	if group == "" && resource == "services" {
		resource = "services/specs"
	}
	return path.Join("/registry", group, resource, o.GetNamespace(), o.GetName())
}

// put speaks to etcd through its gateway, which needs no client library.
func (c *Cluster) put(ctx context.Context, key string, value []byte) error {
	body, err := json.Marshal(map[string][]byte{"key": []byte(key), "value": value})
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	url := c.env.ControlPlane.Etcd.URL.JoinPath("v3", "kv", "put").String()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking etcd: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking etcd: %w", err)
	}
	answer, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("reading the answer of etcd: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answers %s: %s", response.Status, answer)
	}
	return nil
}
