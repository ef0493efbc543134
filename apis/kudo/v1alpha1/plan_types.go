// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Names of plans with a meaning of their own.
const (
	// PlanDeploy makes the Instance; it runs until it has completed once.
	PlanDeploy = "deploy"
	// PlanUpdate runs when parameters change that name no trigger.
	PlanUpdate = "update"
	// PlanUpgrade runs from the new version when an Instance's version changes.
	PlanUpgrade = "upgrade"
	// PlanCleanup runs when an Instance is deleted.
	PlanCleanup = "cleanup"
	// PlanRollback is built in: it puts the objects back as the last completed run left them.
	PlanRollback = "rollback"
)

// The concurrencies of plans.
const (
	// Exclusive plans run one at a time.
	Exclusive = "Exclusive"
	// Shared plans run beside others.
	Shared = "Shared"
)

// Strategy is the order in which children run.
// +kubebuilder:validation:Enum=Serial;Parallel
type Strategy string

// The strategies.
const (
	// Serial starts a child when the one before it has ended.
	Serial Strategy = "Serial"
	// Parallel starts all children at once, but for those that depend on others.
	Parallel Strategy = "Parallel"
)

// Plan is a runbook: phases of steps of tasks.
type Plan struct {
	// Name of the plan.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Description says what the plan does and when to run it.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`
	// Private plans are only inlined into others. Not yet supported.
	// +optional
	Private bool `json:"private,omitempty"`
	// Concurrency: Exclusive (default): no other exclusive plan runs at the same time.
	// Shared: runs beside others, for plans that change no object of the Instance, such as
	// a backup. Such a plan holds only job, wait and approve tasks.
	// +optional
	// +kubebuilder:validation:Enum=Exclusive;Shared
	Concurrency string `json:"concurrency,omitempty"`
	// Schedule runs the plan at given times. Not yet supported.
	// +optional
	Schedule *Schedule `json:"schedule,omitempty"`
	// Parameters of a run of this plan; expressions see them as run.<name>. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Parameters []Parameter `json:"parameters,omitempty"`
	// Require lists what must be true before the plan's first effect.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Require []Rule `json:"require,omitempty"`
	// OnFailure says what follows when a step can not be done. Empty: the run stalls and
	// waits for a person.
	// +optional
	OnFailure *OnFailure `json:"onFailure,omitempty"`
	// Strategy: Serial (default) or Parallel, for the phases.
	// +optional
	Strategy Strategy `json:"strategy,omitempty"`
	// Phases of the plan.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Phases []Phase `json:"phases"`
	// Outputs of a run. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Outputs []Output `json:"outputs,omitempty"`
}

// Schedule runs a plan at given times.
type Schedule struct {
	// Cron is the schedule; it may hold ${CEL}.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Cron string `json:"cron"`
	// TimeZone of the schedule, for example Europe/Berlin; empty for UTC.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
	// Suspend is a CEL expression: no run starts while it is true.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Suspend string `json:"suspend,omitempty"`
	// OnMissed: RunOnce (default) or Skip.
	// +optional
	// +kubebuilder:validation:Enum=RunOnce;Skip
	OnMissed string `json:"onMissed,omitempty"`
}

// OnFailure says what follows when a step of a plan can not be done: its attempts are
// used up or what it asks for is refused. The execution ends Failed instead of Stalled.
// +kubebuilder:validation:XValidation:rule="!(has(self.plan) && has(self.rollback) && self.rollback)",message="set plan or rollback, not both"
// +kubebuilder:validation:XValidation:rule="has(self.plan) || (has(self.rollback) && self.rollback) || (has(self.undo) && self.undo) || (has(self.fail) && self.fail)",message="set at least one of undo, plan, rollback and fail"
type OnFailure struct {
	// Undo takes back every step that was started, newest first, before the execution ends.
	// +optional
	Undo bool `json:"undo,omitempty"`
	// Plan to run in an execution of its own once this one has ended.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Plan string `json:"plan,omitempty"`
	// Rollback returns to the last completed revision, in an execution of its own once
	// this one has ended.
	// +optional
	Rollback bool `json:"rollback,omitempty"`
	// Fail ends the execution as Failed, with nothing that follows.
	// +optional
	Fail bool `json:"fail,omitempty"`
}

