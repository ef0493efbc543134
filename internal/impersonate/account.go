// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package impersonate hands out clients that act as a ServiceAccount.
//
// Everything that an Instance renders is written by the account that the
// Instance names, never by the manager: the manager authenticates, the account
// is authorised. There is no way from this package back to the manager's own
// rights.
package impersonate

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validation"
)

// userPrefix is what the API server puts before namespace and name of every
// ServiceAccount.
const userPrefix = "system:serviceaccount:"

// ErrNoAccount reports an Account that names no ServiceAccount.
var ErrNoAccount = errors.New("no ServiceAccount to act as")

// Account names the ServiceAccount to act as.
type Account struct {
	Namespace string
	Name      string
}

// UserName returns the user name by which the API server knows the account.
func (a Account) UserName() string {
	return userPrefix + a.Namespace + ":" + a.Name
}

// String returns namespace and name as kubectl writes them.
func (a Account) String() string {
	return a.Namespace + "/" + a.Name
}

// Validate refuses what does not name exactly one ServiceAccount. A name with a
// colon in it would be read as an ordinary user, for whom other rules apply.
func (a Account) Validate() error {
	if a.Namespace == "" || a.Name == "" {
		return fmt.Errorf("%w: namespace %q, name %q", ErrNoAccount, a.Namespace, a.Name)
	}
	if problems := validation.ValidateNamespaceName(a.Namespace, false); len(problems) > 0 {
		return fmt.Errorf("namespace %q of the account: %s", a.Namespace, strings.Join(problems, ", "))
	}
	if problems := validation.ValidateServiceAccountName(a.Name, false); len(problems) > 0 {
		return fmt.Errorf("name %q of the account: %s", a.Name, strings.Join(problems, ", "))
	}
	return nil
}
