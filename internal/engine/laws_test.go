// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// chooser turns bytes into choices, so that a fuzzer and a random source drive the
// same simulation.
type chooser struct {
	data []byte
	at   int
}

func (c *chooser) pick(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[c.at%len(c.data)]
	c.at++
	return (int(b) + c.at/len(c.data)) % n
}

// randomProgram makes a plan of up to three phases of up to three steps of up to two tasks.
func randomProgram(c *chooser) *Program {
	level := func(child func(i int) *Node, most int) []*Node {
		var out []*Node
		for i := range 1 + c.pick(most) {
			n := child(i)
			for j := range i {
				if c.pick(4) == 0 {
					n.DependsOn = append(n.DependsOn, out[j].Name)
				}
			}
			out = append(out, n)
		}
		return out
	}
	strategy := func(n *Node) {
		if c.pick(2) == 1 {
			n.Strategy, n.MaxParallel = v1alpha1.Parallel, c.pick(3)
		}
		n.Conditional = c.pick(5) == 0
	}
	kinds := []TaskKind{TaskApply, TaskDelete, TaskJob, TaskWait, TaskApprove}
	leaf := func(i int) *Node {
		return node(fmt.Sprintf("t%d", i), task(kinds[c.pick(len(kinds))], int32(c.pick(3))))
	}
	undo := func(n *Node) {
		for i := range c.pick(3) {
			kinds := []TaskKind{TaskRevert, TaskJob, TaskManual, TaskApply}
			n.Undo = append(n.Undo, node(fmt.Sprintf("u%d", i), task(kinds[c.pick(len(kinds))], 0)))
		}
	}
	steps := func(i int) *Node { return node(fmt.Sprintf("s%d", i), children(level(leaf, 2)...), strategy, undo) }
	phases := func(i int) *Node { return node(fmt.Sprintf("p%d", i), children(level(steps, 3)...), strategy) }
	p := program(children(level(phases, 3)...), strategy)
	p.Root.Conditional = false
	if c.pick(4) == 0 {
		p.OnFailure = &OnFailure{Undo: c.pick(2) == 0, Plan: "rescue"}
	}
	return p
}

// simulation runs a program in a hostile world and checks every law at every step.
type simulation struct {
	t        *testing.T
	c        *chooser
	program  *Program
	state    State
	facts    Facts
	now      time.Time
	finished map[string]bool  // nodes that ended
	started  map[string]int   // effects by key since the last restart
	attempts map[string]int32 // the highest attempt of each task
}

func newSimulation(t *testing.T, data []byte) *simulation {
	t.Helper()
	c := &chooser{data: data}
	s := &simulation{
		t: t, c: c, program: randomProgram(c), facts: admitted(), now: epoch0,
		finished: map[string]bool{}, started: map[string]int{}, attempts: map[string]int32{},
	}
	s.program.Root.Walk(func(n *Node) {
		if n.Conditional {
			s.facts.When[n.Path] = Truth{Value: c.pick(3) > 0}
		}
	})
	return s
}

func (s *simulation) decide() Decision {
	before := s.state.clone()
	d := Decide(s.program, s.state, s.facts, s.now)
	if again := Decide(s.program, s.state, s.facts, s.now); !reflect.DeepEqual(d, again) {
		s.t.Fatalf("not deterministic:\n%+v\n%+v", d, again)
	}
	if !reflect.DeepEqual(before.Nodes, s.state.clone().Nodes) {
		s.t.Fatal("Decide changed its input")
	}
	s.checkTerminal(d)
	s.checkMonotone(before, d)
	s.checkRetries(before, d)
	s.checkSerial(s.program.Root, d.State)
	s.checkUndo(before, d)
	s.checkPaused(before, d)
	s.checkAnnounced(before, d)
	s.state = d.State
	return d
}

func (s *simulation) checkTerminal(d Decision) {
	if d.State.Run.Terminal() && (len(d.Effects) > 0 || !d.Wake.IsZero()) {
		s.t.Fatalf("a terminal state has effects %v or a wake %v", d.Effects, d.Wake)
	}
}

// steered says whether a person's request was carried out in this decision.
func steered(before State, d Decision) bool { return len(d.State.Answered) > len(before.Answered) }

