// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/forecast"
)

// check asks the API server, by a dry run, whether the rights may be made: before a person is
// asked, and before half of them are.
func (r *rights) check(ctx context.Context, s *session) error {
	for _, one := range r.all {
		if !one.alone || one.verb == forecast.Keep {
			continue
		}
		if err := r.send(ctx, s, one, client.DryRunAll); err != nil {
			return err
		}
	}
	return nil
}

// apply makes what is missing.
func (r *rights) apply(ctx context.Context, s *session) error {
	for _, one := range r.all {
		done := map[forecast.Verb]string{forecast.Create: "is made", forecast.Update: "is changed", forecast.Keep: "is there"}[one.verb]
		if one.verb != forecast.Keep {
			if err := r.send(ctx, s, one); err != nil {
				return err
			}
		}
		s.Printf("%s %s\n", titleOf(one.object), done)
	}
	return nil
}

// send applies an object, without force: what somebody else wrote differently stays his.
func (r *rights) send(ctx context.Context, s *session, one right, options ...client.ApplyOption) error {
	body := client.ApplyConfigurationFromUnstructured(one.object.DeepCopy())
	return r.denied(titleOf(one.object), s.client.Apply(ctx, body, append(options, manager)...))
}

// lacking comes, in the words of the API server, before the rights that somebody has not.
const lacking = "attempting to grant RBAC permissions not currently held"

// denied says what to do about an error of the API server.
func (r *rights) denied(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsConflict(err):
		return fmt.Errorf("making %s: somebody else wrote it, and not all that is needed: %w. Add it there, or take another account", what, err)
	case !apierrors.IsForbidden(err):
		return evidence.Denied("making "+what, err) //nolint:wrapcheck // it says what it is about
	}
	text := err.Error()
	if _, rules, found := strings.Cut(text, lacking); found {
		rules = strings.Join(strings.Split(strings.Trim(rules, ":\n "), "\n"), "\n  ")
		text = "you may not grant rights that you do not have yourself:\n  " + rules + "\n"
	} else {
		text += ". "
	}
	return errors.New("making " + what + ": " + text + "An admin must run: " + r.admin + "\nAfter that, deploy without --grant")
}
