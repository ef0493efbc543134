// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"errors"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/crdgen"
	"kudo.dev/kudo/internal/crdinstall"
)

const (
	// servedPause is how soon to ask again whether the API server serves a kind.
	servedPause = 50 * time.Millisecond
	// settling is how long a kind that is established may not be served yet.
	settling = 3 * time.Second
)

// facts are what one reconciliation knows.
type facts struct {
	versions []v1alpha1.FrameworkVersion
	// judged says that every version's verdict is about its newest spec.
	judged bool
	// names are those under which the kind was made, else those that the Framework wants.
	names v1alpha1.FrameworkNames
	// renamed says that the Framework wants others now.
	renamed bool
	// live is the stored definition; nil if there is none.
	live *apiextensionsv1.CustomResourceDefinition
	// strays are other definitions that were made for the Framework and never served.
	strays []apiextensionsv1.CustomResourceDefinition
}

func (r *Reconciler) gather(ctx context.Context, fw *v1alpha1.Framework) (*facts, error) {
	f := &facts{judged: true, names: crdgen.Names(fw)}
	if g := fw.Status.Generated; g != nil {
		f.renamed = *g != crdgen.Generated(f.names)
		f.names.Kind, f.names.Plural, f.names.Singular = g.Kind, g.Resource, g.Singular
	}
	var list v1alpha1.FrameworkVersionList
	if err := r.Client.List(ctx, &list, client.MatchingFields{v1alpha1.IndexFramework: fw.Name}); err != nil {
		return nil, fmt.Errorf("listing the versions of the Framework: %w", err)
	}
	f.versions = list.Items
	for i := range f.versions {
		c := meta.FindStatusCondition(f.versions[i].Status.Conditions, v1alpha1.ConditionValid)
		f.judged = f.judged && c != nil && c.ObservedGeneration == f.versions[i].Generation
	}
	var made apiextensionsv1.CustomResourceDefinitionList
	if err := r.Client.List(ctx, &made); err != nil {
		return nil, fmt.Errorf("listing definitions: %w", err)
	}
	for i := range made.Items {
		switch crd := &made.Items[i]; {
		case crd.Name == crdgen.Name(f.names):
			f.live = crd
		case crdgen.Owner(crd) == fw.Name:
			f.strays = append(f.strays, *crd)
		}
	}
	return f, nil
}

// ours says whether the stored definition is the Framework's.
func (f *facts) ours(fw *v1alpha1.Framework) bool {
	return f.live != nil && crdgen.Owner(f.live) == fw.Name
}

func (f *facts) valid() []*v1alpha1.FrameworkVersion {
	var out []*v1alpha1.FrameworkVersion
	for i := range f.versions {
		if meta.IsStatusConditionTrue(f.versions[i].Status.Conditions, v1alpha1.ConditionValid) {
			out = append(out, &f.versions[i])
		}
	}
	return out
}

// verdict is what became of the generated kind.
type verdict struct {
	established, stalled bool
	reason, message      string
	generated            *v1alpha1.GeneratedKind
	// pending says that a version waits to be judged: what follows is not known yet.
	pending bool
	// again is when to look again, if nothing else wakes it.
	again time.Duration
	// waits says that the kind's objects stand in the way: look again when they change.
	waits bool
}

// establish makes the definition what the Framework and its versions say, and watches the
// kind once it is served.
func (r *Reconciler) establish(ctx context.Context, fw *v1alpha1.Framework, f *facts) (verdict, error) {
	if err := r.addFinalizer(ctx, fw); err != nil {
		return verdict{}, err
	}
	var problem error
	if f.judged {
		problem = r.write(ctx, fw, f)
	}
	serves, err := r.watch(ctx, fw, f)
	if err != nil {
		return verdict{}, err
	}
	v := served(fw, f)
	if v.established && !serves {
		v = verdict{reason: v1alpha1.ReasonEstablishing, message: "the API server does not serve " + f.live.Name + " yet", again: servedPause}
	}
	v.pending = !f.judged
	return v.because(problem)
}

// watch watches a kind as long as its objects can be read, whatever else is wrong with it:
// they may be waiting to be let go.
func (r *Reconciler) watch(ctx context.Context, fw *v1alpha1.Framework, f *facts) (serves bool, err error) {
	if !f.ours(fw) || !crdinstall.Established(f.live) {
		r.Kinds.Forget(fw.Name)
		return false, nil
	}
	fresh := r.Clock.Now().Sub(crdinstall.EstablishedAt(f.live)) < settling
	if fresh && !r.Kinds.watches(fw.Name, f.live.UID) {
		// A watch that starts too early waits long before it tries again.
		if serves, err = r.Installer.Served(ctx, f.live); err != nil || !serves {
			return false, err //nolint:wrapcheck // says what was asked
		}
	}
	return true, r.Kinds.Watch(fw.Name, f.live.UID, crdgen.Generated(f.names), fw.Spec.ReplicasParameter)
}