// checkUndo: steps are taken back one task at a time, and only while nothing new is done.
func (s *simulation) checkUndo(before State, d Decision) {
	inFlight := 0
	s.program.Root.Undoes(func(n *Node) {
		if run := d.State.Node(n.Path); run.started() && !run.Run.Terminal() {
			inFlight++
		}
		if d.State.Node(n.Path).Attempt > 0 && (d.State.Ending == nil || !d.State.Ending.Undo) && d.State.Ending == nil {
			s.t.Fatalf("%s started although nothing is to be taken back", n.Path)
		}
	})
	if inFlight > 1 {
		s.t.Fatalf("%d tasks that take steps back are in flight", inFlight)
	}
	if before.Ending == nil {
		return
	}
	s.program.Root.Leaves(func(n *Node) {
		if d.State.Node(n.Path).Attempt > before.Node(n.Path).Attempt {
			s.t.Fatalf("%s was attempted although the run ends", n.Path)
		}
	})
}

// checkAnnounced: an attempt is stored before its effect is made.
func (s *simulation) checkAnnounced(before State, d Decision) {
	for _, e := range d.Effects {
		task, ok := e.(TaskEffect)
		if ok && before.Node(task.Path).Attempt != task.Attempt && !d.WriteAhead {
			s.t.Fatalf("attempt %d of %s has an effect before it is stored", task.Attempt, task.Path)
		}
	}
}

// checkPaused: below a pause nothing starts.
func (s *simulation) checkPaused(before State, d Decision) {
	if steered(before, d) {
		return
	}
	check := func(n *Node) {
		for _, p := range before.Paused {
			if covers(p, n.Path) && d.State.Node(n.Path).Attempt > before.Node(n.Path).Attempt {
				s.t.Fatalf("%s was attempted although %q is paused", n.Path, p)
			}
		}
	}
	s.program.Root.Leaves(check)
	s.program.Root.Undoes(check)
}

func (s *simulation) checkMonotone(before State, d Decision) {
	if steered(before, d) { // who asks to run a step again takes back that it ended
		clear(s.finished)
	}
	s.program.Root.Walk(func(n *Node) {
		if n.Path == "" {
			return
		}
		now := d.State.Node(n.Path)
		if s.finished[n.Path] && !now.Run.Terminal() {
			s.t.Fatalf("%s had ended and is %s", n.Path, now.Run)
		}
		s.finished[n.Path] = now.Run.Terminal()
		if now.Attempt < s.attempts[n.Path] || now.Attempt > s.attempts[n.Path]+1 {
			s.t.Fatalf("%s went from attempt %d to %d", n.Path, s.attempts[n.Path], now.Attempt)
		}
		s.attempts[n.Path] = now.Attempt
	})
}

// checkRetries: no attempt before its pause is over, and none past the limit unless a
// person asked for it.
func (s *simulation) checkRetries(before State, d Decision) {
	s.program.Root.Leaves(func(n *Node) {
		was, now := before.Node(n.Path), d.State.Node(n.Path)
		if now.Attempt == was.Attempt || was.Attempt == 0 || was.Run == v1alpha1.RunStalled || was.Run == v1alpha1.RunPending || steered(before, d) {
			return
		}
		if was.RetryAt.IsZero() || s.now.Before(was.RetryAt) {
			s.t.Fatalf("%s: attempt %d at %s, before %s", n.Path, now.Attempt, s.now, was.RetryAt)
		}
		if len(s.facts.Requests) == 0 && now.Attempt > n.Task.Retry.Limit+1 {
			s.t.Fatalf("%s: attempt %d although %d retries are allowed", n.Path, now.Attempt, n.Task.Retry.Limit)
		}
	})
}

