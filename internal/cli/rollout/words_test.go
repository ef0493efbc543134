// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Who asks for what is not there learns what is.
func TestInstead(t *testing.T) {
	published := func(ids ...string) (out []v1alpha1.FrameworkVersion) {
		for _, id := range ids {
			framework, version, _ := strings.Cut(id, " ")
			out = append(out, v1alpha1.FrameworkVersion{Spec: v1alpha1.FrameworkVersionSpec{Framework: framework, Version: version}})
		}
		return out
	}
	for name, tt := range map[string]struct {
		all                      []v1alpha1.FrameworkVersion
		framework, version, want string
	}{
		"nothing at all":     {nil, "zk", "", "there is no framework zk, and no other. Publish it with: "},
		"another framework":  {published("b 1", "a 1", "a 2"), "zk", "1", "there is no framework zk. There are: a, b. Publish it"},
		"another version":    {published("zk 2", "zk 1", "a 9"), "zk", "3", "there is no version 3 of the framework zk. There are: 1, 2. Publish another"},
		"no default version": {published("zk 2", "zk 1"), "zk", "", "the framework zk has no default version: name one with --version. There are: 1, 2"},
	} {
		if got := instead(tt.all, tt.framework, tt.version).Error(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// The words of a webhook or policy are the message; advice that does not fit is none.
func TestRefused(t *testing.T) {
	things := schema.GroupResource{Group: "kudo.dev", Resource: "instances"}
	for name, tt := range map[string]struct {
		err          error
		want, absent string
	}{
		"a webhook":      {apierrors.NewForbidden(things, "a", errors.New(`admission webhook "x" denied the request: spec.version: too old`)), "refused: spec.version: too old", "ClusterRole"},
		"a policy":       {apierrors.NewForbidden(things, "a", errors.New(`ValidatingAdmissionPolicy 'p' with binding 'p' denied request: user "u" may not run anything`)), `refused: user "u" may not run anything`, "ClusterRole"},
		"no right":       {apierrors.NewForbidden(things, "a", errors.New("no")), "changing x/a: instances.kudo.dev \"a\" is forbidden: no. Ask an admin for the ClusterRole", "refused"},
		"a race":         {apierrors.NewConflict(things, "a", errors.New("no")), "changing x/a: somebody else changed it at the same time; try again", "ClusterRole"},
		"a taken name":   {apierrors.NewAlreadyExists(things, "a"), "x/a is there already: change it", "changing"},
		"something else": {errors.New("no route"), "changing x/a: no route", "refused"},
	} {
		got := refused("changing", "x/a", tt.err).Error()
		if !strings.HasPrefix(got, tt.want) || strings.Contains(got, tt.absent) {
			t.Errorf("%s: %q, want %q without %q", name, got, tt.want, tt.absent)
		}
	}
}
