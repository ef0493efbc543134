// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kudo.dev/kudo/internal/revision"
)

// ErrNotRecorded says that a Secret can not be had again as it was applied: its content is
// not on record, and it does not render to the same.
var ErrNotRecorded = errors.New("its content is not on record, and it does not render as it was applied")

// Source yields the version and the inputs that rendered an object; a nil version says
// that it can not be read any more.
type Source func() (*Version, *revision.Inputs, error)

// Recorded is an object as its last apply sent it: the stored content. That of a Secret is
// never stored, so it is rendered again, and must come out the same.
func Recorded(o *revision.Object, source Source, id Identity, scope Scope) (Rendered, error) {
	out := Rendered{Object: &unstructured.Unstructured{}, Template: o.Template, Task: o.Task}
	if len(o.Content) > 0 {
		if err := json.Unmarshal(o.Content, out.Object); err != nil {
			return Rendered{}, fmt.Errorf("reading the stored content: %w", err)
		}
		return out, nil
	}
	version, in, err := source()
	if err != nil {
		return Rendered{}, err
	}
	if version == nil || version.Task(o.Task) == nil {
		return Rendered{}, ErrNotRecorded
	}
	rendered, err := version.RenderTask(version.Task(o.Task), in, id, Run{}, scope)
	if err != nil {
		return Rendered{}, fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	for _, again := range rendered {
		if revision.Key(revision.Reference(again.Object)) != revision.Key(o.ObjectReference) {
			continue
		}
		if digest, err := revision.Digest(again.Object.Object); err != nil || digest == o.Digest {
			return again, err
		}
	}
	return Rendered{}, ErrNotRecorded
}