// checkSerial: in a serial node nothing starts before what comes first has ended, and
// at most one child is in flight. Dependencies hold in every node.
func (s *simulation) checkSerial(n *Node, state State) {
	inFlight := 0
	ended := map[string]bool{}
	for i, c := range n.Children {
		run := state.Node(c.Path)
		begun := !run.StartedAt.IsZero()
		ended[c.Name] = run.Run.Terminal()
		if begun && !run.Run.Terminal() {
			inFlight++
		}
		if begun && n.Strategy != v1alpha1.Parallel {
			for _, earlier := range n.Children[:i] {
				if !ended[earlier.Name] {
					s.t.Fatalf("%s started before %s ended", c.Path, earlier.Path)
				}
			}
		}
		for _, dep := range c.DependsOn {
			if begun && !ended[dep] {
				s.t.Fatalf("%s started before %s, which it depends on, ended", c.Path, dep)
			}
		}
		s.checkSerial(c, state)
	}
	if n.Strategy != v1alpha1.Parallel && inFlight > 1 {
		s.t.Fatalf("%d children of %q are in flight although it is serial", inFlight, n.Path)
	}
	if n.Strategy == v1alpha1.Parallel && n.MaxParallel > 0 && inFlight > n.MaxParallel {
		s.t.Fatalf("%d children of %q are in flight, more than %d", inFlight, n.Path, n.MaxParallel)
	}
}

// make answers effects, each at most once per attempt and life of the manager.
func (s *simulation) make(d Decision, hostile bool) {
	for _, e := range d.Effects {
		if s.started[e.Key()]++; s.started[e.Key()] > 1 {
			s.t.Fatalf("%s was made twice in one life of the manager", e.Key())
		}
		outcome := Outcome{Class: OutcomeWaiting}
		if !hostile || s.c.pick(3) == 0 {
			outcome.Class = OutcomeDone
		}
		switch e := e.(type) {
		case TaskEffect:
			s.facts.Outcomes[e.Path] = outcome
		case PruneEffect:
			s.facts.Prune = Outcome{Class: OutcomeDone}
		case SealEffect:
			s.facts.Sealed = Outcome{Class: OutcomeDone}
		}
	}
}

// happen lets the world do something.
func (s *simulation) happen() {
	classes := []Class{OutcomeDone, OutcomeFailed, OutcomeFailed, OutcomeTransient, OutcomeUser, OutcomeWaiting, OutcomeDone}
	switch s.c.pick(7) {
	case 0:
		s.now = s.now.Add(time.Duration(s.c.pick(100)) * time.Second)
	case 1: // killed: what was made is made again
		s.facts.Outcomes, s.started = map[string]Outcome{}, map[string]int{}
	case 2:
		if s.c.pick(3) == 0 {
			s.ask()
		}
	default:
		s.program.Root.Leaves(func(n *Node) {
			if _, made := s.facts.Outcomes[n.Path]; made && s.c.pick(3) == 0 {
				s.facts.Outcomes[n.Path] = Outcome{Class: classes[s.c.pick(len(classes))], Reason: "R", Message: "m"}
			}
		})
	}
}

// ask lets a person ask for something, sensible or not.
func (s *simulation) ask() {
	actions := []string{
		v1alpha1.ActionRetry, v1alpha1.ActionRetry, v1alpha1.ActionPause, v1alpha1.ActionResume, v1alpha1.ActionApprove,
		v1alpha1.ActionSkip, v1alpha1.ActionForceComplete, v1alpha1.ActionCancel, "nonsense",
	}
	paths := []string{"", "", "nowhere"}
	add := func(n *Node) { paths = append(paths, n.Path) }
	s.program.Root.Walk(add)
	s.program.Root.Undoes(add)
	r := Request{ID: strconv.Itoa(len(s.facts.Requests)), Action: actions[s.c.pick(len(actions))], Path: paths[s.c.pick(len(paths))]}
	if r.Action == v1alpha1.ActionCancel {
		r.Mode = []string{"", v1alpha1.CancelUndo, v1alpha1.CancelForce}[s.c.pick(3)]
	}
	s.facts.Requests = append(s.facts.Requests, r)
}

// help lets a person do what every stuck run needs.
func (s *simulation) help(i int) {
	actions := []string{v1alpha1.ActionResume, v1alpha1.ActionApprove, v1alpha1.ActionRetry}
	if s.state.Ending != nil {
		actions = append(actions, v1alpha1.ActionForceComplete)
	}
	for _, action := range actions {
		s.facts.Requests = append(s.facts.Requests, Request{ID: fmt.Sprintf("friendly-%d-%s", i, action), Action: action})
	}
}

