// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// content is an object as its last apply sent it.
func (r *Reconciler) content(ctx context.Context, inst *v1alpha1.Instance, o *observed, object *revision.Object) (*unstructured.Unstructured, error) {
	source := func() (*graph.Version, *revision.Inputs, error) {
		if o.baseline.Completed == nil {
			return nil, nil, nil
		}
		version, err := r.completedVersion(ctx, o.baseline.Completed)
		return version, o.baseline.Completed, err
	}
	recorded, err := graph.Recorded(object, source, identityOf(inst), nil)
	if errors.Is(err, graph.ErrNotRecorded) {
		return nil, &apply.Refusal{Reason: v1alpha1.ReasonNotPutBack, Message: err.Error() + ": run the plan update"}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", apply.Describe(object.ObjectReference), err)
	}
	return recorded.Object, nil
}

// completedVersion is the version of the last completed run, nil if it can not be read.
func (r *Reconciler) completedVersion(ctx context.Context, in *revision.Inputs) (*graph.Version, error) {
	spec, err := in.GetProgram()
	if err != nil {
		return nil, err
	}
	if spec == nil {
		fwv := &v1alpha1.FrameworkVersion{}
		if err := r.Client.Get(ctx, client.ObjectKey{Name: in.FrameworkVersion}, fwv); err != nil {
			return nil, client.IgnoreNotFound(fmt.Errorf("reading FrameworkVersion %s: %w", in.FrameworkVersion, err))
		}
		spec = &fwv.Spec
	}
	version, errs := r.Versions.Compile(spec)
	if len(errs) > 0 || version.Digest != in.Digest {
		return nil, nil //nolint:nilnil // it is not what the run started with
	}
	return version, nil
}
