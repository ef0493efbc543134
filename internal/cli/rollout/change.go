// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/values"
	"kudo.dev/kudo/internal/projection"
)

// change is what a person wants to be different about an Instance.
type change struct {
	version string
	set     values.Flags
	confirm command.Confirmation
	waiting waiting
}

func newSet(env *command.Env) *cobra.Command {
	c := &change{}
	cmd := &cobra.Command{
		Use:   "set NAME PARAMETER=VALUE...",
		Short: "Change parameters of an Instance",
		Long: "Changes parameters of an Instance, or of the typed object that it was made from, after showing\n" +
			"which plan would run and what it would change. VALUE is YAML, and text where the parameter is\n" +
			"a string; null takes a parameter back to its default.",
		Example: "  kubectl kudo set zk/main nodeCount=5\n  kubectl kudo set zk/main memory=null --yes --wait",
		Args:    command.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, text := range args[1:] {
				if err := cmd.Flags().Set("set", text); err != nil {
					return command.Misuse("%s: %v", text, err)
				}
			}
			if !c.set.Given() {
				return command.Misuse("name what to change: %s", cmd.UseLine())
			}
			return c.run(cmd.Context(), env, args[0])
		},
	}
	c.addFlags(cmd)
	return cmd
}

func newUpgrade(env *command.Env) *cobra.Command {
	c := &change{}
	cmd := &cobra.Command{
		Use:   "upgrade NAME VERSION",
		Short: "Take an Instance to another version of its framework",
		Long: "Takes an Instance, or the typed object that it was made from, to another version of its\n" +
			"framework, after showing which plan would run and what it would change.",
		Example: "  kubectl kudo upgrade zk/main 3.9.3 --wait",
		Args:    command.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.version = args[1]
			return c.run(cmd.Context(), env, args[0])
		},
	}
	c.addFlags(cmd)
	return cmd
}

func (c *change) addFlags(cmd *cobra.Command) {
	c.set.AddFlags(cmd, "", "to change")
	c.confirm.AddFlags(cmd)
	c.waiting.addFlags(cmd, "until it is ready, or stalls")
}

func (c *change) run(ctx context.Context, env *command.Env, name string) error {
	s, inst, target, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	before := target.DeepCopy()
	p, err := c.propose(ctx, s, inst, target)
	if err != nil {
		return err
	}
	if equality.Semantic.DeepEqual(before.Object["spec"], target.Object["spec"]) {
		s.show(p, true)
		s.Printf("%s is as asked for already: there is nothing to do\n", titleOf(target))
		if !c.waiting.wait {
			return nil
		}
		return c.waiting.settle(ctx, s, target)
	}
	// The API server, its policies and the webhooks have the last word: asked before the person is.
	if err := s.put(ctx, target.DeepCopy(), client.DryRunAll); err != nil {
		return refused("changing", titleOf(target), err)
	}
	s.show(p, true)
	if tool := handedOver(target); tool != "" {
		s.Warnf("warning: %s is written by %s, which will take this change back: change it there\n", titleOf(target), tool)
	}
	if err := c.confirm.Confirm(ctx, s.Env, "Change %s?", titleOf(target)); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	if err := s.put(ctx, target); err != nil {
		return refused("changing", titleOf(target), err)
	}
	s.Printf("%s is changed\n", titleOf(target))
	return c.waiting.settle(ctx, s, target)
}

// put writes the spec of a target, unless somebody changed it since it was read. What is written
// beside the spec meanwhile does not count: while a plan runs, the manager does so all the time.
func (s *session) put(ctx context.Context, target *unstructured.Unstructured, options ...client.UpdateOption) error {
	patience := wait.Backoff{Steps: 8, Duration: 10 * time.Millisecond, Factor: 2, Jitter: 0.1}
	again := false
	return retry.RetryOnConflict(patience, func() error { //nolint:wrapcheck // the caller words it
		if again {
			if err := s.refresh(ctx, target); err != nil {
				return err
			}
		}
		again = true
		return s.client.Update(ctx, target, append(options, manager)...)
	})
}

// refresh takes over all but the spec of a target as it is now, unless somebody changed that.
func (s *session) refresh(ctx context.Context, target *unstructured.Unstructured) error {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(target.GroupVersionKind())
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(target), live); err != nil {
		return err //nolint:wrapcheck // the caller words it
	}
	if live.GetUID() != target.GetUID() || live.GetGeneration() != target.GetGeneration() {
		return errChanged
	}
	live.Object["spec"] = target.Object["spec"]
	target.Object = live.Object
	return nil
}

// errChanged ends the attempts to write a spec.
var errChanged = errors.New("somebody else changed it at the same time; try again")

// propose predicts what follows from the change, and makes it in the target.
func (c *change) propose(ctx context.Context, s *session, inst *v1alpha1.Instance, target *unstructured.Unstructured) (*prediction, error) {
	if leaving(target) {
		return nil, fmt.Errorf("%s is being removed: no change of it would be rolled out. Why it is still there: kubectl kudo diagnose %s -n %s", titleOf(target), titleOf(target), inst.Namespace)
	}
	spec, err := specOf(target, inst.Spec.Framework)
	if err != nil {
		return nil, err
	}
	version, err := s.version(ctx, spec.Framework, cmp.Or(c.version, spec.Version))
	if err != nil {
		return nil, err
	}
	changes, err := c.set.Parse(s.In, version.Params)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the flag
	}
	if err := edit(target, c.version, changes); err != nil {
		return nil, err
	}
	wanted := inst.DeepCopy()
	if wanted.Spec, err = specOf(target, spec.Framework); err != nil {
		return nil, err
	}
	if !projection.SameSpec(&inst.Spec, &wanted.Spec) {
		wanted.Generation++
	}
	return s.predict(ctx, wanted, version)
}

// refused puts the API server's answer into words, without what precedes it there.
func refused(doing, what string, err error) error {
	switch {
	case apierrors.IsConflict(err), errors.Is(err, errChanged):
		return fmt.Errorf("%s %s: %w", doing, what, errChanged)
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("%s is there already: change it with kubectl kudo set or upgrade, or take another name", what)
	}
	for _, mark := range []string{"denied the request: ", "denied request: "} { // of webhooks, and of policies
		if _, cause, found := strings.Cut(err.Error(), mark); found {
			return errors.New("refused: " + cause)
		}
	}
	return evidence.Denied(doing+" "+what, err) //nolint:wrapcheck // it says what it is about
}
