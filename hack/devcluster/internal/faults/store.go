// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"
)

const (
	storeNamespace = metav1.NamespaceSystem
	storeName      = "devcluster-faults"
	storeKey       = "faults.yaml"
	// annotationObserved is the injector's receipt: a digest of the faults that hold for every pod from now on.
	annotationObserved = "devcluster/observed"
)

// Store is the list of faults that are on, kept in a ConfigMap.
type Store struct {
	client kubernetes.Interface
}

// NewStore returns the store of the cluster that the client talks to.
func NewStore(client kubernetes.Interface) Store { return Store{client: client} }

// List returns the faults that are on.
func (s Store) List(ctx context.Context) ([]Fault, error) {
	cm, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	return decode(cm)
}

// Set turns a fault on. It takes the place of an earlier one with the same target.
func (s Store) Set(ctx context.Context, f Fault) error {
	if err := f.Validate(); err != nil {
		return fmt.Errorf("checking the fault: %w", err)
	}
	return s.change(ctx, func(faults []Fault) ([]Fault, error) {
		return append(without(faults, f.Target), f), nil
	})
}

// Heal turns the fault with exactly this target off.
func (s Store) Heal(ctx context.Context, t Target) error {
	return s.change(ctx, func(faults []Fault) ([]Fault, error) {
		rest := without(faults, t)
		if len(rest) == len(faults) {
			return nil, fmt.Errorf("no fault is on for %s; on are: %v", t, faults)
		}
		return rest, nil
	})
}

// HealAll turns all faults off.
func (s Store) HealAll(ctx context.Context) error {
	return s.change(ctx, func([]Fault) ([]Fault, error) { return nil, nil })
}

func without(faults []Fault, t Target) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return f.Target == t })
}

func (s Store) change(ctx context.Context, edit func([]Fault) ([]Fault, error)) error {
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		cm, err := s.get(ctx)
		if err != nil {
			return err
		}
		faults, err := decode(cm)
		if err != nil {
			return err
		}
		if faults, err = edit(faults); err != nil {
			return err
		}
		if err := encode(cm, faults); err != nil {
			return err
		}
		if cm.ResourceVersion == "" {
			_, err = s.client.CoreV1().ConfigMaps(storeNamespace).Create(ctx, cm, metav1.CreateOptions{})
		} else {
			_, err = s.client.CoreV1().ConfigMaps(storeNamespace).Update(ctx, cm, metav1.UpdateOptions{})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("changing the faults: %w", err)
	}
	return s.waitObserved(ctx)
}

// waitObserved returns when the injector has applied what the store holds.
func (s Store) waitObserved(ctx context.Context) error {
	for {
		cm, err := s.get(ctx)
		if err != nil {
			return err
		}
		if cm.Annotations[annotationObserved] == digest(cm) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the cluster to apply the faults: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// get returns an empty ConfigMap if there is none yet.
func (s Store) get(ctx context.Context) (*corev1.ConfigMap, error) {
	cm, err := s.client.CoreV1().ConfigMaps(storeNamespace).Get(ctx, storeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: storeNamespace, Name: storeName}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the faults: %w", err)
	}
	return cm, nil
}

func decode(cm *corev1.ConfigMap) ([]Fault, error) {
	var faults []Fault
	if err := yaml.UnmarshalStrict([]byte(cm.Data[storeKey]), &faults); err != nil {
		return nil, fmt.Errorf("decoding the faults: %w", err)
	}
	var errs []error
	for _, f := range faults {
		errs = append(errs, f.Validate())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("decoding the faults: %w", err)
	}
	return faults, nil
}

func encode(cm *corev1.ConfigMap, faults []Fault) error {
	data, err := yaml.Marshal(faults)
	if err != nil {
		return fmt.Errorf("encoding the faults: %w", err)
	}
	cm.Data = map[string]string{storeKey: string(data)}
	return nil
}

func digest(cm *corev1.ConfigMap) string {
	sum := sha256.Sum256([]byte(cm.Data[storeKey]))
	return hex.EncodeToString(sum[:8])
}
