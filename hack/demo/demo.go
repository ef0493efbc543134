// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/pack"
	"kudo.dev/kudo/internal/testing/manager"
)

// Names that the demo makes.
const (
	namespace = "demo"
	account   = "zookeeper-installer"
	// objectName is what the user calls the copy, instanceName what Kudo makes of it.
	objectName   = "zk"
	instanceName = "zookeeper-zk"
)

var errManagerEnded = errors.New("the manager has ended by itself")

// demo is the story and all that it runs on.
type demo struct {
	screen   *screen.Screen
	binaries binaries
	stays    bool
	started  time.Time

	dir        string
	kubeconfig string
	config     *rest.Config
	client     client.WithWatch
	manager    *manager.Process

	packages []*pack.Package
	seen     map[types.UID]bool
	runs     []run
}

func newDemo(s *screen.Screen, b binaries, stays bool) *demo {
	return &demo{screen: s, binaries: b, stays: stays, started: time.Now(), seen: map[types.UID]bool{}}
}

// run tells the story and cleans up, however it ends.
func (d *demo) run(ctx context.Context) (err error) {
	told := d.tell(ctx)
	if told != nil && ctx.Err() == nil {
		d.explain(ctx)
	}
	if told == nil && d.stays {
		d.summary()
		return d.sayHowToStop()
	}
	cleaned := d.screen.Step("clean-up", func() (string, error) {
		return "manager and control plane stopped", d.cleanUp(context.WithoutCancel(ctx))
	})
	if told == nil {
		d.summary()
	}
	return errors.Join(told, cleaned)
}

// tell is the story: deploy, update, upgrade, delete.
func (d *demo) tell(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.screen.Title("A control plane, and Kudo on it")
	if err := d.setUp(ctx); err != nil {
		return err
	}
	go func() {
		// Without a manager there is nothing to wait for.
		if err := d.manager.Wait(ctx); ctx.Err() == nil {
			cancel(errors.Join(errManagerEnded, err))
		}
	}()
	first, second := d.packages[0].Version.Spec.Version, d.packages[1].Version.Spec.Version
	for _, chapter := range []struct {
		title, plan, what string
		change            func(context.Context) error
	}{
		{"Create kind: ZooKeeper, name: zk, version: " + first + ", three servers", v1alpha1.PlanDeploy,
			"ZooKeeper " + first + ", three servers", d.create},
		{"Change a parameter: memory from 1Gi to 2Gi", v1alpha1.PlanUpdate, "memory from 1Gi to 2Gi", d.update},
		{"Change the version: from " + first + " to " + second, v1alpha1.PlanUpgrade, "from " + first + " to " + second, d.upgrade},
	} {
		d.screen.Title("%s", chapter.title)
		if err := chapter.change(ctx); err != nil {
			return err
		}
		if err := d.showPlan(ctx, chapter.plan, chapter.what); err != nil {
			return err
		}
		if err := d.awaitReady(ctx); err != nil {
			return err
		}
	}
	if err := d.kubectl(ctx, "get", "zookeepers,instances,planexecutions"); err != nil {
		return err
	}
	if err := d.kubectl(ctx, "get", "statefulsets,pods,persistentvolumeclaims"); err != nil {
		return err
	}
	d.screen.Title("Delete zookeeper/zk")
	return d.remove(ctx)
}

// summary says what ran and how long it took.
func (d *demo) summary() {
	d.screen.Title("What ran")
	for _, r := range d.runs {
		d.screen.Print(fmt.Sprintf("  %-8s %-32s %s steps %7s", r.plan, r.what, r.steps, r.took))
	}
	d.screen.Print(fmt.Sprintf("  %s in all. The API server, its controllers and Kudo were real; pods were simulated,", screen.Span(time.Since(d.started))),
		"  so this shows that plans run, wait and clean up, not that ZooKeeper works.")
}