// write creates or updates the definition. Its answer becomes what is known.
func (r *Reconciler) write(ctx context.Context, fw *v1alpha1.Framework, f *facts) error {
	if f.renamed {
		return errRenamed
	}
	for i := range f.strays {
		if f.strays[i].DeletionTimestamp == nil {
			if err := r.discard(ctx, &f.strays[i]); err != nil {
				return err
			}
		}
	}
	wanted, err := crdgen.Build(fw, f.valid())
	if errors.Is(err, crdgen.ErrNoVersion) && f.ours(fw) {
		return nil // what was made of the versions that were there stays
	}
	if err != nil {
		return &kindError{err}
	}
	if f.live == nil {
		live, err := r.Installer.Create(ctx, wanted, fw.Name)
		if live != nil {
			f.live = live
		}
		return err //nolint:wrapcheck // says what was done
	}
	if err := crdinstall.Foreign(f.live, fw.Name); err != nil {
		return err //nolint:wrapcheck // says all
	}
	if f.live.DeletionTimestamp != nil {
		return nil
	}
	f.live, err = r.Installer.Update(ctx, f.live, wanted)
	return err //nolint:wrapcheck // says what was done
}

// discard removes a definition that was made under names that could not be had, unless
// somebody used it all the same.
func (r *Reconciler) discard(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	if _, count, err := r.Installer.Left(ctx, crd); err != nil || count > 0 {
		return err //nolint:wrapcheck // says what was looked for
	}
	return r.Installer.Delete(ctx, crd) //nolint:wrapcheck // says what was done
}

// kindError says that no kind can be made of a Framework.
type kindError struct{ error }

// Unwrap gives the reason.
func (e *kindError) Unwrap() error { return e.error }

var errRenamed = &kindError{errors.New("kind, plural and singular can not be changed: objects exist under these names. Put them back, or create another Framework")}

// served says what the API server made of the stored definition.
func served(fw *v1alpha1.Framework, f *facts) verdict {
	switch {
	case !f.ours(fw):
		return verdict{reason: v1alpha1.ReasonEstablishing, message: "the kind is not defined yet"}
	case crdinstall.NamesRefused(f.live) != "":
		return verdict{stalled: true, reason: v1alpha1.ReasonNameTaken,
			message: crdinstall.NamesRefused(f.live) + ": set spec.names to other names"}
	case !crdinstall.Established(f.live):
		return verdict{reason: v1alpha1.ReasonEstablishing, message: "the API server does not serve " + f.live.Name + " yet"}
	case f.live.DeletionTimestamp != nil:
		return verdict{reason: v1alpha1.ReasonEstablishing, message: f.live.Name + " is being deleted, and is made again once it is gone"}
	}
	g := crdgen.Generated(f.names)
	return verdict{established: true, reason: v1alpha1.ReasonEstablished, generated: &g,
		message: "objects of kind " + g.Kind + " in " + g.APIVersion + " can be created"}
}

// because joins what stood in the way of a newer definition. What is transient is tried again.
func (v verdict) because(problem error) (verdict, error) {
	var invalid *kindError
	switch {
	case problem == nil:
		return v, nil
	case errors.Is(problem, crdgen.ErrNoVersion):
		v.reason = v1alpha1.ReasonNoValidVersion
	case errors.As(problem, &invalid):
		v.reason, v.stalled = v1alpha1.ReasonKindInvalid, true
	case crdinstall.IsForeign(problem):
		v.reason, v.stalled = v1alpha1.ReasonNameTaken, true
	case crdinstall.IsHeld(problem):
		v.reason, v.stalled, v.waits = v1alpha1.ReasonSchemaHeld, true, true
	case apierrors.IsInvalid(problem) || apierrors.IsForbidden(problem) || apierrors.IsBadRequest(problem):
		v.reason, v.stalled = v1alpha1.ReasonKindRefused, true
	default:
		return v, problem
	}
	v.established, v.message = false, problem.Error()
	return v, nil
}

// addFinalizer is the webhook's work, where there is no webhook.
func (r *Reconciler) addFinalizer(ctx context.Context, fw *v1alpha1.Framework) error {
	if controllerutil.ContainsFinalizer(fw, v1alpha1.FinalizerFramework) {
		return nil
	}
	base := fw.DeepCopy()
	controllerutil.AddFinalizer(fw, v1alpha1.FinalizerFramework)
	if err := r.Client.Patch(ctx, fw, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("adding the finalizer: %w", err)
	}
	return nil
}

func setCondition(fw *v1alpha1.Framework, c metav1.Condition, now time.Time) {
	c.ObservedGeneration, c.LastTransitionTime = fw.Generation, metav1.NewTime(now)
	meta.SetStatusCondition(&fw.Status.Conditions, c)
}
