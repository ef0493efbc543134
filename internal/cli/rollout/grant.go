// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/config"
	"kudo.dev/kudo/internal/authority"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/forecast"
	"kudo.dev/kudo/internal/generate/rbac"
	"kudo.dev/kudo/internal/graph"
)

// impersonateOn is what config/default calls the role by which the manager may act as accounts,
// for the kinds that most packages have.
const impersonateOn = "kudo-impersonate-on"

// rights are the account of an Instance, what it may do, and what the manager may do as it.
type rights struct {
	all   []right
	notes []string
	// admin is the command with which somebody else can make them.
	admin string
}

// right is one object of them.
type right struct {
	object *unstructured.Unstructured
	verb   forecast.Verb
	// rules that it adds.
	rules []rbacv1.PolicyRule
	// alone says that the API server can judge it before the others are made.
	alone bool
}

// rights finds what a version needs and the namespace does not have, and asks the API server
// whether it may be made.
func (s *session) rights(ctx context.Context, version *graph.Version, d *deployment) (rights, error) {
	grant := authority.Grants(version, mapper{s.client.RESTMapper()})
	r := rights{notes: s.doubts(version, grant)}
	r.admin = fmt.Sprintf("kubectl kudo deploy %s %s -n %s --version %s --service-account %s --grant-only", d.framework, d.name, s.namespace, d.version, d.account)
	objects := rbac.For(grant, s.namespace, d.account)
	all := append([]any{objects.Account}, objects.Role...)
	all = append(all, &rbacv1.RoleBinding{
		TypeMeta: rbac.Kind("RoleBinding"), ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: impersonateOn},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: impersonateOn},
		Subjects: []rbacv1.Subject{rbac.Manager()},
	})
	common, err := s.common(ctx)
	if err != nil {
		return r, err
	}
	if more := authority.Missing(authority.Impersonation(grant.Namespace), common); len(more) > 0 {
		all = append(all, rbac.Pair(s.namespace, d.account+"-impersonation", more, rbac.Manager())...)
	}
	for _, o := range append(all, objects.Cluster...) {
		one, err := s.right(ctx, o)
		if err != nil {
			return r, err
		}
		r.all = append(r.all, *one)
	}
	return r, r.check(ctx, s)
}

// mapper finds the resource of a kind that the cluster does not know yet by its name: the
// package, or somebody else, brings it later.
type mapper struct{ meta.RESTMapper }

func (m mapper) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	known, err := m.RESTMapper.RESTMapping(gk, versions...)
	if err == nil {
		return known, nil
	}
	return authority.Offline{}.RESTMapping(gk, versions...) //nolint:wrapcheck // it never fails
}

// doubts are what the rights leave open.
func (s *session) doubts(version *graph.Version, grant authority.Grant) []string {
	var out []string
	for _, gvk := range authority.Guessed(version) {
		if _, err := s.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); err != nil {
			guess, _ := authority.Offline{}.RESTMapping(gvk.GroupKind(), gvk.Version)
			out = append(out, fmt.Sprintf("the cluster has no kind %s of %s yet: its resource is taken for %s, of a namespace", gvk.Kind, gvk.Group, guess.Resource.Resource))
		}
	}
	if len(grant.Account().Elsewhere) > 0 {
		out = append(out, "objects in other namespaces need rights there too: bind what elsewhere.yaml of kubectl kudo generate rbac says")
	}
	return out
}

// common are the rules of kudo-impersonate-on; who may not read it knows those of this release.
func (s *session) common(ctx context.Context) ([]rbacv1.PolicyRule, error) {
	role := &rbacv1.ClusterRole{}
	if err := s.client.Get(ctx, client.ObjectKey{Name: impersonateOn}, role); err == nil {
		return role.Rules, nil
	}
	raw, err := config.Files.ReadFile("rbac/impersonate_on_role.yaml")
	if err == nil {
		err = yaml.Unmarshal(raw, role)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the rules of %s: %w", impersonateOn, err)
	}
	return role.Rules, nil
}

// right compares an object with what is there. Nothing is taken away from that.
func (s *session) right(ctx context.Context, o any) (*right, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("encoding a role: %w", err)
	}
	u := &unstructured.Unstructured{Object: content}
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(u.GroupVersionKind())
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(u), live); err != nil {
		live = nil // or it may not be read: then the API server judges what is sent
	}
	return beside(u, live)
}

// beside says what must become of an object so that it has what is wanted, too.
func beside(u, live *unstructured.Unstructured) (*right, error) {
	out := &right{object: u, verb: forecast.Create, alone: true}
	want, have := facts{}, facts{}
	if err := want.of(u); err != nil {
		return nil, err
	}
	if want.RoleRef.Name != "" {
		out.alone = want.RoleRef.Name == impersonateOn
	}
	if out.rules = want.Rules; live == nil {
		return out, nil
	}
	if err := have.of(live); err != nil {
		return nil, err
	}
	out.verb, out.rules = forecast.Update, authority.Missing(want.Rules, have.Rules)
	if want.RoleRef != have.RoleRef {
		return nil, fmt.Errorf("%s in the namespace %s is there already and binds %s: remove it, or take another account",
			titleOf(u), u.GetNamespace(), command.Title(have.RoleRef.Kind, have.RoleRef.Name))
	}
	subjects := have.Subjects
	for _, subject := range want.Subjects {
		if !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
		}
	}
	if len(out.rules) == 0 && len(subjects) == len(have.Subjects) {
		out.verb = forecast.Keep
		return out, nil
	}
	want.Rules, want.Subjects = slices.Concat(have.Rules, out.rules), subjects
	return out, want.into(u)
}

// facts are what counts of a role or binding; empty of an account.
type facts struct {
	Rules    []rbacv1.PolicyRule `json:"rules,omitempty"`
	RoleRef  rbacv1.RoleRef      `json:"roleRef,omitempty"`
	Subjects []rbacv1.Subject    `json:"subjects,omitempty"`
}

func (f *facts) of(u *unstructured.Unstructured) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, f); err != nil {
		return fmt.Errorf("reading %s: %w", titleOf(u), err)
	}
	return nil
}

func (f *facts) into(u *unstructured.Unstructured) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(f)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", titleOf(u), err)
	}
	for _, field := range []string{"rules", "subjects"} {
		if content[field] != nil {
			u.Object[field] = content[field]
		}
	}
	return nil
}

// show says what would be made, and what that allows.
func (r *rights) show(s *session) {
	if len(r.all) == 0 {
		return
	}
	s.Printf("\nrights:\n")
	for _, one := range r.all {
		s.Printf("%s %s %s\n", command.Sign(one.verb), one.verb, titleOf(one.object))
		for _, rule := range one.rules {
			s.Printf("    %s\n", words(rule))
		}
	}
	for _, note := range r.notes {
		s.Printf("note: %s\n", note)
	}
}

// words are a rule in one line.
func words(rule rbacv1.PolicyRule) string {
	what := slices.Clone(rule.NonResourceURLs)
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			if group != "" {
				resource += "." + group
			}
			what = append(what, resource)
		}
	}
	text := strings.Join(rule.Verbs, ", ") + ": " + strings.Join(what, ", ")
	if len(rule.ResourceNames) > 0 {
		text += " named " + strings.Join(rule.ResourceNames, ", ")
	}
	return text
}
