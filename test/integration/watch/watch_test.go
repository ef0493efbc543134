// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package watch_test runs the metadata watches of accounts on a real API server.
package watch_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/testing/cluster"
)

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }

const (
	namespace = "watched"
	patience  = 30 * time.Second
)

var account = types.NamespacedName{Namespace: namespace, Name: "deployer"}

type world struct {
	*testing.T
	admin   client.Client
	watcher *dynamic.Watcher

	mu     sync.Mutex
	events []dynamic.Event
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOn(t, cluster.Get(t))
}

func worldOn(t *testing.T, c *cluster.Cluster) *world {
	t.Helper()
	w := &world{T: t, admin: c.Client}
	w.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	w.watcher = dynamic.New(func(a types.NamespacedName) (metadata.Interface, error) {
		config := rest.CopyConfig(c.Config)
		config.Impersonate.UserName = "system:serviceaccount:" + a.Namespace + ":" + a.Name
		return metadata.NewForConfig(config)
	}, c.Client.RESTMapper(), dynamic.Options{FirstPause: 20 * time.Millisecond, MaxPause: 200 * time.Millisecond, Lifetime: time.Second})
	w.watcher.Subscribe(func(e dynamic.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- w.watcher.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) make(o client.Object) {
	w.Helper()
	if err := client.IgnoreAlreadyExists(w.admin.Create(context.WithoutCancel(w.Context()), o)); err != nil {
		w.Fatal(err)
	}
}

func (w *world) grant(verbs ...string) {
	w.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account.Name}}
	w.make(role)
	role.Rules = []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets"}, Verbs: verbs}}
	if err := w.admin.Update(w.Context(), role); err != nil {
		if err := w.admin.Get(w.Context(), client.ObjectKeyFromObject(role), role); err != nil {
			w.Fatal(err)
		}
		role.Rules = []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets"}, Verbs: verbs}}
		if err := w.admin.Update(w.Context(), role); err != nil {
			w.Fatal(err)
		}
	}
	w.make(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: account.Namespace, Name: account.Name}},
	})
}

func (w *world) await(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if is() {
			return
		}
	}
	w.Fatalf("waited in vain until %s; %d watches, events %v", what, w.watcher.Len(), w.events)
}

// told says whether an Instance was told of something since the last call, at rest.
func (w *world) told(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := slices.ContainsFunc(w.events, func(e dynamic.Event) bool { return e.Instance.Name == name && e.AtRest })
	w.events = slices.DeleteFunc(w.events, func(e dynamic.Event) bool { return e.Instance.Name == name })
	return found
}

func key(kind string) dynamic.Key {
	return dynamic.KeyFor(account, v1alpha1.ObjectReference{APIVersion: "v1", Kind: kind, Namespace: namespace, Name: "a"})
}

func instance(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

func config(name, of string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.LabelInstance: of}}}
}

func TestWatches(t *testing.T) { newWorld(t).tellWhatHappens() }

