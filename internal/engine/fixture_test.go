// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

var epoch0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func node(name string, options ...func(*Node)) *Node {
	n := &Node{Name: name, Strategy: v1alpha1.Serial}
	for _, o := range options {
		o(n)
	}
	return n
}

func children(c ...*Node) func(*Node) { return func(n *Node) { n.Children = c } }
func parallel(n *Node)                { n.Strategy = v1alpha1.Parallel }
func conditional(n *Node)             { n.Conditional = true }
func atMost(k int) func(*Node)        { return func(n *Node) { n.MaxParallel = k } }
func after(names ...string) func(*Node) {
	return func(n *Node) { n.DependsOn = names }
}

func task(kind TaskKind, retries int32) func(*Node) {
	return func(n *Node) {
		n.Task = &Task{Kind: kind, Timeout: time.Minute, Retry: Retry{Limit: retries, Backoff: 10 * time.Second, Factor: 2}}
	}
}

// program makes a plan and sets the paths.
func program(options ...func(*Node)) *Program {
	root := node("", options...)
	var set func(n *Node, prefix string)
	set = func(n *Node, prefix string) {
		for _, c := range n.Children {
			c.Path = prefix + c.Name
			for _, u := range c.Undo {
				u.Path = c.Path + "/undo/" + u.Name
			}
			set(c, c.Path+"/")
		}
	}
	set(root, "")
	return &Program{Plan: "deploy", Root: root}
}

// says gives a task a message for people.
func says(message string) func(*Node) { return func(n *Node) { n.Task.Message = message } }

// undoneBy gives a step the tasks that take it back.
func undoneBy(tasks ...*Node) func(*Node) { return func(n *Node) { n.Undo = tasks } }

// onFailure says what follows a failure.
func onFailure(p *Program, of OnFailure) *Program {
	p.OnFailure = &of
	return p
}

// step is a step with one task of its own name.
func step(name string, kind TaskKind, options ...func(*Node)) *Node {
	n := node(name, children(node(name, task(kind, 1))))
	for _, o := range options {
		o(n)
	}
	return n
}

func admitted() Facts {
	return Facts{Admitted: true, Outcomes: map[string]Outcome{}, When: map[string]Truth{}}
}
