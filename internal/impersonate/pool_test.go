// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package impersonate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestEveryRequestActsAsTheAccount(t *testing.T) {
	account := Account{Namespace: "team-a", Name: "deployer"}
	key := client.ObjectKey{Namespace: "team-a", Name: "settings"}
	calls := map[string]func(ctx context.Context, p *Pool) error{
		"typed read": func(ctx context.Context, p *Pool) error {
			return clientFor(t, p, account).Get(ctx, key, &corev1.ConfigMap{})
		},
		"metadata read through the client": func(ctx context.Context, p *Pool) error {
			m := &metav1.PartialObjectMetadata{}
			m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
			return clientFor(t, p, account).Get(ctx, key, m)
		},
		"create": func(ctx context.Context, p *Pool) error {
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "settings"}}
			return clientFor(t, p, account).Create(ctx, cm)
		},
		"metadata client": func(ctx context.Context, p *Pool) error {
			m, err := p.MetadataFor(account)
			if err != nil {
				return err
			}
			_, err = m.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).
				Namespace("team-a").Get(ctx, "settings", metav1.GetOptions{})
			return err
		},
		"log": func(ctx context.Context, p *Pool) error {
			core, err := p.CoreFor(account)
			if err != nil {
				return err
			}
			_, err = core.Pods("team-a").GetLogs("settings", &corev1.PodLogOptions{}).DoRaw(ctx)
			return err
		},
		"config": func(ctx context.Context, p *Pool) error {
			config, err := p.ConfigFor(account)
			if err != nil {
				return err
			}
			cs, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			_, err = cs.CoreV1().ConfigMaps("team-a").Get(ctx, "settings", metav1.GetOptions{})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			server := newRecorder(t)
			if err := call(t.Context(), newTestPool(t, server.config(t), 0)); err != nil {
				t.Fatalf("call: %v", err)
			}
			requests := server.seen()
			if len(requests) != 1 {
				t.Fatalf("requests = %d, want 1 (discovery must come from the shared mapper)", len(requests))
			}
			got := map[string][]string{}
			for k, v := range requests[0].Header {
				if strings.HasPrefix(k, "Impersonate-") || k == "Authorization" || k == "User-Agent" {
					got[k] = v
				}
			}
			want := map[string][]string{
				"Authorization":    {"Bearer manager-token"},
				"Impersonate-User": {"system:serviceaccount:team-a:deployer"},
				"User-Agent":       {"kudo-manager/test"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("identity headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWritesCarryTheFieldOwner(t *testing.T) {
	server := newRecorder(t)
	c := clientFor(t, newTestPool(t, server.config(t), 0), Account{"team-a", "deployer"})
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "settings"}}
	if err := c.Create(t.Context(), cm); err != nil {
		t.Fatalf("Create: %v", err)
	}
	query := server.seen()[0].URL.Query()
	if got := query.Get("fieldManager"); got != "kudo" {
		t.Errorf("fieldManager = %q, want kudo", got)
	}
	if query.Has("fieldValidation") {
		t.Errorf("fieldValidation = %q, want it left to the caller", query.Get("fieldValidation"))
	}
}

func TestAccountsShareConnections(t *testing.T) {
	server := newRecorder(t)
	p := newTestPool(t, server.config(t), 4)
	users := map[string]bool{}
	for i := range 20 {
		a := Account{Namespace: fmt.Sprintf("team-%d", i), Name: "deployer"}
		key := client.ObjectKey{Namespace: a.Namespace, Name: "settings"}
		if err := clientFor(t, p, a).Get(t.Context(), key, &corev1.ConfigMap{}); err != nil {
			t.Fatalf("Get as %s: %v", a, err)
		}
	}
	for _, r := range server.seen() {
		users[r.Header.Get("Impersonate-User")] = true
	}
	if len(users) != 20 {
		t.Errorf("distinct users = %d, want 20", len(users))
	}
	if server.connections != 1 {
		t.Errorf("connections = %d, want 1 for all accounts", server.connections)
	}
}

func TestPoolKeepsTheRecentlyUsed(t *testing.T) {
	p := newTestPool(t, newRecorder(t).config(t), 2)
	a, b, c := Account{"ns", "a"}, Account{"ns", "b"}, Account{"ns", "c"}
	firstA, firstB := clientFor(t, p, a), clientFor(t, p, b)
	clientFor(t, p, a)
	clientFor(t, p, c)
	if p.Len() != 2 {
		t.Errorf("Len = %d, want 2", p.Len())
	}
	if clientFor(t, p, a) != firstA {
		t.Error("the client of a, used recently, was built again")
	}
	if clientFor(t, p, b) == firstB {
		t.Error("the client of b, not used for longest, was kept")
	}
	p.Forget(b)
	if p.Len() != 1 {
		t.Errorf("Len after Forget = %d, want 1", p.Len())
	}
	if clientFor(t, p, a) != firstA {
		t.Error("forgetting b dropped the client of a")
	}
}

func TestOneClientPerAccountUnderConcurrency(t *testing.T) {
	p := newTestPool(t, newRecorder(t).config(t), 0)
	clients := make([]client.Client, 32)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() { clients[i], _ = p.ClientFor(Account{"ns", "one"}) })
	}
	wg.Wait()
	for i, c := range clients {
		if c == nil || c != clients[0] {
			t.Fatalf("client %d is another one than client 0", i)
		}
	}
}