// An API server that can not begin a watch with all objects is asked for a list first, and
// nothing else is different.
func TestWatchesWhereAListIsNeeded(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set: this test needs an API server of its own (make test-integration)")
	}
	c, err := cluster.Start("WatchList=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	worldOn(t, c).tellWhatHappens()
	requests, err := c.Audit.Since(0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, r := range requests {
		if r.As == "system:serviceaccount:"+namespace+":"+account.Name {
			got[fmt.Sprintf("%s %d, all first: %t", r.Verb, r.Code, strings.Contains(r.URI, "sendInitialEvents"))] = true
		}
	}
	want := map[string]bool{"watch 422, all first: true": true, "list 200, all first: false": true, "watch 200, all first: false": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked as the account (-want +got):\n%s", diff)
	}
}

// tellWhatHappens goes through the life of a watch.
func (w *world) tellWhatHappens() {
	t := w.T
	w.grant("get", "list", "watch")
	w.make(config("first", "one"))
	w.watcher.Hold("i/one", instance("one"), []dynamic.Key{key("ConfigMap")}) // a connection is there from now on
	w.await("the watch runs", func() bool { return w.watcher.Need("i/one", instance("one"), key("ConfigMap")) })
	with := runtime.NumGoroutine()
	w.watcher.Release("i/one")
	w.await("the watch ends", func() bool { return runtime.NumGoroutine() < with })
	time.Sleep(500 * time.Millisecond)
	before := runtime.NumGoroutine()
	w.watcher.Hold("i/one", instance("one"), []dynamic.Key{key("ConfigMap")})
	w.await("the watch runs", func() bool { _, ok := w.watcher.Get(key("ConfigMap"), "first"); return ok })
	if o, _ := w.watcher.Get(key("ConfigMap"), "first"); o == nil || o.UID == "" {
		t.Errorf("what was there is %+v", o)
	}
	w.watcher.Hold("i/two", instance("two"), []dynamic.Key{key("ConfigMap")})
	if !w.watcher.Need("run/two", instance("two"), key("ConfigMap")) || w.watcher.Len() != 1 {
		t.Errorf("%d watches, want one that is shared and runs", w.watcher.Len())
	}
	w.told("one")
	second := config("second", "two")
	w.make(second)
	w.await("the right one is told", func() bool { return w.told("two") })
	if w.told("one") {
		t.Error("the other one is told too")
	}
	time.Sleep(3 * time.Second) // it is established anew
	second.Annotations = map[string]string{"a": "b"}
	if err := w.admin.Update(t.Context(), second, client.FieldOwner("x")); err != nil {
		t.Fatal(err)
	}
	w.await("a change is told", func() bool { return w.told("two") })
	if err := w.admin.Delete(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	w.await("a deletion is told", func() bool {
		o, ok := w.watcher.Get(key("ConfigMap"), "second")
		return w.told("two") && ok && o == nil
	})
	w.watcher.Release("i/two")
	w.watcher.Release("i/one")
	if w.watcher.Len() != 1 {
		t.Error("a watch that is still held has ended")
	}
	w.watcher.Release("run/two")
	w.await("nothing is left", func() bool { return w.watcher.Len() == 0 && runtime.NumGoroutine() <= before })
}

// A right that is missing, or taken away, is reported and not asked for in a hurry.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	w.grant("get")
	w.watcher.Hold("i/one", instance("one"), []dynamic.Key{key("Secret")})
	w.await("it is refused", func() bool {
		err := w.watcher.Refused(key("Secret"))
		return err != nil && strings.Contains(err.Error(), "cannot watch resource") && w.told("one")
	})
	if w.watcher.Need("i/one", instance("one"), key("Secret")) {
		t.Error("it runs")
	}
	w.grant("get", "list", "watch")
	w.await("it runs", func() bool { return w.watcher.Need("i/one", instance("one"), key("Secret")) && w.told("one") })
	w.grant("get")
	w.await("it ends", func() bool { return w.watcher.Refused(key("Secret")) != nil && w.told("one") })
}

// One object that others made is watched by its name, with a right to that name alone; it
// concerns all who hold the watch, whatever its labels say.
func TestOneObjectByItsName(t *testing.T) {
	w := newWorld(t)
	w.grant("get")
	role := &rbacv1.Role{}
	if err := w.admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: account.Name}, role); err != nil {
		t.Fatal(err)
	}
	role.Rules = []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"theirs"}, Verbs: []string{"get", "list", "watch"}}}
	if err := w.admin.Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	theirs := key("ConfigMap")
	theirs.Name = "theirs"
	for _, name := range []string{"one", "two"} {
		w.watcher.Hold("content/"+name, instance(name), []dynamic.Key{theirs})
	}
	w.await("the watch runs and knows that there is none", func() bool {
		o, ok := w.watcher.Get(theirs, "theirs")
		return ok && o == nil && w.watcher.Len() == 1
	})
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"}}
	w.make(object)
	w.make(config("another", "one"))
	w.await("both are told that it is there", func() bool { return w.told("one") && w.told("two") })
	if o, _ := w.watcher.Get(theirs, "another"); o != nil {
		t.Error("another object is watched too")
	}
	object.Data = map[string]string{"a": "b"}
	if err := w.admin.Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	w.await("a change is told", func() bool {
		o, _ := w.watcher.Get(theirs, "theirs")
		return o != nil && o.ResourceVersion == object.ResourceVersion && w.told("one") && w.told("two")
	})
	if err := w.admin.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	w.await("that it is gone is told", func() bool {
		o, ok := w.watcher.Get(theirs, "theirs")
		return ok && o == nil && w.told("one")
	})
	w.watcher.Release("content/one")
	w.watcher.Release("content/two")
	w.await("the watch ends", func() bool { return w.watcher.Len() == 0 })
}

// All objects of a kind, whoever made them, concern all who hold the watch; those who look
// after an Instance's own objects can tell.
func TestAllObjectsOfAKind(t *testing.T) {
	w := newWorld(t)
	w.grant("get", "list", "watch")
	all := key("ConfigMap")
	all.Any = true
	w.watcher.Hold("recovery/one", instance("one"), []dynamic.Key{all})
	w.watcher.Hold("instance/two", instance("two"), []dynamic.Key{key("ConfigMap")})
	w.await("both watches run", func() bool {
		_, runs := w.watcher.List(all)
		_, also := w.watcher.List(key("ConfigMap"))
		return runs && also && w.watcher.Len() == 2
	})
	w.await("the other one is told that", func() bool { return w.told("two") })
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "of-nobody", Labels: map[string]string{"app": "a"}}}
	w.make(theirs)
	there := func() bool {
		objects, _ := w.watcher.List(all)
		return slices.ContainsFunc(objects, func(o *metav1.PartialObjectMetadata) bool {
			return o.Name == theirs.Name && o.UID != "" && o.Labels["app"] == "a"
		})
	}
	w.await("it is told, and that it is none of the Instance's own", func() bool {
		w.mu.Lock()
		told := slices.ContainsFunc(w.events, func(e dynamic.Event) bool { return e.Instance.Name == "one" && e.Observed })
		w.mu.Unlock()
		return told && there()
	})
	if w.told("two") {
		t.Error("who looks after own objects only is told too")
	}
	if err := w.admin.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	w.await("it is gone", func() bool { return !there() })
	w.watcher.Release("recovery/one")
	w.watcher.Release("instance/two")
	w.await("the watches end", func() bool { return w.watcher.Len() == 0 })
}
