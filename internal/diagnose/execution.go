// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Task is a task of an execution that does not go on.
type Task struct {
	// Path of the task: phase, step, task.
	Path string
	// Status of it.
	Status *v1alpha1.TaskStatus
}

// Step is the path of the task's step.
func (t Task) Step() string {
	if i := strings.LastIndex(t.Path, "/"); i > 0 {
		return t.Path[:i]
	}
	return t.Path
}

// Troubled lists the tasks of an execution that hold it up, those that need a person first:
// what is stalled, then what runs, and for a run that failed what had not ended by then.
func Troubled(pe *v1alpha1.PlanExecution) []Task {
	var out []Task
	add := func(path string, tasks []v1alpha1.TaskStatus) {
		for i := range tasks {
			t := &tasks[i]
			switch t.State {
			case v1alpha1.RunStalled, v1alpha1.RunRunning, v1alpha1.RunFailed:
				out = append(out, Task{Path: path + "/" + t.Name, Status: t})
			case v1alpha1.RunPending, v1alpha1.RunSucceeded, v1alpha1.RunSkipped, v1alpha1.RunCancelled:
			}
		}
	}
	for i := range pe.Status.Phases {
		phase := &pe.Status.Phases[i]
		for j := range phase.Steps {
			step := &phase.Steps[j]
			add(phase.Name+"/"+step.Name, step.Tasks)
			add(phase.Name+"/"+step.Name+"/undo", step.Undo)
		}
	}
	rank := map[v1alpha1.RunState]int{v1alpha1.RunStalled: 0, v1alpha1.RunFailed: 1, v1alpha1.RunRunning: 2}
	slices.SortStableFunc(out, func(a, b Task) int { return cmp.Compare(rank[a.Status.State], rank[b.Status.State]) })
	return out
}

// Active is the execution that an Instance waits for or failed with; nil if there is none.
func Active(e *Evidence) *v1alpha1.PlanExecution {
	d := &diagnosis{Evidence: e}
	if pe := d.active(); pe != nil {
		return pe
	}
	if last := d.newest(); last != nil && last.Status.State == v1alpha1.RunFailed {
		return last
	}
	return nil
}

// execution explains why a run does not go on.
func (d *diagnosis) execution(pe *v1alpha1.PlanExecution) *finding {
	link := Link{Object: "PlanExecution " + pe.Name, State: string(pe.Status.State), Message: d.progress(pe)}
	tasks := Troubled(pe)
	held := meta.IsStatusConditionTrue(pe.Status.Conditions, v1alpha1.ConditionPaused) && pe.Status.State != v1alpha1.RunStalled
	for i, t := range tasks {
		if i > 0 || held {
			d.others = append(d.others, fmt.Sprintf("%s is %s: %s", t.Path, t.Status.State, t.Status.Message))
		}
	}
	if held {
		return d.paused(pe).below(link)
	}
	if len(tasks) == 0 {
		f := d.reason(cmp.Or(pe.Status.Message, "plan "+pe.Spec.Plan+" is "+string(pe.Status.State)), pe.Status.Reason)
		return d.finish(f, pe, "").below(link)
	}
	return d.task(pe, tasks[0]).below(link)
}

// progress says how far a run is; its message is told below.
func (d *diagnosis) progress(pe *v1alpha1.PlanExecution) string {
	text := "plan " + pe.Spec.Plan
	if pe.Status.Progress != "" {
		text += ", " + pe.Status.Progress + " steps"
	}
	if at := pe.Status.StartedAt; at != nil {
		text += ", started " + ago(d.Now.Sub(at.Time)) + " ago"
	}
	return text
}

func (d *diagnosis) paused(pe *v1alpha1.PlanExecution) *finding {
	f := &finding{cause: Paused, summary: "a person holds the run"}
	for _, q := range slices.Backward(pe.Spec.Requests) {
		if q.Action != v1alpha1.ActionPause {
			continue
		}
		f.summary = fmt.Sprintf("%s paused %s", cmp.Or(q.By, "a person"), cmp.Or(q.Path, "the run"))
		if q.Reason != "" {
			f.summary += ": " + q.Reason
		}
		break
	}
	f.next = []Command{d.kudo("resume", "", "let it go on")}
	return f
}

