// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package rollout

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/forecast"
)

// preview is the command preview.
type preview struct {
	change

	all        string
	namespaces bool
	output     command.Output
}

func newPreview(env *command.Env) *cobra.Command {
	p := &preview{}
	cmd := &cobra.Command{
		Use:   "preview NAME | --all FRAMEWORK",
		Short: "Show which plan would run, which objects change and which pods restart",
		Long: "Says what would follow if an Instance had other parameters or another version: which plan runs,\n" +
			"its steps in their order, what becomes of each object, and which pods are replaced. It asks the\n" +
			"engine that the manager asks, from the record of what was applied last. Nothing is changed.\n\n" +
			"--all says it of every Instance of a framework.",
		Example: "  kubectl kudo preview zk/main --set nodeCount=5\n" +
			"  kubectl kudo preview --all zookeeper --version 3.9.3 --all-namespaces",
		Args: command.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (p.all != "") {
				return command.Misuse("name an Instance, or --all FRAMEWORK: %s", cmd.UseLine())
			}
			if p.namespaces && p.all == "" {
				return command.Misuse("--all-namespaces goes with --all FRAMEWORK; --namespace names that of one Instance")
			}
			if err := p.output.Check(); err != nil {
				return err //nolint:wrapcheck // it names the flag
			}
			if p.all != "" {
				return p.every(cmd.Context(), env)
			}
			return p.one(cmd.Context(), env, args[0])
		},
	}
	p.set.AddFlags(cmd, "", "to change")
	cmd.Flags().StringVar(&p.version, "version", "", "Version to go to")
	cmd.Flags().StringVar(&p.all, "all", "", "Preview every Instance of this framework")
	cmd.Flags().BoolVarP(&p.namespaces, "all-namespaces", "A", false, "With --all: in all namespaces")
	p.output.AddFlags(cmd)
	return cmd
}

func (p *preview) one(ctx context.Context, env *command.Env, name string) error {
	s, inst, target, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	found, err := p.propose(ctx, s, inst, target)
	if err != nil {
		return err
	}
	return p.output.Print(env, found.answer(), func() error { //nolint:wrapcheck // it says what it does
		s.show(found, true)
		return nil
	})
}

// verdict is what follows for one of many Instances.
type verdict struct {
	answer

	Error string `json:"error,omitempty"`
}

// every goes through the Instances of a framework. One that would be refused or stall does
// not hide the others.
func (p *preview) every(ctx context.Context, env *command.Env) error {
	s, err := open(env)
	if err != nil {
		return err
	}
	within := client.ListOptions{Namespace: s.namespace}
	if p.namespaces {
		within.Namespace = ""
	}
	var list v1alpha1.InstanceList
	if err := s.client.List(ctx, &list, &within); err != nil {
		return evidence.Denied("reading the Instances", err) //nolint:wrapcheck // it says what it is about
	}
	all := []verdict{}
	wrong := false
	for i := range list.Items {
		inst := &list.Items[i]
		if inst.Spec.Framework != p.all || inst.DeletionTimestamp != nil {
			continue
		}
		v := p.verdict(ctx, s, inst)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d Instances were looked at", len(all))
		}
		wrong = wrong || v.Error != ""
		all = append(all, v)
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no Instance of the framework %s here; --all-namespaces looks everywhere", p.all)
	}
	err = p.output.Print(env, all, func() error {
		for _, v := range all {
			env.Printf("%s\n", v.line())
		}
		return nil
	})
	if err == nil && wrong {
		return command.ErrFindings
	}
	return err //nolint:wrapcheck // it says what it does
}

func (p *preview) verdict(ctx context.Context, s *session, inst *v1alpha1.Instance) verdict {
	target, err := s.target(ctx, inst)
	if err == nil {
		var found *prediction
		if found, err = p.propose(ctx, s, inst, target); err == nil {
			return verdict{answer: found.answer()}
		}
	}
	name := &prediction{Instance: inst.Namespace + "/" + inst.Name, From: inst.Status.Version, To: inst.Spec.Version}
	return verdict{answer: answer{prediction: name}, Error: err.Error()}
}

// line sums an Instance up.
func (v verdict) line() string {
	head := fmt.Sprintf("%-40s %s -> %s", v.Instance, v.From, v.To)
	switch {
	case v.Error != "":
		return head + "  " + screen.Plain(v.Error)
	case v.Plan == "":
		return head + "  " + v.Note
	}
	counts, restarts := map[forecast.Verb]int{}, 0
	for _, o := range v.Objects {
		counts[o.Verb]++
		if o.Restarts {
			restarts++
		}
	}
	return fmt.Sprintf("%s  plan %s: %s; pods of %d workloads are replaced", head, v.Plan, command.Sum(counts), restarts)
}