func TestAccountsThatAreRefused(t *testing.T) {
	tests := map[string]struct {
		account   Account
		noAccount bool
	}{
		"no namespace":          {account: Account{Name: "deployer"}, noAccount: true},
		"no name":               {account: Account{Namespace: "team-a"}, noAccount: true},
		"nothing":               {noAccount: true},
		"colon in the name":     {account: Account{"team-a", "x:y"}},
		"colon in namespace":    {account: Account{"kube-system:default", "x"}},
		"line break":            {account: Account{"team-a", "x\r\nImpersonate-Group: system:masters"}},
		"another user's prefix": {account: Account{"system:masters", "x"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			server := newRecorder(t)
			p := newTestPool(t, server.config(t), 0)
			_, clientErr := p.ClientFor(tc.account)
			_, metadataErr := p.MetadataFor(tc.account)
			_, configErr := p.ConfigFor(tc.account)
			for call, err := range map[string]error{"ClientFor": clientErr, "MetadataFor": metadataErr, "ConfigFor": configErr} {
				if err == nil {
					t.Errorf("%s accepted %q", call, tc.account)
				}
				if errors.Is(err, ErrNoAccount) != tc.noAccount {
					t.Errorf("%s: ErrNoAccount = %v, want %v (%v)", call, !tc.noAccount, tc.noAccount, err)
				}
			}
			if p.Len() != 0 {
				t.Errorf("Len = %d, want 0", p.Len())
			}
		})
	}
}

func TestNewPoolRefuses(t *testing.T) {
	ok := &rest.Config{Host: "https://127.0.0.1:1"}
	tests := map[string]struct {
		base   *rest.Config
		mapper meta.RESTMapper
		scheme *runtime.Scheme
		opts   Options
	}{
		"no config":             {mapper: staticMapper(), scheme: clientgoscheme.Scheme},
		"no mapper":             {base: ok, scheme: clientgoscheme.Scheme},
		"no scheme":             {base: ok, mapper: staticMapper()},
		"negative size":         {base: ok, mapper: staticMapper(), scheme: clientgoscheme.Scheme, opts: Options{Size: -1}},
		"impersonating already": {base: &rest.Config{Impersonate: rest.ImpersonationConfig{UserName: "x"}}, mapper: staticMapper(), scheme: clientgoscheme.Scheme},
		"adding groups":         {base: &rest.Config{Impersonate: rest.ImpersonationConfig{Groups: []string{"x"}}}, mapper: staticMapper(), scheme: clientgoscheme.Scheme},
		"two ways to log in":    {base: &rest.Config{Username: "u", BearerToken: "t"}, mapper: staticMapper(), scheme: clientgoscheme.Scheme},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if p, err := NewPool(tc.base, tc.mapper, tc.scheme, tc.opts); err == nil {
				t.Errorf("NewPool = %v, want an error", p)
			}
		})
	}
}

func BenchmarkClientForHit(b *testing.B) {
	p := newTestPool(b, newRecorder(b).config(b), 0)
	a := Account{"team-a", "deployer"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ClientFor(a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClientForMiss(b *testing.B) {
	p := newTestPool(b, newRecorder(b).config(b), 0)
	a := Account{"team-a", "deployer"}
	b.ReportAllocs()
	for b.Loop() {
		p.Forget(a)
		if _, err := p.ClientFor(a); err != nil {
			b.Fatal(err)
		}
	}
}