// task explains why a task does not go on: by its own words where they name the cause, else
// by its objects.
func (d *diagnosis) task(pe *v1alpha1.PlanExecution, t Task) *finding {
	s := t.Status
	link := Link{Object: "step " + t.Path, State: string(s.State), Message: d.attempt(s)}
	if s.State == v1alpha1.RunStalled || s.State == v1alpha1.RunFailed || s.RetryAt != nil {
		link.State = string(s.State) + ", " + s.Reason
	}
	if f := d.approval(pe, t); f != nil {
		return f.below(link)
	}
	f := d.reason(s.Message, s.Reason)
	if f.cause == Unknown || f.cause == JobFailed {
		if sick := d.workloads(s, s.Message); sick != nil {
			f = sick
		}
	} else {
		link.Message = s.Message
	}
	if f.cause == Unknown && s.State == v1alpha1.RunRunning {
		f.cause = InProgress
		f.summary = cmp.Or(f.summary, "task "+t.Path+" has been running for "+d.since(s))
	}
	return d.finish(f, pe, t.Path).below(link)
}

// finish says what follows once the cause is gone, or where to look if none is known.
func (d *diagnosis) finish(f *finding, pe *v1alpha1.PlanExecution, path string) *finding {
	if f.cause == Unknown || f.cause == InProgress {
		f.next = append(f.next,
			d.kudo("status", "--watch", "does it go on?"),
			d.kudo("logs", strings.TrimSpace(stepFlag(path)), "what do its programs say?"))
	}
	if f.cause == ApprovalPending {
		return f
	}
	f.next = d.again(pe, path, f.next...)
	return f
}

func stepFlag(path string) string {
	if parts := strings.Split(path, "/"); len(parts) > 1 {
		return "--step " + parts[0] + "/" + parts[1]
	}
	return ""
}

func (d *diagnosis) since(s *v1alpha1.TaskStatus) string {
	at := s.AttemptAt
	if at == nil {
		at = s.StartedAt
	}
	if at == nil {
		return "a moment"
	}
	return ago(d.Now.Sub(at.Time))
}

func (d *diagnosis) attempt(s *v1alpha1.TaskStatus) string {
	text := fmt.Sprintf("attempt %d, for %s", max(s.Attempt, 1), d.since(s))
	if s.RetryAt != nil {
		text += ", the next in " + ago(s.RetryAt.Sub(d.Now))
	}
	return text
}

// approval is pending also after its time: it still can be given.
func (d *diagnosis) approval(pe *v1alpha1.PlanExecution, t Task) *finding {
	what := strings.TrimPrefix(t.Status.Message, "waiting for approval: ")
	late := strings.HasPrefix(t.Status.Message, "not approved within ") && t.Status.State != v1alpha1.RunFailed
	if t.Status.Reason != v1alpha1.ReasonAwaitingApproval && !late {
		return nil
	}
	if late {
		if _, after, found := strings.Cut(t.Status.Message, "it still can be: "); found {
			what = after
		}
	}
	step := t.Step()
	return &finding{
		cause:   ApprovalPending,
		summary: fmt.Sprintf("step %s has been waiting for a person's approval for %s: %s", step, d.since(t.Status), what),
		next: []Command{
			d.kudo("approve", step+" --reason \"...\"", "let plan "+pe.Spec.Plan+" go on"),
			d.kudo("cancel", "--reason \"...\"", "or end it"),
		},
	}
}

// deadline is the time before which an event tells nothing about this attempt.
func deadline(s *v1alpha1.TaskStatus) time.Time {
	if s == nil || s.StartedAt == nil {
		return time.Time{}
	}
	// Events count in whole seconds.
	return s.StartedAt.Truncate(time.Second)
}
