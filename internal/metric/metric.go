// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metric holds Kudo's own metrics. They are labelled by framework and
// plan, never by instance: the number of series must not grow with users.
package metric

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Set is all of Kudo's metrics.
type Set struct {
	planDuration *prometheus.HistogramVec
	taskDuration *prometheus.HistogramVec
	effects      *prometheus.CounterVec
	stalled      *prometheus.GaugeVec
}

// New registers the metrics.
func New(r prometheus.Registerer) (*Set, error) {
	buckets := prometheus.ExponentialBuckets(0.5, 2, 14) // 0.5 s to about 70 min
	s := &Set{
		planDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kudo_plan_duration_seconds", Help: "Time from the start to the end of plan executions.", Buckets: buckets,
		}, []string{"framework", "plan", "state"}),
		taskDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kudo_task_duration_seconds", Help: "Time from the start to the success of tasks.", Buckets: buckets,
		}, []string{"framework", "plan"}),
		effects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kudo_effects_total", Help: "Effects of tasks by kind and outcome: Done and Waiting worked, Transient is tried again, Failed is another attempt, User needs a person.",
		}, []string{"framework", "kind", "outcome"}),
		stalled: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kudo_instances_stalled", Help: "Instances whose plan needs a person.",
		}, []string{"framework"}),
	}
	for _, c := range []prometheus.Collector{s.planDuration, s.taskDuration, s.effects, s.stalled} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// PlanEnded records how long an execution took.
func (s *Set) PlanEnded(framework, plan, state string, d time.Duration) {
	s.planDuration.WithLabelValues(framework, plan, state).Observe(d.Seconds())
}

// TaskEnded records how long a task took.
func (s *Set) TaskEnded(framework, plan string, d time.Duration) {
	s.taskDuration.WithLabelValues(framework, plan).Observe(d.Seconds())
}

// Effect counts an effect and its outcome.
func (s *Set) Effect(framework, kind, outcome string) {
	s.effects.WithLabelValues(framework, kind, outcome).Inc()
}

// Stalled adds to the number of stalled Instances of a framework.
func (s *Set) Stalled(framework string, delta float64) {
	s.stalled.WithLabelValues(framework).Add(delta)
}
