// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli"
)

// What can be known to be wrong is said before anybody is asked, and nothing is made.
func TestDeploySaysWhatIsWrongFirst(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	for name, tt := range map[string]struct {
		code int
		want string
		args []string
	}{
		"a name that is taken":           {1, "store/one is there already", []string{"store", "one"}},
		"no such framework":              {1, "there is no framework stor. There are: power, store", []string{"stor", "two"}},
		"no such version":                {1, "there is no version 2.0.0 of the framework store. There are: 1.0.0", []string{"store", "two", "--version", "2.0.0"}},
		"no such parameter":              {2, `there is no parameter "sise"; did you mean "size"?`, []string{"store", "two", "--set", "sise=2"}},
		"a value that is out of range":   {1, "9", []string{"store", "two", "--set", "size=10"}},
		"no such namespace":              {1, `namespaces "nowhere" not found`, []string{"store", "two", "-n", "nowhere"}},
		"a name that no object may have": {1, "Invalid value", []string{"store", "Two"}},
		"two ways to grant":              {2, "[grant grant-only] were all set", []string{"store", "two", "--grant", "--grant-only"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := *n
			n.T = t
			out := n.says(tt.code, []string{tt.want}, append([]string{"deploy", "--service-account", "keeper"}, tt.args...)...)
			if strings.Contains(out, "[y/N]") {
				t.Errorf("somebody was asked:\n%s", out)
			}
		})
	}
	var list v1alpha1.InstanceList
	if err := n.w.Admin().List(t.Context(), &list, client.InNamespace(n.ns)); err != nil || len(list.Items) != 1 {
		t.Errorf("%d Instances, want 1: %v", len(list.Items), err)
	}
}

// A change is shown, asked for, made and waited for; one that is none is not asked for.
func TestSet(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	if code, out := n.kudo("n\n", "set", "one", "size=2"); code != 1 || !strings.Contains(out, "Change store/one? [y/N] error: nothing was done") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	n.says(0, []string{"changed parameters: size", `+  size: "2"`, "1 to update", "store/one is ready"}, "set", "one", "size=2", "--yes", "--wait")
	same := n.says(0, []string{"store/one is as asked for already"}, "set", "store/one", "size=2")
	if strings.Contains(same, "[y/N]") || strings.Contains(same, "is changed") {
		t.Errorf("a change that is none was made:\n%s", same)
	}
	n.says(1, []string{"must be at most 9"}, "set", "one", "size=10", "--yes")
	n.interrupted("is changed", "interrupted: store/one goes on. Follow it with: kubectl kudo status store/one", "set", "one", "tag=b", "--yes", "--wait")
	n.says(0, []string{"-  size: \"2\"", "store/one is ready"}, "set", "one", "size=null", "--yes", "--wait")
	n.says(1, []string{"there is no version 3.0.0 of the framework store. There are: 1.0.0"}, "upgrade", "one", "3.0.0", "--yes")
	n.says(1, []string{"there is no Instance nope", "There are: store/one"}, "set", "nope", "size=2", "--yes")
}

// A stuck change is left by a rollback, which says what goes back and can be waited for.
func TestRollback(t *testing.T) {
	n := newTeam(t)
	n.says(1, []string{"there is no Instance one"}, "rollback", "one", "--yes")
	n.store("one")
	n.says(0, []string{"store/one is ready"}, "set", "one", "size=2", "--yes", "--wait")
	n.says(1, []string{"store/one is stalled", "What to do: kubectl kudo diagnose store/one"}, "set", "one", "tag=stuck", "size=3", "--yes", "--wait")
	if code, out := n.kudo("n\n", "rollback", "one"); code != 1 || !strings.Contains(out, "Roll store/one back? [y/N] error: nothing was done") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	n.says(0, []string{
		"goes back to version 1.0.0, as plan deploy left it: 2 objects\n  size: 3 → 2\n  tag: \"stuck\" → \"a\"\n",
		"plan rollback of store/one has ended: Succeeded",
	}, "rollback", "one", "--yes", "--wait")
	config := &corev1.ConfigMap{}
	if !n.exists(config, "one") || config.Data["size"] != "2" || config.Data["tag"] != "a" {
		t.Errorf("the data is %v", config.Data)
	}
	n.says(1, []string{"store/one is stalled: RolledBack"}, "set", "one", "tag=stuck", "--yes", "--wait")
	n.says(0, []string{"store/one is ready"}, "set", "one", "tag=b", "--yes", "--wait")
}

