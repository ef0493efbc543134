// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package typed_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/scene"
)

// measured restarts the manager of the world with its metrics served.
func measured(ctx context.Context, w *scene.World) error {
	port, err := manager.FreePort()
	if err != nil {
		return err
	}
	metricsURL = fmt.Sprintf("http://%s:%d/metrics", install.Loopback, port)
	if err := w.Process.Stop(); err != nil {
		return err
	}
	w.Options.Args = append(w.Options.Args, fmt.Sprintf("--metrics-bind-address=%s:%d", install.Loopback, port), "--metrics-secure=false")
	return w.Manage(ctx)
}

var metricsURL string

// metric reads a metric of the manager.
func metric(t *testing.T, name string) float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, metricsURL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// number is how large a test is: small unless the environment says otherwise.
func number(t *testing.T, name string, small int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return small
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// smallest is the least value of a metric for a while, or until it is small enough: of memory,
// what is left after a collection.
func smallest(t *testing.T, name string, enough float64, while time.Duration) float64 {
	t.Helper()
	least := metric(t, name)
	for end := time.Now().Add(while); time.Now().Before(end) && least > enough; time.Sleep(500 * time.Millisecond) {
		least = min(least, metric(t, name))
	}
	return least
}

// Watches start and end with Frameworks: after many of them have come and gone, as many
// goroutines run as before, and the heap is as large. KUDO_FRAMEWORKS says how many.
func TestWatchesEndWithTheirFrameworks(t *testing.T) {
	n := number(t, "KUDO_FRAMEWORKS", 20)
	warm := newAuthor(t)
	warm.framework("{}", "[{name: x}]")
	warm.established()
	round := func() {
		var all []*author
		for range n {
			a := newAuthorOnly(t)
			a.framework("{}", "[{name: x}]")
			all = append(all, a)
		}
		for _, a := range all {
			a.established()
		}
		for _, a := range all {
			for _, o := range []client.Object{a.fw(), a.fwv("1.0.0")} {
				if err := a.w.Admin().Delete(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, a := range all {
			a.awaitFrameworkGone()
		}
	}
	const slack, mega = 10, 1 << 20
	goroutines, heap := smallest(t, "go_goroutines", 0, 3*time.Second), smallest(t, "go_memstats_heap_alloc_bytes", 0, 3*time.Second)
	round()
	after := smallest(t, "go_goroutines", goroutines+slack, scene.Patience)
	left := smallest(t, "go_memstats_heap_alloc_bytes", heap+5*mega, 3*scene.Patience)
	t.Logf("%d Frameworks: goroutines %v, then %v; heap %.1f MB, then %.1f MB", n, goroutines, after, heap/mega, left/mega)
	if after > goroutines+slack {
		t.Errorf("%v goroutines, %v before", after, goroutines)
	}
	if left > heap+5*mega {
		t.Errorf("a heap of %.1f MB, %.1f MB before", left/mega, heap/mega)
	}
}

// Many kinds with many objects each all become ready, and are silent after that.
// KUDO_FRAMEWORKS and KUDO_OBJECTS say how many.
func TestManyKindsAndObjects(t *testing.T) {
	kinds, objects := number(t, "KUDO_FRAMEWORKS", 5), number(t, "KUDO_OBJECTS", 4)
	w := newAuthor(t).w
	from, err := w.Cluster.Audit.Now()
	if err != nil {
		t.Fatal(err)
	}
	var all []*author
	for range kinds {
		a := newAuthor(t)
		a.framework("{}", "[{name: x}]")
		all = append(all, a)
	}
	started := time.Now()
	for _, a := range all {
		a.established()
		for i := range objects {
			a.create(fmt.Sprintf("o%d", i), "1.0.0", "{}")
		}
	}
	for _, a := range all {
		for i := range objects {
			a.ready(fmt.Sprintf("o%d", i))
		}
	}
	took := time.Since(started)
	requests := by(t, w, from)
	t.Logf("%d objects of %d kinds: ready %s after the first was made, %d requests of the manager, resident %.0f MB, heap %.0f MB",
		kinds*objects, kinds, took.Round(time.Second), len(requests), metric(t, "process_resident_memory_bytes")/(1<<20), metric(t, "go_memstats_heap_alloc_bytes")/(1<<20))
	quiet(t, w, 5*time.Second)
}

// by are the requests of the manager and of accounts in its name, without leases and watches.
func by(t *testing.T, w *scene.World, from cluster.Mark) []cluster.Request {
	t.Helper()
	all, err := w.Cluster.Audit.Since(from)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Work(cluster.By(install.ManagerUser, all))
}

// quiet fails unless the manager soon asks nothing for a while.
func quiet(t *testing.T, w *scene.World, long time.Duration) {
	t.Helper()
	var last []cluster.Request
	for range 4 {
		from, err := w.Cluster.Audit.Now()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(long)
		if last = by(t, w, from); len(last) == 0 {
			return
		}
	}
	t.Errorf("the manager is not silent: %+v", last)
}

// What an object costs: few requests more than its Instance.
func TestRequestsOfATypedObject(t *testing.T) {
	a := newAuthor(t)
	a.framework("{}", "[{name: x}]")
	a.established()
	measure := func(what string, limit int, do func()) {
		t.Helper()
		from, err := a.w.Cluster.Audit.Now()
		if err != nil {
			t.Fatal(err)
		}
		do()
		time.Sleep(time.Second)
		requests := by(t, a.w, from)
		var text strings.Builder
		for _, r := range requests {
			fmt.Fprintf(&text, "\n    %-7s %-24s %d %s", r.Verb, r.Resource, r.Code, r.Name)
		}
		t.Logf("%s: %d requests, at most %d%s", what, len(requests), limit, text.String())
		if len(requests) > limit {
			t.Errorf("%s: %d requests, more than %d", what, len(requests), limit)
		}
	}
	measure("deploy", 16, func() { a.create("zk", "1.0.0", "{}"); a.ready("zk") })
	measure("change", 14, func() {
		if err := a.change("zk", "{spec: {parameters: {x: b}}}"); err != nil {
			t.Fatal(err)
		}
		a.ready("zk")
	})
	measure("the same again", 0, func() {
		if err := a.change("zk", "{spec: {parameters: {x: b}}}"); err != nil {
			t.Fatal(err)
		}
	})
	measure("delete", 8, func() {
		a.remove("zk")
	})
}

// How long a kind takes to be served, and an object to have its first child: a report, not
// a limit. KUDO_TIMES says how often.
func TestHowLongItTakes(t *testing.T) {
	n := number(t, "KUDO_TIMES", 3)
	var served, first, second []time.Duration
	for range n {
		a := newAuthor(t)
		served = append(served, a.timed("framework", &v1alpha1.FrameworkList{}, "", func() { a.framework("{}", "[{name: x}]") }, func(o client.Object) bool {
			fw, ok := o.(*v1alpha1.Framework)
			return ok && fw.Name == a.name && slices.ContainsFunc(fw.Status.Conditions, func(c metav1.Condition) bool {
				return c.Type == "Established" && c.Status == metav1.ConditionTrue
			})
		}))
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion("v1")
		list.SetKind("ConfigMapList")
		child := func(name string) time.Duration {
			return a.timed(name, list, a.name, func() { a.create(name, "1.0.0", "{}") }, func(o client.Object) bool { return o.GetName() == name })
		}
		// The API server takes its time over the first object of a kind that is new to it.
		first, second = append(first, child("one")), append(second, child("two"))
	}
	median := func(all []time.Duration) time.Duration {
		slices.Sort(all)
		return all[n/2].Round(time.Millisecond)
	}
	t.Logf("median of %d: from a Framework to its kind served %s, from an object to its first child %s, from another one %s",
		n, median(served), median(first), median(second))
}

// timed is how long it takes from a change until a watch brings what is waited for.
func (a *author) timed(what string, list client.ObjectList, namespace string, do func(), done func(client.Object) bool) time.Duration {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), scene.Patience)
	defer cancel()
	events, err := a.w.Admin().Watch(ctx, list, client.InNamespace(namespace))
	if err != nil {
		a.Fatal(err)
	}
	defer events.Stop()
	start := time.Now()
	do()
	for e := range events.ResultChan() {
		if o, ok := e.Object.(client.Object); ok && e.Type != watch.Deleted && done(o) {
			return time.Since(start)
		}
	}
	a.Fatalf("%s: waited in vain", what)
	return 0
}
