// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// apiServer is started by the first test that needs it, for all of them.
var apiServer struct {
	once  sync.Once
	env   *envtest.Environment
	admin *rest.Config
	err   error
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if apiServer.env != nil && apiServer.err == nil {
		if err := apiServer.env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		}
	}
	os.Exit(code)
}

// adminConfig returns the configuration of a real API server, or skips.
func adminConfig(t *testing.T) *rest.Config {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set: this test needs a kube-apiserver and an etcd")
	}
	apiServer.once.Do(func() {
		apiServer.env = &envtest.Environment{}
		apiServer.admin, apiServer.err = apiServer.env.Start()
	})
	if apiServer.err != nil {
		t.Fatalf("starting the API server: %v", apiServer.err)
	}
	return apiServer.admin
}

// counter counts the requests that are not watches nor about leases.
type counter struct {
	mu   sync.Mutex
	seen []string
}

// counted is one transport whose requests are counted.
type counted struct {
	*counter
	next http.RoundTripper
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("watch") == "" && !strings.Contains(r.URL.Path, "/leases") {
		c.mu.Lock()
		c.seen = append(c.seen, r.Method+" "+r.URL.Path)
		c.mu.Unlock()
	}
	return c.next.RoundTrip(r)
}

// take returns what was seen since the last call.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

func mustCreate(t *testing.T, c client.Client, obj client.Object) {
	t.Helper()
	if err := c.Create(t.Context(), obj); err != nil {
		t.Fatalf("creating %T: %v", obj, err)
	}
}

func mustDelete(t *testing.T, c client.Client, obj client.Object) {
	t.Helper()
	// The context of a test has ended when its clean-up runs.
	if err := c.Delete(context.Background(), obj); err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("deleting %T: %v", obj, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 15 s: %s", what)
}

// awaitAccess waits until the API server's authorizer has seen a grant, so that a
// refusal in a test is never just a late grant.
func awaitAccess(t *testing.T, c client.Client, user string, to authorizationv1.ResourceAttributes) {
	t.Helper()
	eventually(t, user+" may "+to.Verb+" "+to.Resource, func() bool {
		review := &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &to},
		}
		mustCreate(t, c, review)
		return review.Status.Allowed
	})
}
