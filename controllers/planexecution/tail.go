// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/health"
	"kudo.dev/kudo/internal/impersonate"
)

const (
	// maxTail is the budget of a log tail in status, in bytes.
	maxTail = 4096
	// maxTails bounds how many of them one status holds.
	maxTails = 16
	// tailLines and tailRead bound what is read of a log: lines may be long.
	tailLines, tailRead = 100, 256 << 10
)

// tail is the end of a log that belongs to one attempt of a task.
type tail struct {
	attempt int32
	text    string
}

// loadTails reads the log tails from status.
func loadTails(s *v1alpha1.PlanExecutionStatus) map[string]tail {
	tails := map[string]tail{}
	eachTask(s, func(path string, t *v1alpha1.TaskStatus) {
		if t.LogTail != "" {
			tails[path] = tail{attempt: t.Attempt, text: t.LogTail}
		}
	})
	return tails
}

// saveTails writes the tails of last attempts that did not succeed into status.
func saveTails(s *v1alpha1.PlanExecutionStatus, tails map[string]tail) {
	kept := 0
	eachTask(s, func(path string, t *v1alpha1.TaskStatus) {
		found, ok := tails[path]
		if ok && found.attempt == t.Attempt && t.State != v1alpha1.RunSucceeded && kept < maxTails {
			t.LogTail = found.text
			kept++
		}
	})
}

// eachTask calls f for every task in status, those that take a step back too.
func eachTask(s *v1alpha1.PlanExecutionStatus, f func(path string, t *v1alpha1.TaskStatus)) {
	for i := range s.Phases {
		p := &s.Phases[i]
		for j := range p.Steps {
			step := &p.Steps[j]
			for k := range step.Tasks {
				f(p.Name+"/"+step.Name+"/"+step.Tasks[k].Name, &step.Tasks[k])
			}
			for k := range step.Undo {
				f(p.Name+"/"+step.Name+graph.UndoPrefix+step.Undo[k].Name, &step.Undo[k])
			}
		}
	}
}

// keepTail reads the end of a log for status, and says for the message what came of it.
func (r *Reconciler) keepTail(ctx context.Context, n *run, path string, log health.ContainerLog) string {
	text, err := r.readTail(ctx, n, log)
	switch {
	case apierrors.IsForbidden(err):
		return "; its log is not known: the account " + n.instance.Spec.ServiceAccountName + " may not get pods/log"
	case err != nil:
		return "; its log can not be read: " + engine.Brief(err.Error(), 160)
	case text == "":
		return "; it logged nothing"
	}
	next := tail{attempt: n.state.Node(path).Attempt, text: text}
	if n.tails[path] != next {
		n.tails[path], n.changed = next, true
	}
	return "; the end of its log stands in logTail of this task's status"
}

func (r *Reconciler) readTail(ctx context.Context, n *run, log health.ContainerLog) (string, error) {
	account := impersonate.Account{Namespace: n.instance.Namespace, Name: n.instance.Spec.ServiceAccountName}
	core, err := r.Accounts.CoreFor(account)
	if err != nil {
		return "", err
	}
	lines, limit := int64(tailLines), int64(tailRead)
	stream, err := core.Pods(n.pe.Namespace).GetLogs(log.Pod, &corev1.PodLogOptions{
		Container: log.Container, Previous: log.Previous, TailLines: &lines, LimitBytes: &limit,
	}).Stream(ctx)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(stream, tailRead))
	if err = errors.Join(err, stream.Close()); err != nil {
		return "", fmt.Errorf("reading the log: %w", err)
	}
	return cutTail(string(raw)), nil
}

// cutTail keeps the end of a text, from the start of a line if that is near, without
// what could steer a terminal.
func cutTail(text string) string {
	text = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || (unicode.IsControl(c) && c != '\n' && c != '\t') {
			return -1
		}
		return c
	}, text)
	text = strings.TrimRight(text, "\n\t ")
	if len(text) <= maxTail {
		return text
	}
	text = text[len(text)-maxTail:]
	for !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	if i := strings.IndexByte(text, '\n'); i >= 0 && i < maxTail/2 {
		text = text[i+1:]
	}
	return text
}
