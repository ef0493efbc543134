// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package workload plays the controllers that an API server alone does not have:
// workloads become ready, jobs complete, claims are bound, and what has lost its
// owner is collected. A rule says for each object whether it is played.
package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"kudo.dev/kudo/internal/testing/install"
)

// Act is what happens to an object.
type Act int

const (
	// Play makes it ready, or lets it succeed.
	Play Act = iota
	// Hold leaves it as it is.
	Hold
	// Fail lets a Job fail; other kinds are held.
	Fail
)

// Rule decides about each object whenever it changes, and about all when the rule does.
type Rule func(client.Object) Act

// Annotation on a workload says what happens to it where no rule is set: "hold" or "fail".
const Annotation = "testing.example.com/play"

// ByAnnotation is the rule that a Player starts with.
func ByAnnotation(o client.Object) Act {
	switch o.GetAnnotations()[Annotation] {
	case "hold":
		return Hold
	case "fail":
		return Fail
	}
	return Play
}

// Player plays all namespaces of an API server.
type Player struct {
	client  client.Client
	config  *rest.Config
	queue   workqueue.TypedRateLimitingInterface[item]
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	cache cache.Cache
	// blind ends the watches of the cache.
	blind context.CancelFunc
	// versions of the objects that were put in the queue, by UID.
	versions map[types.UID]string
	rule     Rule
	jobs     []Job
	errors   []error
}

// item is an object to look at.
type item struct {
	kind schema.GroupVersionKind
	key  client.ObjectKey
}

// played are the kinds that change by themselves, for which there is a controller in
// life; all of them and those in owned are collected.
func played() []client.Object {
	return []client.Object{
		&appsv1.StatefulSet{}, &appsv1.Deployment{}, &appsv1.DaemonSet{}, &batchv1.Job{},
		&corev1.Pod{}, &corev1.PersistentVolumeClaim{}, &policyv1.PodDisruptionBudget{},
	}
}

// Start starts a player as the given admin. The CRDs of Kudo must be there.
func Start(ctx context.Context, config *rest.Config) (*Player, error) {
	scheme := install.Scheme()
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("starting the player of workloads: %w", err)
	}
	p := &Player{
		client: c, config: config, rule: ByAnnotation, blind: func() {}, versions: map[types.UID]string{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[item]()),
	}
	ctx, p.cancel = context.WithCancel(ctx)
	if err := p.watch(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the player of workloads: %w", err), p.Stop())
	}
	p.running.Go(func() { p.work(ctx) })
	return p, nil
}

// Reconnect begins the watches anew. After the API server was away they wait longer and longer
// between their tries, and see what happens up to half a minute late.
func (p *Player) Reconnect(ctx context.Context) error {
	if err := p.watch(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("connecting the player of workloads again: %w", err)
	}
	return nil
}

// watch fills a cache with all that there is, and goes by that from then on.
func (p *Player) watch(ctx context.Context) error {
	store, err := cache.New(p.config, cache.Options{Scheme: p.client.Scheme()})
	if err != nil {
		return fmt.Errorf("making a cache: %w", err)
	}
	ctx, blind := context.WithCancel(ctx)
	p.running.Go(func() { p.report(store.Start(ctx)) })
	kinds := append(played(), collected()...)
	for _, o := range kinds {
		// An informer of a cache that has not begun to run yet is not waited for.
		if _, err := store.GetInformer(ctx, o); err != nil {
			blind()
			return fmt.Errorf("watching %T: %w", o, err)
		}
	}
	if !store.WaitForCacheSync(ctx) {
		blind()
		return errors.New("the cache does not fill")
	}
	p.mu.Lock()
	old := p.cache
	p.blind()
	p.cache, p.blind = store, blind
	p.mu.Unlock()
	for _, o := range kinds {
		if err := p.follow(ctx, store, o); err != nil {
			return err
		}
		if old == nil {
			continue
		}
		if err := p.missed(ctx, old, store, o); err != nil {
			return err
		}
	}
	return nil
}

// missed looks after the dependents of what went while nobody watched.
func (p *Player) missed(ctx context.Context, old, now cache.Cache, kind client.Object) error {
	before, _, err := p.list(ctx, old, kind)
	if err != nil {
		return err
	}
	after, _, err := p.list(ctx, now, kind)
	if err != nil {
		return err
	}
	there := map[types.UID]bool{}
	for _, o := range after {
		there[o.GetUID()] = true
	}
	for _, o := range before {
		if !there[o.GetUID()] {
			p.orphaned(ctx, o)
		}
	}
	return nil
}

