// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// hook is what matters here of one webhook in a configuration.
type hook struct {
	name   string
	bundle []byte
}

// target is a webhook configuration whose caBundles are kept.
type target struct {
	kind  string
	name  string
	empty func() client.Object
	hooks func(client.Object) []hook
}

func targetOf[T client.Object](kind, name string, empty func() T, hooks func(T) []hook) target {
	return target{
		kind: kind, name: name,
		empty: func() client.Object { return empty() },
		hooks: func(obj client.Object) []hook {
			if config, ok := obj.(T); ok {
				return hooks(config)
			}
			return nil
		},
	}
}

func (k *Keeper) targets() []target {
	var list []target
	if name := k.opts.Validating; name != "" {
		type config = admissionregistrationv1.ValidatingWebhookConfiguration
		list = append(list, targetOf("ValidatingWebhookConfiguration", name,
			func() *config { return &config{} },
			func(c *config) (hooks []hook) {
				for _, w := range c.Webhooks {
					hooks = append(hooks, hook{w.Name, w.ClientConfig.CABundle})
				}
				return hooks
			}))
	}
	if name := k.opts.Mutating; name != "" {
		type config = admissionregistrationv1.MutatingWebhookConfiguration
		list = append(list, targetOf("MutatingWebhookConfiguration", name,
			func() *config { return &config{} },
			func(c *config) (hooks []hook) {
				for _, w := range c.Webhooks {
					hooks = append(hooks, hook{w.Name, w.ClientConfig.CABundle})
				}
				return hooks
			}))
	}
	return list
}

// publish brings the bundle to every webhook configuration that lacks it.
func (k *Keeper) publish(ctx context.Context, reader client.Reader, writer client.Writer) error {
	var lagging []string
	var problems []error
	changed := false
	for _, t := range k.targets() {
		patched, err := k.publishTo(ctx, reader, writer, t)
		changed = changed || patched
		if err != nil {
			lagging = append(lagging, t.kind+" "+t.name)
			problems = append(problems, fmt.Errorf("publishing the CA in %s %s: %w", t.kind, t.name, err))
		}
	}
	k.lagging.Store(&lagging)
	switch {
	case len(problems) > 0:
		k.since = time.Time{}
	case changed || k.since.IsZero():
		k.since = k.opts.Clock.Now()
	}
	return errors.Join(problems...)
}

func (k *Keeper) publishTo(ctx context.Context, reader client.Reader, writer client.Writer, t target) (bool, error) {
	obj := t.empty()
	if err := reader.Get(ctx, client.ObjectKey{Name: t.name}, obj); err != nil {
		// It may be installed later; the watch will tell.
		return false, client.IgnoreNotFound(err)
	}
	obj = newest(k.wrote, obj)
	patch, err := k.contents.bundlePatch(t.hooks(obj), k.opts.Clock.Now())
	if err != nil || patch == nil {
		return false, err
	}
	err = writer.Patch(ctx, obj, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(FieldManager))
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	k.wrote.remember(obj)
	k.opts.Log.Info("Published the CA", "kind", t.kind, "name", t.name)
	return true, nil
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// bundlePatch returns the JSON patch that brings the bundle to the hooks that
// lack it, nil if none does. The test of the name makes the API server refuse
// the patch if the list was changed since it was read.
func (c *contents) bundlePatch(hooks []hook, now time.Time) ([]byte, error) {
	var ops []operation
	for i, h := range hooks {
		if c.covers(h.bundle, now) {
			continue
		}
		path := fmt.Sprintf("/webhooks/%d/", i)
		ops = append(ops,
			operation{"test", path + "name", h.name},
			operation{"add", path + "clientConfig/caBundle", c.bundle()})
	}
	if ops == nil {
		return nil, nil
	}
	return json.Marshal(ops)
}