// Phase is a group of steps.
type Phase struct {
	// Name of the phase.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// When is a CEL expression: the phase is skipped unless it is true when the phase starts.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	When string `json:"when,omitempty"`
	// ForEach is a CEL expression: the phase runs once per item. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ForEach string `json:"forEach,omitempty"`
	// Key is a CEL expression over item that names the item. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Key string `json:"key,omitempty"`
	// Plan inlines another plan here. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	Plan string `json:"plan,omitempty"`
	// With gives arguments, evaluated once when the phase starts. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	With []Argument `json:"with,omitempty"`
	// Strategy: Serial (default) or Parallel, for the steps.
	// +optional
	Strategy Strategy `json:"strategy,omitempty"`
	// MaxParallel bounds how many steps run at once where the strategy is Parallel.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	MaxParallel int32 `json:"maxParallel,omitempty"`
	// DependsOn names phases that must end before this one starts, where the plan's
	// strategy is Parallel.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=40
	DependsOn []string `json:"dependsOn,omitempty"`
	// Atomic makes superseding wait for the end of the phase. Not yet supported.
	// +optional
	Atomic bool `json:"atomic,omitempty"`
	// Canary runs the first children, then a gate, then the rest. Not yet supported.
	// +optional
	Canary *Canary `json:"canary,omitempty"`
	// Steps of the phase.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=128
	Steps []Step `json:"steps,omitempty"`
}

// Canary runs the first children, then a gate, then the rest.
type Canary struct {
	// Count of children to run first.
	// +kubebuilder:validation:Minimum=1
	Count int32 `json:"count"`
	// Until is the CEL expression that opens the gate.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Until string `json:"until,omitempty"`
}

// Step is a group of tasks that are retried and timed together.
type Step struct {
	// Name of the step.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// When is a CEL expression: the step is skipped unless it is true when the step starts.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	When string `json:"when,omitempty"`
	// ForEach is a CEL expression: the step runs once per item. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ForEach string `json:"forEach,omitempty"`
	// Key is a CEL expression over item that names the item. Not yet supported.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Key string `json:"key,omitempty"`
	// With gives arguments, evaluated once when the step starts. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	With []Argument `json:"with,omitempty"`
	// Strategy: Serial (default) or Parallel, for the tasks.
	// +optional
	Strategy Strategy `json:"strategy,omitempty"`
	// DependsOn names steps that must end before this one starts, where the phase's
	// strategy is Parallel.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=40
	DependsOn []string `json:"dependsOn,omitempty"`
	// Require lists what must be true before the step's first effect. Not yet supported.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Require []Rule `json:"require,omitempty"`
	// Timeout of one attempt of each task. Default: 10m for apply and delete,
	// 1h for job and wait, 24h for approve.
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// Retry says how often a failed task is tried again.
	// +optional
	Retry *Retry `json:"retry,omitempty"`
	// Undo lists tasks that take the step back, in this order. Without them, objects that
	// the step applied or deleted become again what the last completed run left, objects
	// that it created are deleted (never data), and a job needs a person.
	// +optional
	// +listType=map
	// +listMapKey=task
	// +kubebuilder:validation:MaxItems=16
	Undo []StepTask `json:"undo,omitempty"`
	// Tasks of the step. Not with wait or approve.
	// +optional
	// +listType=map
	// +listMapKey=task
	// +kubebuilder:validation:MaxItems=32
	Tasks []StepTask `json:"tasks,omitempty"`
	// Wait makes the step wait until an expression is true, or for a time.
	// +optional
	Wait *WaitTask `json:"wait,omitempty"`
	// Approve makes the step wait for a person, who adds a request with the action approve.
	// +optional
	Approve *ApproveTask `json:"approve,omitempty"`
	// Outputs are values that later steps see. Not yet supported.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Outputs []Output `json:"outputs,omitempty"`
}

// StepTask is a task within a step.
type StepTask struct {
	// Task names a task of the version.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Task string `json:"task"`
	// DependsOn names tasks of this step that must end before this one starts, where the
	// step's strategy is Parallel.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=40
	DependsOn []string `json:"dependsOn,omitempty"`
}

// Argument is a value for a task, evaluated once.
type Argument struct {
	// Name of the argument.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z][a-zA-Z0-9_]*$`
	Name string `json:"name"`
	// Value is a CEL expression.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value"`
}

// Retry says how often a failed task is tried again, and how fast.
type Retry struct {
	// Limit is the number of attempts after the first. Default 3 for apply and delete, 0 for jobs.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Limit *int32 `json:"limit,omitempty"`
	// Backoff is the pause before the second attempt. Default 10s.
	// +optional
	Backoff *metav1.Duration `json:"backoff,omitempty"`
	// Factor multiplies the pause after each attempt, up to 5 minutes. Default 2.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	Factor int32 `json:"factor,omitempty"`
}
