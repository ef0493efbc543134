// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"kudo.dev/kudo/hack/devcluster/internal/faults"
	"kudo.dev/kudo/hack/devcluster/internal/nodes"
)

const targetHelp = `
The target is pod/NAME or job/NAME (the pods of that Job); NAME may be a pattern such as 'web-*'. With -l, pods or jobs
without a name are enough. The pods need not exist yet: the fault is on until it is healed. When the command returns, it
is in force for every pod that is created from then on.`

// targetFlags are what the commands about faults have in common.
type targetFlags struct {
	namespace, selector string
}

func newFaultCommand(name, short string) (*cobra.Command, *targetFlags) {
	c := &cobra.Command{Use: name + " [TARGET]", Short: short, Long: short + ".\n" + targetHelp, Args: cobra.MaximumNArgs(1)}
	var t targetFlags
	c.Flags().StringVarP(&t.namespace, "namespace", "n", metav1.NamespaceDefault, "namespace, or a pattern for several")
	c.Flags().StringVarP(&t.selector, "selector", "l", "", "label selector for the pods")
	return c, &t
}

func (t *targetFlags) target(args []string) (faults.Target, error) {
	target := faults.Target{Kind: faults.KindPod, Namespace: t.namespace, Selector: t.selector}
	if len(args) == 0 {
		if t.selector == "" {
			return target, errors.New("give a target, such as pod/NAME, or a selector")
		}
		return target, nil
	}
	kind, name, hasName := strings.Cut(args[0], "/")
	target.Name = name
	switch kind {
	case "pod", "pods", "po":
	case "job", "jobs":
		target.Kind = faults.KindJob
	default:
		return target, fmt.Errorf("target %q is neither pod/NAME nor job/NAME", args[0])
	}
	if name == "" && (hasName || t.selector == "") {
		return target, fmt.Errorf("target %q has no name", args[0])
	}
	return target, nil
}

// set makes the command turn a fault on.
func (t *targetFlags) set(c *cobra.Command, at homeFunc, fault func() faults.Fault) *cobra.Command {
	c.RunE = func(cmd *cobra.Command, args []string) error {
		f := fault()
		var err error
		if f.Target, err = t.target(args); err != nil {
			return err
		}
		return withClient(cmd.Context(), at, func(ctx context.Context, client kubernetes.Interface) error {
			return faults.NewStore(client).Set(ctx, f)
		})
	}
	return c
}

func newFail(at homeFunc) *cobra.Command {
	c, t := newFaultCommand("fail", "Let the containers of pods exit with an error")
	code := c.Flags().Int("exit-code", 1, "exit code of the containers")
	message := c.Flags().String("message", "", "termination message of the containers")
	return t.set(c, at, func() faults.Fault {
		return faults.Fault{Mode: faults.ModeFail, ExitCode: *code, Message: *message}
	})
}

func newUnready(at homeFunc) *cobra.Command {
	c, t := newFaultCommand("unready", "Let pods run without being Ready, and pods of Jobs without completing")
	return t.set(c, at, func() faults.Fault { return faults.Fault{Mode: faults.ModeUnready} })
}

func newSlow(at homeFunc) *cobra.Command {
	c, t := newFaultCommand("slow", "Let pods become Ready, and pods of Jobs complete, only after a delay")
	var delay time.Duration
	c.Flags().DurationVar(&delay, "delay", faults.DefaultDelay, "delay, from the creation of the pod")
	return t.set(c, at, func() faults.Fault {
		return faults.Fault{Mode: faults.ModeSlow, Delay: metav1.Duration{Duration: delay}}
	})
}

func newHeal(at homeFunc) *cobra.Command {
	c, t := newFaultCommand("heal", "Turn off the fault of exactly this target")
	all := c.Flags().Bool("all", false, "turn off all faults")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return withClient(cmd.Context(), at, func(ctx context.Context, client kubernetes.Interface) error {
			store := faults.NewStore(client)
			if *all {
				return store.HealAll(ctx)
			}
			target, err := t.target(args)
			if err != nil {
				return err
			}
			return store.Heal(ctx, target)
		})
	}
	return c
}

func newNode(at homeFunc) *cobra.Command {
	node := &cobra.Command{Use: "node", Short: "Switch simulated nodes off and on"}
	for _, sub := range []struct {
		name, short string
		do          func(context.Context, kubernetes.Interface, string) error
	}{
		{"lose", "Switch a node off, as if its machine had lost power (NotReady after 10 s, pods leave after 15 s more)", nodes.Lose},
		{"restore", "Switch a node on again", nodes.Restore},
	} {
		node.AddCommand(&cobra.Command{
			Use: sub.name + " NAME", Short: sub.short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return withClient(cmd.Context(), at, func(ctx context.Context, client kubernetes.Interface) error {
					return sub.do(ctx, client, args[0])
				})
			},
		})
	}
	return node
}