// What the preview of many says holds for each of them.
func TestPreviewOfAll(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	n.store("two")
	code, out := n.kudo("size: 3\n", "preview", "--all", "store", "--values", "-", "-o", "json")
	var got []struct {
		Instance string   `json:"instance"`
		Plan     string   `json:"plan"`
		Error    string   `json:"error"`
		Changed  []string `json:"changed"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || len(got) != 2 {
		t.Fatalf("exit code %d, %v:\n%s", code, err, out)
	}
	for _, v := range got {
		if v.Plan == "" || len(v.Changed) != 1 || v.Error != "" {
			t.Errorf("%+v", v)
		}
	}
	n.says(1, []string{"must be at most 9"}, "preview", "--all", "store", "--set", "size=10")
	n.says(0, []string{"nothing would run"}, "preview", "one")
	n.says(2, []string{"--all-namespaces goes with --all"}, "preview", "one", "-A")
	n.says(2, []string{"-o name is not known here"}, "preview", "nope", "-o", "name")
}

// A removal says what stays, and an object that goes is not changed any more.
func TestUninstall(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	const hold = "example.com/hold"
	var inst v1alpha1.Instance
	if !n.exists(&inst, "store-one") {
		t.Fatal("there is no Instance")
	}
	inst.Finalizers = append(inst.Finalizers, hold)
	if err := n.w.Admin().Update(t.Context(), &inst); err != nil {
		t.Fatal(err)
	}
	object := typedStore(n.ns, "one")
	if err := n.w.Admin().Patch(t.Context(), object, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"argocd.argoproj.io/instance":"x"}}}`))); err != nil {
		t.Fatal(err)
	}
	n.says(0, []string{
		"- remove configmap/one", "  stays  persistentvolumeclaim/one-data",
		"warning: store/one is written by Argo CD, which will make it again", "store/one is being removed",
	}, "uninstall", "one", "--yes")
	n.says(1, []string{"store/one is being removed: no change"}, "set", "one", "size=2", "--yes")
	n.interrupted("was told to go already", "interrupted: the removal of store/one goes on", "uninstall", "one", "--yes", "--wait")
	n.says(1, []string{"store/one was told to go already", "store/one is still there after 2s"}, "uninstall", "one", "--yes", "--wait", "--timeout", "2s")
	n.w.Await(t, "the Instance is let go", func(ctx context.Context) (bool, string) {
		if !n.exists(&inst, "store-one") {
			return true, ""
		}
		inst.Finalizers = slices.DeleteFunc(inst.Finalizers, func(f string) bool { return f == hold })
		return false, fmt.Sprint(n.w.Admin().Update(ctx, &inst))
	})
	n.w.Await(t, "the object is gone", func(ctx context.Context) (bool, string) {
		err := n.w.Admin().Get(ctx, client.ObjectKeyFromObject(object), object)
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	if !n.exists(&corev1.PersistentVolumeClaim{}, "one-data") {
		t.Error("what stays is gone")
	}
}

// Who may not read something is told by which role he might.
func TestWhoMayNotRead(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	dev := n.outsider()
	dev.says(1, []string{"controllerrevisions.apps in the namespace " + n.ns + ": the ClusterRole view of Kubernetes has it"}, "set", "one", "size=2", "--yes")
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: n.ns + "-view"}}
	if err := n.w.Admin().Delete(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	n.w.Await(t, "the role is taken away", func(context.Context) (bool, string) {
		code, out := dev.kudo("", "deploy", "store", "two", "--service-account", "keeper")
		return code == 1 && strings.Contains(out, "ask an admin to bind the ClusterRole kudo-view with a ClusterRoleBinding"), out
	})
}

// What others write while a person reads the preview is not lost, and a change of the spec is
// not overwritten.
func TestSetWhileOthersWrite(t *testing.T) {
	n := newTeam(t)
	n.store("one")
	for name, tt := range map[string]struct {
		meanwhile string
		code      int
		words     string
	}{
		"beside the spec": {`{"metadata":{"labels":{"seen":"yes"}}}`, 0, "store/one is changed"},
		"the spec":        {`{"spec":{"parameters":{"tag":"theirs"}}}`, 1, "changing store/one: somebody else changed it at the same time"},
	} {
		t.Run(name, func(t *testing.T) {
			before := typedStore(n.ns, "one")
			out := &tripwire{at: "[y/N]", trip: func() {
				if err := n.w.Admin().Patch(t.Context(), before, client.RawPatch(types.MergePatchType, []byte(tt.meanwhile))); err != nil {
					t.Error(err)
				}
			}}
			code := cli.Main(t.Context(), "test", append(n.flags(), "set", "one", "size="+strconv.Itoa(3-tt.code)), strings.NewReader("y\n"), out, out)
			if code != tt.code || !strings.Contains(out.String(), tt.words) {
				t.Errorf("exit code %d, want %d and the words %q:\n%s", code, tt.code, tt.words, out.String())
			}
			after := typedStore(n.ns, "one")
			if err := n.w.Admin().Get(t.Context(), client.ObjectKeyFromObject(after), after); err != nil {
				t.Fatal(err)
			}
			if changed := after.GetGeneration() > before.GetGeneration(); changed != (tt.code == 0) {
				t.Errorf("the spec was written: %v", changed)
			}
			if label := before.GetLabels()["seen"]; after.GetLabels()["seen"] != label {
				t.Errorf("the label of somebody else is %q, was %q", after.GetLabels()["seen"], label)
			}
		})
	}
}
