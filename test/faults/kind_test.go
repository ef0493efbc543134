// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/projection"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
)

// fewKinds is how many kills are part of make test-crash; all of them with FAULTS_ALL.
const fewKinds = 6

// TestKindCrash kills the manager around the writes of a generated kind's whole life: the
// Framework is published, an object made and changed, the schema changed and held back, the
// object deleted, and the Framework with its kind.
func TestKindCrash(t *testing.T) {
	if settings.only != "" || len(settings.classes) > 0 && !slices.Contains(settings.classes, "kind") {
		t.Skip("not asked for")
	}
	h := newHarness(t, cluster.Get(t), build(t), "kind", false)
	h.rules = []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch", "create", "patch", "delete"}}}
	reference := &kindRun{h: h, name: "kindref"}
	if err := reference.suffer(t.Context(), nil); err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	t.Logf("the whole life takes %d writes and %s", len(reference.log), reference.took.Round(time.Millisecond))
	var faults []*fault
	for nth := range len(reference.log) {
		for detail, f := range map[string]*fault{"before": killBefore(write{nth: nth + 1}), "after": killAfter(write{nth: nth + 1})} {
			f.detail, f.optional = fmt.Sprintf("killed %s write %d", detail, nth+1), true
			faults = append(faults, f)
		}
	}
	slices.SortFunc(faults, func(a, b *fault) int { return strings.Compare(a.detail, b.detail) })
	if !settings.all {
		dice("kinds").Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		faults = faults[:min(fewKinds, len(faults))]
	}
	survived := 0
	for i, f := range faults {
		r := &kindRun{h: h, name: fmt.Sprintf("kind%d", i)}
		err := errors.Join(r.suffer(t.Context(), f), r.judge(reference))
		if err != nil {
			t.Errorf("%s: %v", f.detail, err)
			continue
		}
		survived++
	}
	summary = append(summary, fmt.Sprintf("%d crash points of generated kinds, %d survived", len(faults), survived))
}

// kindRun is the life of one generated kind.
type kindRun struct {
	h    *harness
	name string
	log  []record
	took time.Duration
}

// suffer lives the life while a fault happens.
func (r *kindRun) suffer(ctx context.Context, f *fault) error {
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	if err := r.h.ensure(ctx); err != nil {
		return err
	}
	if err := (install.Tenant{Namespace: r.name, Account: account, Rules: r.h.rules}).Apply(ctx, r.h.cluster.Client); err != nil {
		return err
	}
	begun := time.Now()
	chain := r.h.proxy.watch(r.name, f)
	healed := make(chan error, 1)
	if len(chain) > 0 {
		go func() {
			select {
			case <-chain[0].fired:
				healed <- r.h.start(ctx)
			case <-ctx.Done():
				healed <- nil
			}
		}()
	} else {
		healed <- nil
	}
	err := r.live(ctx)
	r.took = time.Since(begun)
	time.Sleep(500 * time.Millisecond)
	r.log = r.h.proxy.log()
	if len(chain) > 0 && !chain[0].hasFired() {
		cancel() // the life had fewer writes than the one that it is compared with
	}
	return errors.Join(err, <-healed)
}

// judge compares what was made and removed with a life without a fault.
func (r *kindRun) judge(reference *kindRun) error {
	want, got := reference.effects(), r.effects()
	var errs []error
	for what, n := range want {
		if got[what] != n {
			errs = append(errs, fmt.Errorf("%s %d times, want %d", what, got[what], n))
		}
	}
	for what, n := range got {
		if want[what] == 0 {
			errs = append(errs, fmt.Errorf("%s %d times, want never", what, n))
		}
	}
	return errors.Join(errs...)
}

// effects counts how often definitions and Instances were made and removed. How many plans
// run is another matter: an edit of the version that is taken back before anyone saw it runs none.
func (r *kindRun) effects() map[string]int {
	out := map[string]int{}
	for i := range r.log {
		w := &r.log[i]
		made := (w.method == http.MethodPost || w.method == http.MethodDelete) &&
			(w.resource == "customresourcedefinitions" || w.resource == "instances")
		if made && w.account == "" && w.passed && w.code/100 == 2 {
			out[w.method+" "+strings.ReplaceAll(stable(w.key), r.name, "NAME")]++
		}
	}
	return out
}

// live is the life. Whatever a person does they try again while the webhooks are away.
func (r *kindRun) live(ctx context.Context) error {
	for _, chapter := range []struct {
		what string
		act  func(context.Context) error
		done func(context.Context) (bool, string)
	}{
		{"publish", r.publish, r.framework("Established", "True")},
		{"create", r.create, r.ready("a")},
		{"change", r.change("b"), r.ready("b")},
		{"narrow", r.narrow("[c]"), r.framework("Established", "False")},
		{"take back", r.narrow("[a, b, c]"), r.framework("Established", "True")},
		{"delete the object", r.remove(r.object), r.gone(r.object)},
		{"delete the Framework", r.remove(r.fw), r.gone(r.fw, r.instance, r.definition)},
	} {
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
			err := chapter.act(ctx)
			switch {
			case err == nil, apierrors.IsAlreadyExists(err):
				return true, nil
			case apierrors.IsInternalError(err), apierrors.IsConflict(err), apierrors.IsNotFound(err), apierrors.IsServiceUnavailable(err):
				return false, nil
			}
			return false, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", chapter.what, err)
		}
		last := ""
		err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, patience, true, func(ctx context.Context) (done bool, err error) {
			done, last = chapter.done(ctx)
			return done, nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w; last seen: %s", chapter.what, err, last)
		}
	}
	return nil
}

