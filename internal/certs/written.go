// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// written holds what this process wrote last of each object. A cache may answer
// with something older for a moment; acting on that would write it again.
type written map[string]client.Object

func (w written) remember(obj client.Object) {
	w[w.key(obj)] = obj
}

// newest returns what was read, or a copy of what was written last if that is
// newer.
func newest[T client.Object](w written, read T) T {
	last, found := w[w.key(read)]
	if !found {
		return read
	}
	order, err := resourceversion.CompareResourceVersion(read.GetResourceVersion(), last.GetResourceVersion())
	if err != nil || order >= 0 {
		return read
	}
	if ours, ok := last.DeepCopyObject().(T); ok {
		return ours
	}
	return read
}

func (written) key(obj client.Object) string {
	return fmt.Sprintf("%T %s", obj, client.ObjectKeyFromObject(obj))
}
