// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/revision"
)

// Yield changes what is about to be sent so that fields which are left to others stay as
// they are. One that another manager owns is not sent, and one that someone removed is
// not sent either. One that is Kudo's alone is sent as it is now: left out, the API
// server would remove it.
func Yield(body, live *unstructured.Unstructured, last json.RawMessage, rules []v1alpha1.IgnoreField) {
	owners := claims(live.GetManagedFields())
	left := pointersFor(rules, revision.Reference(body))
	record := decode(last)
	all := record
	for _, c := range owners {
		all = all.Union(c.fields)
	}
	original := body.DeepCopy().Object
	for path := range all.Leaves().All() {
		scaled, others := false, false
		for _, c := range owners {
			if !c.own && c.fields.Has(path) {
				others, scaled = true, scaled || c.subresource == scale
			}
		}
		if !scaled && !left.covers(path, original) {
			continue
		}
		if _, sent := get(original, path); !sent {
			continue
		}
		now, set := get(live.Object, path)
		switch {
		case others:
			remove(body.Object, path)
		case set:
			replace(body.Object, path, runtime.DeepCopyJSONValue(now))
		case record.Has(path):
			remove(body.Object, path)
		}
	}
}

// Withdraw takes out what others own and Kudo's last apply did not: it can be sent by
// force then without taking anything away from them.
func Withdraw(body, live *unstructured.Unstructured, last json.RawMessage) {
	record := decode(last)
	for _, c := range claims(live.GetManagedFields()) {
		if c.own {
			continue
		}
		for path := range c.fields.Leaves().All() {
			if !record.Has(path) {
				remove(body.Object, path)
			}
		}
	}
}
