// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/diagnose"
)

type logsOptions struct {
	step      string
	container string
	follow    bool
	previous  bool
	tail      int64
}

func newLogs(env *command.Env) *cobra.Command {
	o := &logsOptions{}
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print the logs of the jobs and pods of a step",
		Long: `Prints the logs of all containers of the jobs and pods of a step: by default of the step that is
stalled or runs, else of all steps of the last run. Of a job whose pod is gone, the end that Kudo
kept is printed.`,
		Example: `  kubectl kudo logs zk --step servers/roll -f
  kubectl kudo logs zk --previous --tail 100`,
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, args[0]) },
	}
	cmd.Flags().StringVar(&o.step, "step", "", "Phase or step, for example servers/roll")
	cmd.Flags().StringVarP(&o.container, "container", "c", "", "Only containers of this name")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "Go on as more is written")
	cmd.Flags().BoolVarP(&o.previous, "previous", "p", false, "The run of each container before the current one")
	cmd.Flags().Int64Var(&o.tail, "tail", 100, "Last lines of each container; -1 for all")
	_ = cmd.RegisterFlagCompletionFunc("step", func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		const both = 2
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return completePaths(env, both)(cmd, args, word)
	})
	return cmd
}

func (o *logsOptions) run(ctx context.Context, env *command.Env, name string) error {
	s, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	runs, err := s.runs(ctx)
	if err != nil {
		return err
	}
	shown := evidence.Shown(s.inst, runs)
	if len(shown) == 0 {
		return fmt.Errorf("nothing has run on %s yet, so it has no logs", evidence.Named(s.inst))
	}
	tasks, err := o.tasks(shown[0])
	if err != nil {
		return err
	}
	config, err := env.Config.ToRESTConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connecting to the cluster: %w", err)
	}
	r := &evidence.Reader{Client: s.client}
	logs, kept := o.sources(ctx, r, tasks)
	for _, line := range gapLines(r.Gaps) {
		env.Warnf("%s\n", line)
	}
	if len(logs) == 0 && len(kept) == 0 {
		return fmt.Errorf("no pod of %s is there. What is? kubectl kudo -n %s tree %s", o.what(shown[0]), s.inst.Namespace, s.inst.Name)
	}
	for _, k := range kept {
		env.Printf("%s\n", k)
	}
	return o.print(ctx, env, clients, logs)
}

func (o *logsOptions) what(pe *v1alpha1.PlanExecution) string {
	if o.step != "" {
		return "the step " + o.step
	}
	return "plan " + pe.Spec.Plan
}

// tasks are those of the step that is meant.
func (o *logsOptions) tasks(pe *v1alpha1.PlanExecution) ([]diagnose.Task, error) {
	o.step = strings.Trim(o.step, "/")
	if err := knownPath(pe, o.step); err != nil {
		return nil, err
	}
	if o.step == "" && !pe.Status.State.Terminal() {
		if troubled := diagnose.Troubled(pe); len(troubled) > 0 {
			return troubled, nil
		}
	}
	var out []diagnose.Task
	for i := range pe.Status.Phases {
		phase := &pe.Status.Phases[i]
		for j := range phase.Steps {
			step := &phase.Steps[j]
			for k := range step.Tasks {
				path := phase.Name + "/" + step.Name + "/" + step.Tasks[k].Name
				if o.step == "" || path == o.step || strings.HasPrefix(path, o.step+"/") {
					out = append(out, diagnose.Task{Path: path, Status: &step.Tasks[k]})
				}
			}
		}
	}
	return out, nil
}

// source is the log of a container.
type source struct{ namespace, pod, container string }

func (s source) String() string { return s.pod + "/" + s.container }

// sources are the logs of the pods of tasks, and what is kept of those that are gone.
func (o *logsOptions) sources(ctx context.Context, r *evidence.Reader, tasks []diagnose.Task) (logs []source, kept []string) {
	var seen []v1alpha1.ObjectReference
	for _, t := range tasks {
		before := len(logs)
		for _, ref := range evidence.References([]v1alpha1.TaskStatus{*t.Status}, nil) {
			if slices.Contains(seen, ref) {
				continue
			}
			seen = append(seen, ref)
			w := r.Workload(ctx, ref)
			if w == nil {
				continue
			}
			for i := range w.Pods {
				logs = append(logs, o.containers(&w.Pods[i])...)
			}
		}
		if len(logs) == before && t.Status.LogTail != "" {
			for line := range strings.Lines(strings.TrimRight(t.Status.LogTail, "\n")) {
				kept = append(kept, t.Path+": "+strings.TrimRight(line, "\n"))
			}
		}
	}
	return logs, kept
}

func (o *logsOptions) containers(p *corev1.Pod) []source {
	var out []source
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if o.container == "" || o.container == c.Name {
			out = append(out, source{namespace: p.Namespace, pod: p.Name, container: c.Name})
		}
	}
	return out
}

// print copies the logs: one after another, or line by line as they are written. A container
// that has none is told and left out.
func (o *logsOptions) print(ctx context.Context, env *command.Env, clients kubernetes.Interface, logs []source) error {
	out := &lines{env: env, prefixed: len(logs) > 1}
	if !o.follow {
		failed := 0
		for _, l := range logs {
			if err := o.copy(ctx, clients, l, out); err != nil {
				failed++
				out.warn(l, err)
			}
		}
		if failed == len(logs) && failed > 0 {
			return errors.New("no log could be read; the notes above say why")
		}
		return nil
	}
	var all sync.WaitGroup
	for _, l := range logs {
		all.Go(func() {
			if err := o.copy(ctx, clients, l, out); err != nil && ctx.Err() == nil {
				out.warn(l, err)
			}
		})
	}
	all.Wait()
	return nil
}

func (o *logsOptions) copy(ctx context.Context, clients kubernetes.Interface, l source, out *lines) error {
	options := &corev1.PodLogOptions{Container: l.container, Follow: o.follow, Previous: o.previous}
	if o.tail >= 0 {
		options.TailLines = &o.tail
	}
	stream, err := clients.CoreV1().Pods(l.namespace).GetLogs(l.pod, options).Stream(ctx)
	if err != nil {
		return err
	}
	err = out.copy(l, stream)
	return errors.Join(err, stream.Close())
}

// lines writes whole lines of several logs.
type lines struct {
	env      *command.Env
	prefixed bool
	mu       sync.Mutex
}

func (o *lines) copy(l source, from io.Reader) error {
	for in := bufio.NewReader(from); ; {
		line, err := in.ReadString('\n')
		if line != "" {
			o.write(l, strings.TrimRight(line, "\n"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
	}
}

func (o *lines) write(l source, line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.prefixed {
		line = l.String() + ": " + line
	}
	o.env.Printf("%s\n", line)
}

func (o *lines) warn(l source, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if apierrors.IsForbidden(err) {
		o.env.Warnf("note: you may not get pods/log in the namespace %s, so the log of %s is left out\n", l.namespace, l)
		return
	}
	o.env.Warnf("note: the log of %s could not be read: %v\n", l, err)
}