func (r *kindRun) client() client.Client { return r.h.cluster.Client }

const kindVersion = `
apiVersion: kudo.dev/v1alpha1
kind: FrameworkVersion
metadata: {name: NAME-1.0.0}
spec:
  framework: NAME
  version: 1.0.0
  development: true
  parameters: [{name: x, schema: {type: string, enum: [a, b, c]}, default: a}]
  templates:
  - name: config.yaml
    content: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: {{ .Name }}}
      data: {x: {{ .Params.x }}}
`

func (r *kindRun) publish(ctx context.Context) error {
	version := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(kindVersion, "NAME", r.name)), &version.Object); err != nil {
		return err
	}
	for _, o := range []client.Object{r.fw(), version} {
		if err := client.IgnoreAlreadyExists(r.client().Create(ctx, o)); err != nil {
			return err
		}
	}
	return nil
}

func (r *kindRun) fw() client.Object {
	return &v1alpha1.Framework{ObjectMeta: metav1.ObjectMeta{Name: r.name}}
}

func (r *kindRun) definition() client.Object {
	return &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: r.name + "s.packages.kudo.dev"}}
}

func (r *kindRun) instance() client.Object {
	return &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: r.name, Name: r.name + "-zk"}}
}

func (r *kindRun) object() client.Object {
	o := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": r.name, "name": "zk"},
		"spec":     map[string]any{"version": "1.0.0", "serviceAccountName": account},
	}}
	o.SetAPIVersion("packages.kudo.dev/v1alpha1")
	o.SetKind(strings.ToUpper(r.name[:1]) + r.name[1:])
	return o
}

func (r *kindRun) create(ctx context.Context) error { return r.client().Create(ctx, r.object()) }

func (r *kindRun) change(x string) func(context.Context) error {
	return func(ctx context.Context) error {
		return r.client().Patch(ctx, r.object(), client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"parameters":{"x":%q}}}`, x)))
	}
}

func (r *kindRun) narrow(values string) func(context.Context) error {
	return func(ctx context.Context) error {
		raw, err := yaml.YAMLToJSON(fmt.Appendf(nil, `{spec: {parameters: [{name: x, schema: {type: string, enum: %s}, default: c}]}}`, values))
		if err != nil {
			return err
		}
		version := &v1alpha1.FrameworkVersion{ObjectMeta: metav1.ObjectMeta{Name: r.name + "-1.0.0"}}
		return r.client().Patch(ctx, version, client.RawPatch(types.MergePatchType, raw))
	}
}

func (r *kindRun) remove(object func() client.Object) func(context.Context) error {
	return func(ctx context.Context) error { return client.IgnoreNotFound(r.client().Delete(ctx, object())) }
}

func (r *kindRun) framework(kind, status string) func(context.Context) (bool, string) {
	return func(ctx context.Context) (bool, string) {
		fw := &v1alpha1.Framework{}
		if err := r.client().Get(ctx, types.NamespacedName{Name: r.name}, fw); err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(fw.Status.Conditions, kind)
		return c != nil && string(c.Status) == status && c.ObservedGeneration == fw.Generation && c.Reason != v1alpha1.ReasonEstablishing &&
			c.Reason != v1alpha1.ReasonNoValidVersion, c.String()
	}
}

// ready says whether the object is Ready, and its ConfigMap holds the value.
func (r *kindRun) ready(x string) func(context.Context) (bool, string) {
	return func(ctx context.Context) (bool, string) {
		o, ok := r.object().(*unstructured.Unstructured)
		if err := r.client().Get(ctx, client.ObjectKeyFromObject(o), o); err != nil || !ok {
			return false, fmt.Sprint(err)
		}
		s, err := projection.StatusOf(o)
		c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
		if err != nil || c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != o.GetGeneration() {
			return false, fmt.Sprintf("%+v", s)
		}
		config := &corev1.ConfigMap{}
		err = r.client().Get(ctx, types.NamespacedName{Namespace: r.name, Name: "zk"}, config)
		return err == nil && config.Data["x"] == x, fmt.Sprint(config.Data, err)
	}
}

func (r *kindRun) gone(objects ...func() client.Object) func(context.Context) (bool, string) {
	return func(ctx context.Context) (bool, string) {
		for _, object := range objects {
			o := object()
			err := r.client().Get(ctx, client.ObjectKeyFromObject(o), o)
			if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
				return false, fmt.Sprintf("%T %s is there: %v", o, o.GetName(), err)
			}
		}
		return true, ""
	}
}
