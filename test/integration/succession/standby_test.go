// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package succession_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/testing/cluster"
	"kudo.dev/kudo/internal/testing/install"
	"kudo.dev/kudo/internal/testing/manager"
	"kudo.dev/kudo/internal/testing/scene"
	"kudo.dev/kudo/internal/testing/workload"
)

// A standby takes over a plan in flight: within the time that follows from the lease
// after a crash, and at once after an orderly stop. What these times are is held by the
// test of the manager's options; here they are measured, and a busy machine may take thrice.
func TestAStandbyTakesOver(t *testing.T) {
	w := taken(t)
	ns := recorded.namespace("at-rest")
	if *update {
		t.Skip("there is nothing but a recording")
	}
	tests := []struct {
		name  string
		end   func(*manager.Process) error
		bound time.Duration
	}{
		{"from a leader that crashed", (*manager.Process).Kill, 17 * time.Second},
		{"from a leader that was stopped", (*manager.Process).Stop, 3 * time.Second},
	}
	for i, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			leader, from := w.Process, mark(t, w)
			standby := startStandby(t, w)
			standby.answerWebhooks(t, w)
			work(t, w, ns, fmt.Sprintf("level: again-%d", i))
			held, end := holder(t, w), time.Now()
			if err := tc.end(leader); err != nil {
				t.Fatal(err)
			}
			w.Process, w.Options = standby.process, standby.options
			if err := install.AwaitWebhooks(t.Context(), w.Admin()); err != nil {
				t.Fatal(err)
			}
			if now := holder(t, w); i == 0 && now == held {
				t.Logf("it answers admission %s after that, and does not lead yet", time.Since(end).Round(time.Millisecond))
			}
			finish(t, w, ns)
			leads, first := standby.began(t, w, from)
			t.Logf("it leads %s and writes %s after the end of the leader, of at most %s",
				leads.Sub(end).Round(time.Millisecond), first.Sub(end).Round(time.Millisecond), tc.bound)
			if first.Sub(end) > 3*tc.bound {
				t.Errorf("it took over after %s, more than thrice %s", first.Sub(end), tc.bound)
			}
		})
	}
}

type standby struct {
	process    *manager.Process
	options    manager.Options
	credential string
}

// startStandby starts another manager, with a token and a port for webhooks of its own.
func startStandby(t *testing.T, w *scene.World) *standby {
	t.Helper()
	s := &standby{options: w.Options}
	var err error
	if s.options.WebhookPort, err = manager.FreePort(); err != nil {
		t.Fatal(err)
	}
	if s.options.Kubeconfig, err = w.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.options.Log = filepath.Join(w.Dir(), scene.Unique("manager-")+".log")
	s.credential = credential(t, s.options.Kubeconfig)
	if s.process, err = manager.Start(t.Context(), s.options); err != nil {
		t.Fatal(err)
	}
	return s
}

// answerWebhooks has the API server ask only the standby for admission.
func (s *standby) answerWebhooks(t *testing.T, w *scene.World) {
	t.Helper()
	objects, err := install.Manifests(s.options.WebhookPort)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if strings.HasSuffix(o.GetKind(), "WebhookConfiguration") {
			if err := install.Apply(t.Context(), w.Admin(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// credential is what the audit log calls the token of a kubeconfig.
func credential(t *testing.T, kubeconfig string) string {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(config.BearerToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return "JTI=" + claims.ID
}

// began is when the standby got the lease, and when it first wrote something else, which
// must not be before.
func (s *standby) began(t *testing.T, w *scene.World, from cluster.Mark) (leads, first time.Time) {
	t.Helper()
	requests, err := w.Cluster.Audit.Since(from)
	if err != nil {
		t.Fatal(err)
	}
	mine := slices.DeleteFunc(cluster.Writes(requests), func(r cluster.Request) bool { return r.Credential != s.credential || r.Code >= 400 })
	for _, r := range mine {
		switch {
		case r.Resource == "leases" && leads.IsZero():
			leads = r.At
		case r.Resource != "leases" && first.IsZero():
			first = r.At
		}
	}
	if leads.IsZero() || first.IsZero() || first.Before(leads) {
		t.Fatalf("of %d writes the first was at %s, the lease at %s", len(mine), first, leads)
	}
	return leads, first
}

func mark(t *testing.T, w *scene.World) cluster.Mark {
	t.Helper()
	now, err := w.Cluster.Audit.Now()
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// holder is who holds the lease.
func holder(t *testing.T, w *scene.World) string {
	t.Helper()
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: install.Namespace, Name: "kudo-manager.kudo.dev"}
	if err := w.Admin().Get(t.Context(), key, lease); err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// work brings the Instance into the middle of a plan: its job runs.
func work(t *testing.T, w *scene.World, ns, values string) {
	t.Helper()
	if err := w.Act(t.Context(), ns, "Job", workload.Hold); err != nil {
		t.Fatal(err)
	}
	if err := change(t.Context(), w, ns, values); err != nil {
		t.Fatal(err)
	}
	w.Await(t, "the job runs", func(ctx context.Context) (bool, string) {
		runs, err := updates(ctx, w, ns)
		if err != nil || len(runs) == 0 {
			return false, fmt.Sprint(err)
		}
		last := &runs[len(runs)-1]
		return waitingAt("verify")(last), fmt.Sprintf("%+v", last.Status)
	})
}

// finish lets the job end, and awaits the end of the plan, without another job.
func finish(t *testing.T, w *scene.World, ns string) {
	t.Helper()
	if err := w.Act(t.Context(), ns, "Job", workload.Play); err != nil {
		t.Fatal(err)
	}
	w.Await(t, "the plan has ended", func(ctx context.Context) (bool, string) {
		inst, err := instance(ctx, w, ns)
		return err == nil && scene.IsReady(inst), inst.Status.Plan
	})
	runs, err := updates(t.Context(), w, ns)
	if err != nil {
		t.Fatal(err)
	}
	last := runs[len(runs)-1]
	if last.Status.State != v1alpha1.RunSucceeded {
		t.Errorf("the run ended %s", last.Status.State)
	}
	attempts(t, w, ns, last.Name, []string{"1"})
}
