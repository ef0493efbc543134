// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/json"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
)

// narrowed compares the schema that both versions fit with that of the newer one: where they
// differ, the newer one does not take something that the older one took.
func narrowed(s *subject, r *reporter) {
	both := inOrder(s)
	if crdgen.Conflicts(both)["b"] != nil {
		return
	}
	// Fitting a schema with itself can change its form too.
	again := both[1].DeepCopy()
	again.Name = both[0].Name
	wide, narrow := schemas(s, both), schemas(s, []*v1alpha1.FrameworkVersion{again, both[1]})
	kept(s, func(now, _ *v1alpha1.Parameter) {
		if !same(canonical(wide[now.Name]), canonical(narrow[now.Name])) {
			r.field("version.parameters["+now.Name+"].schema", "parameter %s no longer takes everything that it took in %s", now.Name, s.old.spec.Version)
		}
	})
}

func schemas(s *subject, versions []*v1alpha1.FrameworkVersion) map[string]apiextensionsv1.JSONSchemaProps {
	crd, err := crdgen.Build(s.pkg.Framework, versions)
	if err != nil || len(crd.Spec.Versions) == 0 || crd.Spec.Versions[0].Schema == nil {
		return nil
	}
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return spec.Properties["parameters"].Properties
}

// canonical drops words and order.
func canonical(p apiextensionsv1.JSONSchemaProps) any {
	raw, err := json.Marshal(p)
	var out any
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return plain(out)
}

func plain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for _, word := range []string{"description", "title", "example", "externalDocs"} {
			if _, is := x[word].(map[string]any); !is || word == "externalDocs" {
				delete(x, word)
			}
		}
		for key, item := range x {
			x[key] = plain(item)
		}
	case []any:
		slices.SortFunc(x, func(a, b any) int {
			rawA, _ := json.Marshal(a) //nolint:errchkjson // it was JSON before
			rawB, _ := json.Marshal(b) //nolint:errchkjson // it was JSON before
			return strings.Compare(string(rawA), string(rawB))
		})
		for i := range x {
			x[i] = plain(x[i])
		}
	}
	return v
}