// changed says whether an object is not as it was when it was last put in the queue.
func (p *Player) changed(o client.Object) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.versions[o.GetUID()] == o.GetResourceVersion() {
		return false
	}
	p.versions[o.GetUID()] = o.GetResourceVersion()
	return true
}

// seen is the cache that the player goes by now.
func (p *Player) seen() cache.Cache {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cache
}

// follow puts every change of a kind in the queue.
func (p *Player) follow(ctx context.Context, store cache.Cache, o client.Object) error {
	gvk, err := apiutil.GVKForObject(o, p.client.Scheme())
	if err != nil {
		return fmt.Errorf("finding the kind of %T: %w", o, err)
	}
	informer, err := store.GetInformer(ctx, o)
	if err != nil {
		return fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	add := func(changed any) {
		if o, ok := changed.(client.Object); ok && p.changed(o) {
			p.record(o)
			p.queue.Add(item{kind: gvk, key: client.ObjectKeyFromObject(o)})
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, changed any) { add(changed) },
		DeleteFunc: func(gone any) {
			if last, ok := gone.(toolscache.DeletedFinalStateUnknown); ok {
				gone = last.Obj
			}
			if o, ok := gone.(client.Object); ok {
				p.orphaned(ctx, o)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	return nil
}

// Set replaces the rule, nil for ByAnnotation, and looks at every object again.
func (p *Player) Set(ctx context.Context, rule Rule) error {
	if rule == nil {
		rule = ByAnnotation
	}
	p.mu.Lock()
	p.rule = rule
	p.mu.Unlock()
	for _, o := range played() {
		objects, gvk, err := p.list(ctx, p.seen(), o)
		if err != nil {
			return err
		}
		for _, o := range objects {
			p.queue.Add(item{kind: gvk, key: client.ObjectKeyFromObject(o)})
		}
	}
	return nil
}

// Stop ends the player and returns what went wrong while it ran.
func (p *Player) Stop() error {
	p.cancel()
	p.mu.Lock()
	p.blind()
	p.mu.Unlock()
	p.queue.ShutDown()
	p.running.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.errors...)
}

func (p *Player) work(ctx context.Context) {
	for {
		next, ended := p.queue.Get()
		if ended {
			return
		}
		err := p.look(ctx, next)
		switch {
		case err == nil, apierrors.IsNotFound(err), ctx.Err() != nil:
			p.queue.Forget(next)
		default:
			if !apierrors.IsConflict(err) && !passing(err) {
				p.report(fmt.Errorf("playing %s %s: %w", next.kind.Kind, next.key, err))
			}
			p.queue.AddRateLimited(next)
		}
		p.queue.Done(next)
	}
}

// passing says whether an error comes of an API server that is being started again.
func passing(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "http2: client connection") || utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsInternalError(err)
}

func (p *Player) report(err error) {
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.errors = append(p.errors, err)
	}
}

// look brings one object forward by one step.
func (p *Player) look(ctx context.Context, next item) error {
	o, err := p.read(ctx, next)
	if err != nil {
		return err
	}
	if o.GetDeletionTimestamp() != nil {
		return p.finalize(ctx, o)
	}
	if lost, err := p.lostOwner(ctx, o); lost || err != nil {
		return err
	}
	p.mu.Lock()
	act := p.rule(o)
	p.mu.Unlock()
	switch o := o.(type) {
	case *batchv1.Job:
		return p.playJob(ctx, o, act)
	case *appsv1.StatefulSet:
		if act == Play {
			return p.playStatefulSet(ctx, o)
		}
	case *metav1.PartialObjectMetadata:
	default:
		if act == Play {
			return p.write(ctx, o, ready)
		}
	}
	return nil
}

func (p *Player) read(ctx context.Context, next item) (client.Object, error) {
	if !p.client.Scheme().Recognizes(next.kind) {
		// An owner of a generated kind: it is not watched here, and only its metadata matters.
		owner := &metav1.PartialObjectMetadata{}
		owner.SetGroupVersionKind(next.kind)
		err := p.client.Get(ctx, next.key, owner)
		if meta.IsNoMatchError(err) { // its kind is gone, and it with that
			err = apierrors.NewNotFound(schema.GroupResource{Group: next.kind.Group, Resource: next.kind.Kind}, next.key.Name)
		}
		return owner, err
	}
	empty, err := p.client.Scheme().New(next.kind)
	if err != nil {
		return nil, fmt.Errorf("making a %s: %w", next.kind.Kind, err)
	}
	o, ok := empty.(client.Object)
	if !ok {
		return nil, fmt.Errorf("a %s is no object", next.kind.Kind)
	}
	return o, p.seen().Get(ctx, next.key, o)
}
