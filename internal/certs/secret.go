// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// syncSecret brings the CA Secret to what it should hold and remembers it.
func (k *Keeper) syncSecret(ctx context.Context, reader client.Reader, writer client.Writer) error {
	secret, err := k.readSecret(ctx, reader)
	if err != nil {
		return err
	}
	var data map[string][]byte
	if secret != nil {
		data = secret.Data
	}
	p, err := planSecret(data, k.contents, k.opts.Clock.Now(), k.opts.CALifetime)
	if err != nil {
		return fmt.Errorf("planning the CA in Secret %s: %w", k.opts.Secret, err)
	}
	if p.change == keep {
		k.adopt(p.want)
		return nil
	}
	if err := k.writeSecret(ctx, writer, secret, p.want); err != nil {
		return fmt.Errorf("writing the CA to Secret %s (%s): %w", k.opts.Secret, p.change, err)
	}
	k.report(p)
	k.adopt(p.want)
	return nil
}

// readSecret returns nil if the Secret does not exist.
func (k *Keeper) readSecret(ctx context.Context, reader client.Reader) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := reader.Get(ctx, k.opts.Secret, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the CA from Secret %s: %w", k.opts.Secret, err)
	}
	return newest(k.wrote, secret), nil
}

func (k *Keeper) writeSecret(ctx context.Context, writer client.Writer, old *corev1.Secret, want *contents) error {
	data, err := want.data()
	if err != nil {
		return err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: k.opts.Secret.Namespace,
			Name:      k.opts.Secret.Name,
			Labels:    map[string]string{"app.kubernetes.io/managed-by": "kudo"},
		},
		Type: corev1.SecretTypeOpaque,
	}
	if old == nil {
		secret.Data = data
		err = writer.Create(ctx, secret, client.FieldOwner(FieldManager))
	} else {
		// The resource version of what was read goes along: of two managers that
		// decide at the same time, one is refused.
		secret = old.DeepCopy()
		secret.Data = data
		err = writer.Update(ctx, secret, client.FieldOwner(FieldManager))
	}
	if err == nil {
		k.wrote.remember(secret)
	}
	return err
}

func (k *Keeper) report(p plan) {
	log := k.opts.Log.WithValues("secret", k.opts.Secret.String(),
		"caSerial", p.want.current.cert.SerialNumber.Text(16), "notAfter", p.want.current.cert.NotAfter)
	switch p.change {
	case repair:
		log.Error(p.problem, "Replaced an unusable CA")
	case create:
		log.Info("Created the CA")
	case rotate:
		log.Info("Rotated the CA")
	case keep:
	case prune:
		log.Info("Dropped an expired CA")
	}
}

func (k *Keeper) adopt(c *contents) {
	if k.contents == nil || !k.contents.current.cert.Equal(c.current.cert) {
		k.since = time.Time{}
	}
	k.contents = c
}
