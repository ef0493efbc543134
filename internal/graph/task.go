// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

// Task returns a task of the version by its name, nil if there is none.
func (v *Version) Task(name string) *Task { return v.tasks[name] }
