// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"cmp"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/cli/screen"
)

const (
	wide   = "wide"
	byName = "name"
)

type getOptions struct {
	output command.Output
	all    bool
}

func newGet(env *command.Env) *cobra.Command {
	o := &getOptions{}
	cmd := &cobra.Command{
		Use:   "get [NAME...]",
		Short: "List Instances with their version, state and plan",
		Example: `  kubectl kudo get
  kubectl kudo get --all-namespaces -o wide
  kubectl kudo get zookeeper/zk -o yaml`,
		Args:              command.Args(0, -1),
		ValidArgsFunction: CompleteNames(env, -1),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args) },
	}
	o.output.AddFlags(cmd, wide, byName)
	cmd.Flags().BoolVarP(&o.all, "all-namespaces", "A", false, "List those of all namespaces")
	return cmd
}

func (o *getOptions) run(cmd *cobra.Command, env *command.Env, args []string) error {
	if o.all && len(args) > 0 {
		return command.Misuse("name Instances or use --all-namespaces, not both")
	}
	list, err := o.read(cmd, env, args)
	if err != nil {
		return err
	}
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Instance"))
		list.Items[i].ManagedFields = nil
	}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("InstanceList"))
	var value any = list
	if len(args) == 1 {
		value = &list.Items[0]
	}
	return o.output.Print(env, value, func() error {
		switch {
		case o.output.Is(byName):
			for i := range list.Items {
				env.Printf("instance.kudo.dev/%s\n", list.Items[i].Name)
			}
		case len(list.Items) == 0:
			env.Warnf("There are no Instances here. In all namespaces: kubectl kudo get --all-namespaces\n")
		default:
			show(env, instanceTable(look(env), list.Items, env.Clock.Now(), o.all, o.output.Is(wide))...)
		}
		return nil
	})
}

func (o *getOptions) read(cmd *cobra.Command, env *command.Env, args []string) (*v1alpha1.InstanceList, error) {
	list := &v1alpha1.InstanceList{}
	for _, name := range args {
		s, err := find(cmd.Context(), env, name)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, *s.inst)
	}
	if len(args) > 0 {
		return list, nil
	}
	var where []client.ListOption
	if !o.all {
		namespace, err := env.Namespace()
		if err != nil {
			return nil, err
		}
		where = append(where, client.InNamespace(namespace))
	}
	c, err := env.Client()
	if err != nil {
		return nil, err
	}
	if err := c.List(cmd.Context(), list, where...); err != nil {
		return nil, evidence.Denied("listing Instances", err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.Instance) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// instanceTable shows Instances, one a line.
func instanceTable(l screen.Look, all []v1alpha1.Instance, now time.Time, namespaces, more bool) []string {
	head := screen.Text("NAME", "FRAMEWORK", "VERSION", "STATE", "PLAN", "AGE")
	if namespaces {
		head = slices.Insert(head, 0, screen.Cell{Text: "NAMESPACE"})
	}
	if more {
		head = append(head, screen.Text("INSTANCE", "ACCOUNT", "MESSAGE")...)
	}
	rows := [][]screen.Cell{head}
	for i := range all {
		inst := &all[i]
		state, color := stateOf(inst)
		row := screen.Text(evidence.Named(inst), inst.Spec.Framework, versionOf(inst))
		row = append(row, screen.Cell{Text: state, Color: color})
		row = append(row, screen.Text(inst.Status.Plan, duration.HumanDuration(now.Sub(inst.CreationTimestamp.Time)))...)
		if namespaces {
			row = slices.Insert(row, 0, screen.Cell{Text: inst.Namespace})
		}
		if more {
			row = append(row, screen.Text(inst.Name, inst.Spec.ServiceAccountName, readyOf(inst).Message)...)
		}
		rows = append(rows, row)
	}
	return l.Table(rows)
}

// versionOf is the version that runs, and the one that is wanted where they differ.
func versionOf(inst *v1alpha1.Instance) string {
	switch running := inst.Status.Version; running {
	case inst.Spec.Version:
		return running
	case "":
		return "-> " + inst.Spec.Version
	default:
		return running + " -> " + inst.Spec.Version
	}
}

func readyOf(inst *v1alpha1.Instance) metav1.Condition {
	if c := meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown}
}

// stateOf is an Instance in a word: what it needs is told by its reason.
func stateOf(inst *v1alpha1.Instance) (state, color string) {
	ready := readyOf(inst)
	is := func(kind string) bool { return meta.IsStatusConditionTrue(inst.Status.Conditions, kind) }
	switch {
	case is(v1alpha1.ConditionStalled):
		return "Stalled", screen.Red
	case inst.DeletionTimestamp != nil:
		return "Deleting", screen.Yellow
	case inst.Status.ObservedGeneration < inst.Generation || ready.Reason == "":
		return "Pending", screen.Faint
	case ready.Reason == v1alpha1.ReasonSuspended:
		return "Suspended", screen.Yellow
	case is(v1alpha1.ConditionWaiting):
		return "Waiting", screen.Yellow
	case ready.Status != metav1.ConditionTrue:
		return "Running", screen.Cyan
	case is(v1alpha1.ConditionDrifted):
		return "Drifted", screen.Yellow
	}
	return "Ready", screen.Green
}