// run plays a hostile world, then a friendly one, in which every run must end.
func (s *simulation) run() {
	for range 60 {
		d := s.decide()
		s.forgetOld()
		s.make(d, true)
		s.happen()
	}
	for i := range 400 {
		d := s.decide()
		s.forgetOld()
		s.make(d, false)
		if d.State.Run.Terminal() {
			if d.State.Run != v1alpha1.RunSucceeded && d.State.Ending == nil {
				s.t.Fatalf("ended %s in a friendly world: %s", d.State.Run, d.State.Message)
			}
			s.facts.Outcomes, s.facts.Stop, s.now = nil, v1alpha1.ReasonDeleted, s.now.Add(time.Hour)
			if after := s.decide(); !reflect.DeepEqual(after, Decision{State: d.State}) {
				s.t.Fatalf("something follows a terminal state: %+v", after)
			}
			return
		}
		for path := range s.facts.Outcomes {
			s.facts.Outcomes[path] = Outcome{Class: OutcomeDone}
		}
		s.help(i)
		s.now = s.now.Add(10 * time.Minute)
	}
	s.t.Fatalf("does not end: %s %s\n%+v", s.state.Run, s.state.Message, s.state)
}

// forgetOld drops the outcomes of attempts that are over, as a controller does that
// keeps them by attempt.
func (s *simulation) forgetOld() {
	for path := range s.facts.Outcomes {
		if s.started[AttemptKey(path, s.state.Node(path).Attempt)] == 0 {
			delete(s.facts.Outcomes, path)
		}
	}
}

func TestLawsHoldOverRandomRuns(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	source := rand.New(rand.NewPCG(seed, 1))
	for range 800 {
		data := make([]byte, 200)
		for i := range data {
			data[i] = byte(source.UintN(256))
		}
		newSimulation(t, data).run()
	}
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte("a run of a plan"))
	f.Add([]byte{0, 1, 2, 3, 250, 17, 99})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		newSimulation(t, data).run()
	})
}

// TestStopAlwaysEnds: whatever happens, a run that is asked to stop ends once no job runs.
func TestStopAlwaysEnds(t *testing.T) {
	source := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		data := make([]byte, 100)
		for i := range data {
			data[i] = byte(source.UintN(256))
		}
		s := newSimulation(t, data)
		for range 10 + s.c.pick(20) {
			d := s.decide()
			s.forgetOld()
			s.make(d, true)
			s.happen()
		}
		s.facts.Stop = v1alpha1.ReasonSuperseded
		for range 10 {
			d := s.decide()
			s.forgetOld()
			for path := range s.facts.Outcomes {
				s.facts.Outcomes[path] = Outcome{Class: OutcomeDone} // jobs end
			}
			for _, e := range d.Effects {
				if _, starts := e.(TaskEffect); starts {
					t.Fatalf("%s started although the run is to stop", e.Key())
				}
			}
			s.facts.Sealed, s.facts.Prune = Outcome{Class: OutcomeDone}, Outcome{Class: OutcomeDone}
		}
		if !s.state.Run.Terminal() {
			t.Fatalf("did not stop: %s %s", s.state.Run, s.state.Message)
		}
	}
}

// TestNearCoversWhatMayStart: whatever starts in a decision was near before it, so that
// its condition was evaluated.
func TestNearCoversWhatMayStart(t *testing.T) {
	source := rand.New(rand.NewPCG(11, 3))
	for range 500 {
		data := make([]byte, 100)
		for i := range data {
			data[i] = byte(source.UintN(256))
		}
		s := newSimulation(t, data)
		for range 40 {
			near, before := Near(s.program, s.state), s.state.clone()
			d := s.decide()
			s.program.Root.Walk(func(n *Node) {
				if steered(before, d) { // what a person ends lets more start; it is gathered for the next decision
					return
				}
				if n.Conditional && !begun(before.Node(n.Path)) && begun(d.State.Node(n.Path)) && !near[n.Path] && !skippedWithParent(s.program.Root, n, d.State) {
					t.Fatalf("%s was decided although it was not near: %v", n.Path, near)
				}
			})
			s.forgetOld()
			s.make(d, true)
			s.happen()
		}
	}
}

func skippedWithParent(root, n *Node, state State) bool {
	skipped := false
	root.Walk(func(p *Node) {
		for _, c := range p.Children {
			skipped = skipped || c == n && p.Path != "" && state.Node(p.Path).Run == v1alpha1.RunSkipped
		}
	})
	return skipped
}
