// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package impersonate

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// apiServer is started by the first test that needs it, for all of them.
var apiServer struct {
	once  sync.Once
	env   *envtest.Environment
	admin *rest.Config
	err   error
}

func TestMain(m *testing.M) {
	ctrllog.SetLogger(logr.Discard())
	code := m.Run()
	if apiServer.env != nil && apiServer.err == nil {
		if err := apiServer.env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		}
	}
	os.Exit(code)
}

// world is a tenant's namespace with the account "deployer", which may do
// anything with ConfigMaps there, and a manager without any right.
type world struct {
	admin   client.Client
	manager *rest.Config
	user    string
	ns      string
	pool    *Pool
}

func newWorld(t *testing.T) *world {
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
	admin, err := client.New(apiServer.admin, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "team-"}}
	mustCreate(t, admin, ns)
	w := &world{admin: admin, ns: ns.Name, user: "manager-" + ns.Name}
	user, err := apiServer.env.AddUser(envtest.User{Name: w.user}, apiServer.admin)
	if err != nil {
		t.Fatal(err)
	}
	w.manager = user.Config()
	w.pool = w.newPool(t)
	mustCreate(t, admin, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "deployer"}})
	w.bind(t, w.ns, w.account(), rule("", "configmaps", "get", "list", "watch", "create", "update", "patch", "delete"))
	return w
}

func (w *world) newPool(t *testing.T) *Pool {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(w.manager)
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := apiutil.NewDynamicRESTMapper(w.manager, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPool(w.manager, mapper, clientgoscheme.Scheme, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) account() rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "deployer"}
}

func (w *world) managerSubject() rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: w.user}
}

// deployer acts as the account.
func (w *world) deployer(t *testing.T) client.Client {
	t.Helper()
	return clientFor(t, w.pool, Account{Namespace: w.ns, Name: "deployer"})
}

func rule(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}

// bind grants rules in one namespace, or everywhere if ns is empty.
func (w *world) bind(t *testing.T, ns string, to rbacv1.Subject, rules ...rbacv1.PolicyRule) {
	t.Helper()
	meta := metav1.ObjectMeta{GenerateName: w.ns + "-"}
	role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}
	mustCreate(t, w.admin, role)
	t.Cleanup(func() { mustDelete(t, w.admin, role) })
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
	var binding client.Object = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: []rbacv1.Subject{to}}
	if ns != "" {
		meta.Namespace = ns
		binding = &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: []rbacv1.Subject{to}}
	}
	mustCreate(t, w.admin, binding)
	t.Cleanup(func() { mustDelete(t, w.admin, binding) })
	w.awaitRules(t, ns, to, rules)
}

// awaitRules waits until the API server's authorizer has seen the rules, so that
// a refusal in a test is never just a late grant.
func (w *world) awaitRules(t *testing.T, ns string, to rbacv1.Subject, rules []rbacv1.PolicyRule) {
	t.Helper()
	user := to.Name
	if to.Kind == rbacv1.ServiceAccountKind {
		user = Account{to.Namespace, to.Name}.UserName()
	}
	for _, r := range rules {
		resource, subresource, _ := strings.Cut(r.Resources[0], "/")
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: ns, Verb: r.Verbs[0], Group: r.APIGroups[0], Resource: resource, Subresource: subresource,
				Name: strings.Join(r.ResourceNames, ""),
			},
		}}
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			asked := review.DeepCopy()
			mustCreate(t, w.admin, asked)
			if asked.Status.Allowed {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the authorizer does not know that %s may %v %v", user, r.Verbs, r.Resources)
			}
		}
	}
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
