// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"cmp"
	"slices"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// declarePermissions declares the kinds that templates may render only if the version says
// so: those of cluster scope and those that grant power. It looks at the text, so that a
// kind within a condition counts too.
func (im *importer) declarePermissions() {
	for _, o := range im.build.outputs {
		for _, doc := range o.src.docs {
			if doc.kind == "" || doc.apiVersion == "" || strings.Contains(doc.kind+doc.apiVersion, "{{") {
				continue
			}
			apiVersion := doc.apiVersion
			if moved, found := oldAPI(apiVersion, doc.kind); found && moved.successor != "" {
				apiVersion = moved.successor
			}
			if !sensitive(apiVersion, doc.kind) {
				continue
			}
			group, _, found := strings.Cut(apiVersion, "/")
			if !found {
				group = ""
			}
			p := v1alpha1.Permission{Group: group, Kind: doc.kind}
			if slices.Contains(im.build.permissions, p) {
				continue
			}
			im.build.permissions = append(im.build.permissions, p)
			im.changed(o.src.file(), doc.line, "the kind "+doc.kind, "it is of cluster scope or grants power; the version declares it in permissions",
				"give the account of Instances the right to write it")
		}
	}
	slices.SortFunc(im.build.permissions, func(a, b v1alpha1.Permission) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
}
