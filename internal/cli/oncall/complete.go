// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
)

// completionTimeout is how long a shell may hang for a completion.
const completionTimeout = 3 * time.Second

func patience(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, completionTimeout)
}

// completion is what cobra asks for the words that may follow.
type completion = cobra.CompletionFunc

// instances lists those of the namespace; what can not be read completes to nothing.
func instances(ctx context.Context, env *command.Env) (client.WithWatch, []v1alpha1.Instance) {
	namespace, err := env.Namespace()
	if err != nil {
		return nil, nil
	}
	c, err := env.Client()
	if err != nil {
		return nil, nil
	}
	var list v1alpha1.InstanceList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return c, nil
	}
	return c, list.Items
}

func names(all []v1alpha1.Instance, word string, taken []string) []string {
	var out []string
	for i := range all {
		name := evidence.Named(&all[i])
		if !strings.Contains(word, "/") && strings.HasPrefix(all[i].Name, word) && word != "" {
			name = all[i].Name
		}
		if strings.HasPrefix(name, word) && !slices.Contains(taken, name) {
			state, _ := stateOf(&all[i])
			out = append(out, name+"\t"+all[i].Spec.Framework+" "+versionOf(&all[i])+", "+state)
		}
	}
	return out
}

// CompleteNames completes up to most names of Instances; any number if it is negative.
func CompleteNames(env *command.Env, most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := patience(cmd.Context())
		defer cancel()
		_, all := instances(ctx, env)
		return names(all, word, args), cobra.ShellCompDirectiveNoFileComp
	}
}

// completePaths completes a name, then the paths of what runs on it.
func completePaths(env *command.Env, most int) completion {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 || len(args) >= most {
			return CompleteNames(env, 1)(cmd, args, word)
		}
		ctx, cancel := patience(cmd.Context())
		defer cancel()
		s, err := find(ctx, env, args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		runs, err := s.runs(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, pe := range evidence.Current(s.inst, runs) {
			for _, p := range paths(pe) {
				if strings.HasPrefix(p, word) && !slices.Contains(out, p) {
					out = append(out, p)
				}
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeRun completes a plan of any Instance of the namespace, then the Instances that have it.
func completeRun(env *command.Env) completion {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := patience(cmd.Context())
		defer cancel()
		c, all := instances(ctx, env)
		if c == nil || len(args) > 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		r := evidence.Reader{Client: c}
		var plans []string
		var having []v1alpha1.Instance
		for i := range all {
			fwv := r.Version(ctx, &all[i])
			if fwv == nil {
				continue
			}
			for _, p := range planNames(fwv) {
				if len(args) == 0 && strings.HasPrefix(p, word) && !slices.Contains(plans, p) {
					plans = append(plans, p)
				}
				if len(args) == 1 && p == args[0] {
					having = append(having, all[i])
				}
			}
		}
		if len(args) == 0 {
			return plans, cobra.ShellCompDirectiveNoFileComp
		}
		return names(having, word, nil), cobra.ShellCompDirectiveNoFileComp
	}
}
