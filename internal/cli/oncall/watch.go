// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
)

// pollEvery is how often what is waited for is read again: a watch would need more rights.
const pollEvery = 500 * time.Millisecond

var errTimeout = errors.New("the time is up")

// follow shows an Instance until it is as wanted.
func (o *statusOptions) follow(ctx context.Context, env *command.Env, s *subject) error {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errTimeout)
		defer cancel()
	}
	v := &viewer{env: env, screen: screen.Of(env.Out, env.Terminal), seen: map[types.UID]*v1alpha1.PlanExecution{}}
	defer v.screen.Keep()
	ticker := time.NewTicker(screen.RedrawEvery)
	defer ticker.Stop()
	var read time.Time
	for {
		if time.Since(read) >= pollEvery {
			gone, err := v.read(ctx, s)
			if gone || err != nil {
				return v.end(ctx, s, gone, err)
			}
			read = time.Now()
			if over, err := o.reached(v.inst); over || err != nil {
				v.draw()
				return err
			}
		}
		v.draw()
		select {
		case <-ctx.Done():
			return v.end(ctx, s, false, nil)
		case <-ticker.C:
		}
	}
}

// viewer draws an Instance again and again, or prints what changed.
type viewer struct {
	env    *command.Env
	screen *screen.Screen
	inst   *v1alpha1.Instance
	runs   []v1alpha1.PlanExecution
	// blind says that the executions may not be read.
	blind bool

	printed string
	seen    map[types.UID]*v1alpha1.PlanExecution
}

func (v *viewer) read(ctx context.Context, s *subject) (gone bool, err error) {
	inst := &v1alpha1.Instance{}
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(s.inst), inst); err != nil {
		return apierrors.IsNotFound(err), evidence.Denied("reading "+evidence.Named(s.inst), client.IgnoreNotFound(err))
	}
	v.inst = inst
	if !v.blind {
		v.runs, v.blind, err = s.visible(ctx, v.env)
	}
	return false, err
}

// end says why a watch ended: a person who interrupts it does not want an error.
func (v *viewer) end(ctx context.Context, s *subject, gone bool, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		return fmt.Errorf("%s is not as wanted yet: %w. Why: kubectl kudo -n %s diagnose %s", evidence.Named(s.inst), errTimeout, s.inst.Namespace, s.inst.Name)
	case ctx.Err() != nil:
		return nil //nolint:nilerr // interrupted
	case gone:
		show(v.env, evidence.Named(s.inst)+" is gone")
		return nil
	}
	return err
}

func (v *viewer) draw() {
	now := v.env.Clock.Now()
	if v.screen.Live {
		v.screen.Draw(statusLines(v.screen.Look(), v.inst, v.runs, now))
		return
	}
	v.print(now)
}

// print tells what changed since it was printed last.
func (v *viewer) print(now time.Time) {
	for _, pe := range evidence.Shown(v.inst, v.runs) {
		if v.printed == "" && pe.Status.State.Terminal() {
			v.seen[pe.UID] = pe.DeepCopy() // it was over before anyone looked
			continue
		}
		show(v.env, screen.Changes(v.seen[pe.UID], pe, now)...)
		v.seen[pe.UID] = pe.DeepCopy()
	}
	// What ended meanwhile is told too, once.
	for _, uid := range slices.Sorted(maps.Keys(v.seen)) {
		for i := range v.runs {
			if pe := &v.runs[i]; pe.UID == uid && pe.Status.State.Terminal() {
				show(v.env, screen.Changes(v.seen[uid], pe, now)...)
				v.seen[uid] = pe.DeepCopy()
			}
		}
	}
	word, _ := stateOf(v.inst)
	line := evidence.Named(v.inst) + " is " + word
	if m := readyOf(v.inst).Message; m != "" {
		line += ": " + screen.Plain(m)
	}
	if line != v.printed {
		show(v.env, line)
		v.printed = line
	}
}
