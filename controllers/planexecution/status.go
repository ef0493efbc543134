// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package planexecution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
)

// load reads the engine's state and the objects of tasks from status.
func load(s *v1alpha1.PlanExecutionStatus) (engine.State, map[string][]v1alpha1.ObjectReference) {
	state := engine.State{
		Run: s.State, Reason: s.Reason, Message: s.Message,
		StartedAt: at(s.StartedAt), FinishedAt: at(s.FinishedAt), Nodes: map[string]engine.NodeState{},
	}
	objects := map[string][]v1alpha1.ObjectReference{}
	for _, p := range s.Phases {
		state.Nodes[p.Name] = loadNode(p.NodeStatus)
		for _, st := range p.Steps {
			step := p.Name + "/" + st.Name
			state.Nodes[step] = loadNode(st.NodeStatus)
			loadTasks(st.Tasks, step+"/", state.Nodes, objects)
			loadTasks(st.Undo, step+graph.UndoPrefix, state.Nodes, objects)
		}
	}
	loadSteering(&state, s)
	for _, a := range s.Requests {
		if state.Answered == nil {
			state.Answered = map[string]engine.Answer{}
		}
		state.Answered[a.ID] = engine.Answer{Refused: a.State == answerRefused, Message: a.Message, At: a.At.Time}
	}
	return state, objects
}

func loadTasks(tasks []v1alpha1.TaskStatus, prefix string, nodes map[string]engine.NodeState, objects map[string][]v1alpha1.ObjectReference) {
	for _, t := range tasks {
		n := loadNode(t.NodeStatus)
		n.Attempt, n.AttemptAt, n.RetryAt, n.ProgressAt = t.Attempt, at(t.AttemptAt), at(t.RetryAt), at(t.ProgressAt)
		nodes[prefix+t.Name] = n
		objects[prefix+t.Name] = append([]v1alpha1.ObjectReference(nil), t.Objects...)
	}
}

// loadSteering reads what people and failures asked of the run.
func loadSteering(state *engine.State, s *v1alpha1.PlanExecutionStatus) {
	for _, path := range s.Paused {
		state.Paused = append(state.Paused, strings.TrimPrefix(path, v1alpha1.PausedAll))
	}
	slices.Sort(state.Paused)
	if e := s.Ending; e != nil {
		state.Ending = &engine.Ending{Run: e.State, Reason: e.Reason, Message: e.Message, Undo: e.Undo, Force: e.Force}
	}
	state.FollowedBy = s.FollowedBy
}

// saveSteering is the inverse of loadSteering.
func saveSteering(s *v1alpha1.PlanExecutionStatus, state *engine.State) {
	s.Paused, s.Ending, s.FollowedBy = nil, nil, state.FollowedBy
	for _, path := range state.Paused {
		if path == "" {
			path = v1alpha1.PausedAll
		}
		s.Paused = append(s.Paused, path)
	}
	if e := state.Ending; e != nil {
		s.Ending = &v1alpha1.RunEnding{
			State: e.Run, Reason: e.Reason, Message: engine.Brief(e.Message, engine.MaxMessage), Undo: e.Undo, Force: e.Force,
		}
	}
}

const (
	answerDone    = "Done"
	answerRefused = "Refused"
)

func loadNode(s v1alpha1.NodeStatus) engine.NodeState {
	return engine.NodeState{
		Run: s.State, Reason: s.Reason, Message: s.Message,
		StartedAt: at(s.StartedAt), FinishedAt: at(s.FinishedAt),
	}
}

// save writes the state of a run into its status.
func save(s *v1alpha1.PlanExecutionStatus, n *run, now time.Time) {
	state := n.state
	s.ObservedGeneration = n.pe.Generation
	s.State, s.Reason, s.Message = state.Run, state.Reason, engine.Brief(state.Message, engine.MaxMessage)
	s.StartedAt, s.FinishedAt = stamp(state.StartedAt), stamp(state.FinishedAt)
	s.Phases = nil
	for _, phase := range n.plan.Program.Root.Children {
		p := v1alpha1.PhaseStatus{Name: phase.Name, NodeStatus: saveNode(state.Node(phase.Path))}
		for _, step := range phase.Children {
			st := v1alpha1.StepStatus{Name: step.Name, NodeStatus: saveNode(state.Node(step.Path))}
			for _, task := range step.Children {
				st.Tasks = append(st.Tasks, saveTask(task, state.Node(task.Path), n.objects[task.Path]))
			}
			for _, task := range step.Undo {
				if undo := state.Node(task.Path); undo.Run != v1alpha1.RunPending {
					st.Undo = append(st.Undo, saveTask(task, undo, n.objects[task.Path]))
				}
			}
			p.Steps = append(p.Steps, st)
		}
		s.Phases = append(s.Phases, p)
	}
	saveTails(s, n.tails)
	done, total := state.Done(n.plan.Program)
	s.Progress = fmt.Sprintf("%d/%d", done, total)
	saveSteering(s, &state)
	s.Requests = nil
	for _, q := range n.pe.Spec.Requests {
		if a, answered := state.Answered[q.ID]; answered {
			out := v1alpha1.RequestStatus{ID: q.ID, State: answerDone, Message: engine.Brief(a.Message, engine.MaxMessage), At: metav1.NewMicroTime(a.At)}
			if a.Refused {
				out.State = answerRefused
			}
			s.Requests = append(s.Requests, out)
		}
	}
	setConditions(s, n.pe.Generation, now)
}

func saveNode(n engine.NodeState) v1alpha1.NodeStatus {
	return v1alpha1.NodeStatus{
		State: n.Run, Reason: n.Reason, Message: engine.Brief(n.Message, engine.MaxMessage),
		StartedAt: stamp(n.StartedAt), FinishedAt: stamp(n.FinishedAt),
	}
}

func saveTask(node *engine.Node, n engine.NodeState, objects []v1alpha1.ObjectReference) v1alpha1.TaskStatus {
	return v1alpha1.TaskStatus{
		Name: node.Name, NodeStatus: saveNode(n), Attempt: n.Attempt, AttemptAt: stamp(n.AttemptAt),
		RetryAt: stamp(n.RetryAt), ProgressAt: stamp(n.ProgressAt), Objects: objects,
	}
}

// stamp drops what the API does not store, so that what is read equals what was written.
func stamp(t time.Time) *metav1.MicroTime {
	if t.IsZero() {
		return nil
	}
	m := metav1.NewMicroTime(t.Truncate(time.Microsecond))
	return &m
}

func at(t *metav1.MicroTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
