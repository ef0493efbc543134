// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// letters and digits are the characters of a generated value unless told otherwise: they
// need no quotes anywhere.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// EnsureSecret makes the Secret of a generated parameter unless it is there. One that is
// there is never changed, and must have been made for the same Instance's parameter; it
// has no owner, so it outlives the Instance and serves the next one of its name.
func (a *Applier) EnsureSecret(ctx context.Context, name, parameter string, how v1alpha1.Generate, labels map[string]string) error {
	key := client.ObjectKey{Namespace: a.Owner.Namespace, Name: name}
	live := &corev1.Secret{}
	err := a.Client.Get(ctx, key, live)
	if err == nil {
		return a.generated(live, parameter)
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading the generated Secret %s: %w", key, err)
	}
	value, err := random(how)
	if err != nil {
		return fmt.Errorf("generating the value of parameter %s: %w", parameter, err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: name, Labels: map[string]string{v1alpha1.LabelGenerated: "true"},
			Annotations: map[string]string{v1alpha1.AnnotationParameter: parameter},
		},
		Type: corev1.SecretTypeOpaque, Data: map[string][]byte{revision.SecretKey: value},
	}
	for k, v := range labels {
		secret.Labels[k] = v
	}
	err = a.Client.Create(ctx, secret, client.FieldOwner(v1alpha1.FieldManager))
	if apierrors.IsAlreadyExists(err) { // someone was faster: an interrupted try, or a stranger
		if err = a.Client.Get(ctx, key, live); err == nil {
			return a.generated(live, parameter)
		}
	}
	if err != nil {
		return fmt.Errorf("creating the generated Secret %s: %w", key, err)
	}
	return nil
}

// generated says whether an existing Secret is the one that was once made here.
func (a *Applier) generated(s *corev1.Secret, parameter string) error {
	ref := v1alpha1.ObjectReference{APIVersion: "v1", Kind: "Secret", Namespace: s.Namespace, Name: s.Name}
	switch {
	case s.DeletionTimestamp != nil:
		return &Refusal{
			Reason: v1alpha1.ReasonWaiting, Transient: true,
			Message: Describe(ref) + " is being deleted: it is made anew once it is gone",
		}
	case s.Labels[v1alpha1.LabelGenerated] != "true" || s.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy ||
		s.Labels[v1alpha1.LabelInstance] != a.Owner.Name || s.Annotations[v1alpha1.AnnotationParameter] != parameter:
		return &Refusal{
			Reason: v1alpha1.ReasonNotOwned,
			Message: Describe(ref) + " exists and was not generated for parameter " + parameter + " of this Instance: " +
				"rename or remove it, or set the parameter to a reference {name, key} of your own",
		}
	case len(s.Data[revision.SecretKey]) == 0:
		return &Refusal{
			Reason:  v1alpha1.ReasonRefused,
			Message: Describe(ref) + " has no key " + revision.SecretKey + ": put the value back, or remove the Secret so that it is made anew",
		}
	}
	return nil
}

// random chooses each character with the same chance.
func random(how v1alpha1.Generate) ([]byte, error) {
	alphabet := []rune(how.Alphabet)
	if len(alphabet) == 0 {
		alphabet = []rune(letters)
	}
	slices.Sort(alphabet)
	alphabet = slices.Compact(alphabet) // a character that stands twice is not twice as likely
	size := big.NewInt(int64(len(alphabet)))
	out := make([]rune, how.Length)
	for i := range out {
		n, err := rand.Int(rand.Reader, size)
		if err != nil {
			return nil, fmt.Errorf("reading random numbers: %w", err)
		}
		out[i] = alphabet[n.Int64()]
	}
	return []byte(string(out)), nil
}
