// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/revision"
)

// content is an object as its last apply sent it: the stored bytes. A Secret's are not
// stored, so it is rendered again and must come out the same.
func (r *Reconciler) content(ctx context.Context, inst *v1alpha1.Instance, o *observed, object *revision.Object) (*unstructured.Unstructured, error) {
	if len(object.Content) == 0 {
		return r.secret(ctx, inst, o, object)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(object.Content); err != nil {
		return nil, fmt.Errorf("reading the stored content of %s: %w", apply.Describe(object.ObjectReference), err)
	}
	return u, nil
}

func (r *Reconciler) secret(ctx context.Context, inst *v1alpha1.Instance, o *observed, object *revision.Object) (*unstructured.Unstructured, error) {
	refused := func(why string) error {
		return &apply.Refusal{Reason: v1alpha1.ReasonNotPutBack, Message: why + ", and the content of Secrets is not stored: run the plan update"}
	}
	in := o.baseline.Completed
	if in == nil {
		return nil, refused("no run has completed")
	}
	version, err := r.completedVersion(ctx, in)
	if err != nil {
		return nil, err
	}
	if version == nil || version.Task(object.Task) == nil {
		return nil, refused("the version that rendered it can not be read any more")
	}
	identity := graph.Identity{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID}
	rendered, err := version.RenderTask(version.Task(object.Task), in, identity, graph.Run{}, nil)
	if err != nil {
		return nil, refused("it does not render: " + err.Error())
	}
	for _, one := range rendered {
		if revision.Key(revision.Reference(one.Object)) != revision.Key(object.ObjectReference) {
			continue
		}
		digest, err := revision.Digest(one.Object.Object)
		if err != nil {
			return nil, err
		}
		if digest == object.Digest {
			return one.Object, nil
		}
	}
	return nil, refused("it does not render as it was applied")
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
