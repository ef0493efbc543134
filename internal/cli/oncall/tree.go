// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
	"kudo.dev/kudo/internal/diagnose"
	"kudo.dev/kudo/internal/health"
)

// leaf is an object in the tree of an Instance, with what it owns.
type leaf struct {
	Object string  `json:"object"`
	Health string  `json:"health,omitempty"`
	Why    string  `json:"why,omitempty"`
	Owns   []*leaf `json:"owns,omitempty"`
}

func newTree(env *command.Env) *cobra.Command {
	var output command.Output
	cmd := &cobra.Command{
		Use:   "tree NAME",
		Short: "Show the objects of an Instance, what they own, and how each is",
		Long: `Shows the Instance, what runs on it, its objects as the last completed run left them or the current
one writes them, the pods behind them and the claims that those wait for.`,
		Example:           "  kubectl kudo tree zk",
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := find(cmd.Context(), env, args[0])
			if err != nil {
				return err
			}
			root, gaps := grow(cmd.Context(), s, env.Clock.Now())
			if err := output.Print(env, root, func() error {
				show(env, leafLines(look(env), root)...)
				return nil
			}); err != nil {
				return err
			}
			for _, line := range gapLines(gaps) {
				env.Warnf("%s\n", line)
			}
			return nil
		},
	}
	output.AddFlags(cmd)
	return cmd
}

// grow reads the tree of an Instance.
func grow(ctx context.Context, s *subject, now time.Time) (*leaf, []diagnose.Gap) {
	r := &evidence.Reader{Client: s.client}
	runs := r.Executions(ctx, s.inst)
	state, _ := stateOf(s.inst)
	root := &leaf{Object: "Instance " + s.inst.Name, Health: state, Why: readyOf(s.inst).Message}
	refs := r.AtRest(ctx, s.client, s.inst, runs)
	for _, pe := range evidence.Shown(s.inst, runs) {
		root.Owns = append(root.Owns, runLeaf(pe, now))
		for _, ref := range evidence.Written(pe) {
			if !pe.Status.State.Terminal() && !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	for _, ref := range refs {
		if ref.Kind == "Secret" {
			root.Owns = append(root.Owns, &leaf{Object: "Secret " + ref.Name, Why: "not read"})
			continue
		}
		w := r.Workload(ctx, ref)
		if w == nil {
			gone := &leaf{Object: ref.Kind + " " + ref.Name, Health: string(health.Gone), Why: "is not there"}
			if len(r.Gaps) > 0 {
				gone.Health, gone.Why = "Unknown", "is not there, or may not be read"
			}
			root.Owns = append(root.Owns, gone)
			continue
		}
		root.Owns = append(root.Owns, objectLeaf(w))
	}
	return root, r.Gaps
}

func runLeaf(pe *v1alpha1.PlanExecution, now time.Time) *leaf {
	out := &leaf{Object: "PlanExecution " + pe.Name, Health: string(pe.Status.State), Why: "plan " + pe.Spec.Plan}
	if pe.Status.Progress != "" {
		out.Why += ", " + pe.Status.Progress + " steps"
	}
	if at := pe.Status.StartedAt; at != nil && !pe.Status.State.Terminal() {
		out.Why += ", for " + screen.Span(now.Sub(at.Time))
	}
	if out.Health == "" {
		out.Health = string(v1alpha1.RunPending)
	}
	return out
}

// objectLeaf is an object with its pods below it, and below these the claims that they wait for.
func objectLeaf(w *diagnose.Workload) *leaf {
	out := newLeaf(w.Object)
	if w.Object.GetKind() == "Pod" {
		out.Owns = claimLeaves(w, &w.Pods[0])
		return out
	}
	sets := map[string]*leaf{}
	for _, s := range w.Sets {
		if !isOwned(s, w.Object) {
			continue
		}
		l := &leaf{Object: "ReplicaSet " + s.GetName()}
		sets[string(s.GetUID())] = l
	}
	for i := range w.Pods {
		p := &w.Pods[i]
		owner := metav1.GetControllerOf(p)
		if owner == nil {
			continue
		}
		l := podLeaf(w, p)
		switch set := sets[string(owner.UID)]; {
		case set != nil:
			if len(set.Owns) == 0 {
				out.Owns = append(out.Owns, set)
			}
			set.Owns = append(set.Owns, l)
		case owner.UID == w.Object.GetUID():
			out.Owns = append(out.Owns, l)
		}
	}
	return out
}

func isOwned(o, by *unstructured.Unstructured) bool {
	owner := metav1.GetControllerOf(o)
	return owner != nil && owner.UID == by.GetUID()
}

func newLeaf(o *unstructured.Unstructured) *leaf {
	r := health.Of(o)
	prefix := o.GetKind() + " " + o.GetName()
	return &leaf{Object: prefix, Health: string(r.State), Why: strings.TrimPrefix(r.Message, prefix+": ")}
}

func podLeaf(w *diagnose.Workload, p *corev1.Pod) *leaf {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(p)
	if err != nil {
		return &leaf{Object: "Pod " + p.Name, Health: "Unknown"}
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	out := newLeaf(u)
	out.Owns = claimLeaves(w, p)
	return out
}

// claimLeaves are the claims of a pod that are not bound.
func claimLeaves(w *diagnose.Workload, p *corev1.Pod) []*leaf {
	var out []*leaf
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		for i := range w.Claims {
			if c := &w.Claims[i]; c.Name == v.PersistentVolumeClaim.ClaimName && c.Status.Phase != corev1.ClaimBound {
				out = append(out, &leaf{Object: "PersistentVolumeClaim " + c.Name, Health: string(health.Progressing), Why: "is not bound"})
			}
		}
	}
	return out
}

// leafLines draw a tree.
func leafLines(l screen.Look, root *leaf) []string {
	var out []string
	var draw func(n *leaf, branch, below string)
	draw = func(n *leaf, branch, below string) {
		line := l.Paint(screen.Faint, branch) + l.Paint(screen.Bold, n.Object)
		used := len([]rune(branch + n.Object))
		if n.Health != "" {
			line += "  " + l.Paint(healthColor(n.Health), n.Health)
			used += len("  " + n.Health)
		}
		if n.Why != "" {
			rest := l
			rest.Width = max(0, l.Width-used-len("  "))
			line += "  " + l.Paint(screen.Faint, rest.Cut(n.Why))
		}
		out = append(out, line)
		for i, o := range n.Owns {
			if i == len(n.Owns)-1 {
				draw(o, below+"└─ ", below+"   ")
				continue
			}
			draw(o, below+"├─ ", below+"│  ")
		}
	}
	draw(root, "", "")
	return out
}

func healthColor(state string) string {
	switch state {
	case string(health.Healthy), "Ready", string(v1alpha1.RunSucceeded):
		return screen.Green
	case string(health.Failed), "Stalled", string(v1alpha1.RunCancelled):
		return screen.Red
	case string(health.Progressing), string(v1alpha1.RunRunning):
		return screen.Cyan
	}
	return screen.Yellow
}
