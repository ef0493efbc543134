// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/dynamic"
	"kudo.dev/kudo/internal/engine"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/impersonate"
	"kudo.dev/kudo/internal/observe"
	"kudo.dev/kudo/internal/revision"
)

// lookEvery bounds how often the rules of one Instance are evaluated: a pod that starts
// changes several times within a second.
const lookEvery = time.Second

func recoveryHolder(key types.NamespacedName) string { return "recovery/" + key.String() }

// forgetRules drops what is only of use while recovery rules are looked at.
func (r *Reconciler) forgetRules(key types.NamespacedName) {
	r.rules.forget(key)
	r.Watches.Release(recoveryHolder(key))
}

// unobserve drops what is only of use while something may start by itself.
func (r *Reconciler) unobserve(key types.NamespacedName) {
	r.forgetContents(key)
	r.forgetRules(key)
}

// incidents evaluates the recovery rules of the version that runs, when a watch says that
// something has changed that they observe. Their time goes on in status.
func (r *Reconciler) incidents(ctx context.Context, inst *v1alpha1.Instance, o *observed) error {
	key := client.ObjectKeyFromObject(inst)
	o.broken = inst.Status.Broken
	if o.facts.Desired == nil || o.facts.Suspended {
		return nil // nothing starts; what is known stays so
	}
	version, err := r.ruled(ctx, o)
	if err != nil {
		return err
	}
	if version == nil {
		r.forgetRules(key)
		o.broken = nil
		return nil
	}
	for _, rule := range version.Recovery {
		o.window = max(o.window, rule.Spec.Limit.Window.Duration)
	}
	known := r.rules.of(inst, newEvaluated)
	running := activeRun(inst, o)
	held := running != nil && !running.Status.State.Terminal()
	if held && (engine.ForRecovery(running.Spec.Trigger) || running.Spec.Plan == v1alpha1.PlanRollback) {
		return nil
	}
	looked, err := r.lookAtRules(ctx, inst, o, version, known, held)
	if err != nil {
		return err
	}
	if looked {
		o.broken = r.since(inst, version, known)
	}
	if len(known.refused) > 0 {
		return nil // no rule acts that nobody can look at, and none holds up others
	}
	o.facts.Incidents, o.facts.Unsure = incidentsOf(version, o.broken), !looked
	return nil
}

// ruled is the version that runs, if it has rules; nil if none are to be looked at.
func (r *Reconciler) ruled(ctx context.Context, o *observed) (*graph.Version, error) {
	if o.baseline.Completed == nil {
		return nil, nil //nolint:nilnil // nothing runs that could be broken
	}
	version, err := r.completedVersion(ctx, o.baseline.Completed)
	if err != nil || version == nil || len(version.Recovery) == 0 {
		return nil, err
	}
	return version, nil
}

// query is something that rules observe, and the watch that sees it.
type query struct {
	graph.Query
	key dynamic.Key
}

// queries lists what the rules observe, and what can not be asked for.
func queries(inst *v1alpha1.Instance, version *graph.Version, in *revision.Inputs, preempting bool) []query {
	var out []query
	for _, name := range version.RecoverySees(preempting) {
		q, err := version.Query(name, in, identityOf(inst))
		if err != nil {
			continue // the expression that needs it says what is missing
		}
		key := keyOf(inst, v1alpha1.ObjectReference{
			APIVersion: q.GVK.GroupVersion().String(), Kind: q.GVK.Kind, Namespace: inst.Namespace,
		})
		key.Name, key.Any = q.ObjectName, q.ObjectName == ""
		out = append(out, query{q, key})
	}
	return out
}

func identityOf(inst *v1alpha1.Instance) graph.Identity {
	return graph.Identity{Name: inst.Name, Namespace: inst.Namespace, UID: inst.UID}
}

// lookAtRules evaluates the rules anew if what they observe may have changed since. It
// says whether it is known which of them hold now.
func (r *Reconciler) lookAtRules(ctx context.Context, inst *v1alpha1.Instance, o *observed, version *graph.Version, known *evaluated, held bool) (bool, error) {
	in := o.baseline.Completed
	asked := queries(inst, version, in, false)
	keys := make([]dynamic.Key, 0, len(asked))
	for _, q := range asked {
		if !slices.Contains(keys, q.key) {
			keys = append(keys, q.key)
		}
	}
	r.Watches.Hold(recoveryHolder(client.ObjectKeyFromObject(inst)), client.ObjectKeyFromObject(inst), keys)
	if !r.rulesWatched(inst, keys, known) {
		return false, nil
	}
	if held {
		asked = queries(inst, version, in, true)
	}
	if held && len(asked) == 0 {
		return false, nil
	}
	now := r.trace(o, asked, held)
	if now == known.trace {
		return true, nil
	}
	// What follows a run waits for the answer.
	if wait := known.at.Add(lookEvery).Sub(r.Clock.Now()); wait > 0 && now.ended == known.trace.ended {
		o.wakeIn(wait)
		return false, nil
	}
	return r.evaluate(ctx, inst, version, in, asked, known, now)
}

// trace tells what the rules observe now apart from what they observed before.
func (r *Reconciler) trace(o *observed, asked []query, held bool) trace {
	t := &observe.Trace{}
	for _, q := range asked {
		if !q.key.Any {
			var objects []*metav1.PartialObjectMetadata
			if found, _ := r.Watches.Get(q.key, q.key.Name); found != nil {
				objects = append(objects, found)
			}
			t.Add(q.Query, objects)
			continue
		}
		objects, _ := r.Watches.List(q.key)
		t.Add(q.Query, objects)
	}
	out := trace{held: held, inputs: o.baseline.Execution.Inputs, objects: t.String()}
	for i := range o.runs {
		if o.runs[i].Status.State.Terminal() {
			out.ended = max(out.ended, o.runs[i].Status.Epoch)
		}
	}
	return out
}

// rulesWatched says whether all watches run. One that the account may not have is told.
func (r *Reconciler) rulesWatched(inst *v1alpha1.Instance, keys []dynamic.Key, known *evaluated) bool {
	var pending bool
	pending, known.refused = r.heed(keys, known.refused, func(k dynamic.Key, err error) {
		r.Events.Eventf(inst, nil, corev1.EventTypeWarning, v1alpha1.ReasonWatchRefused, "recovery/"+k.Describe(),
			"the account may not watch %s, which recovery rules observe, so they do nothing: %s. Grant the rules in the FrameworkVersion's status.rules",
			k.Describe(), err.Error())
	})
	return !pending && len(known.refused) == 0
}

// evaluate reads what the rules observe, as the account, and evaluates them.
func (r *Reconciler) evaluate(ctx context.Context, inst *v1alpha1.Instance, version *graph.Version, in *revision.Inputs, asked []query, known *evaluated, now trace) (bool, error) {
	as, err := r.Accounts.ClientFor(impersonate.Account{Namespace: inst.Namespace, Name: inst.Spec.ServiceAccountName})
	if err != nil {
		return false, fmt.Errorf("acting as the account: %w", err)
	}
	objects := map[string]any{}
	for _, q := range asked {
		seen, err := observe.Ask(ctx, as, inst.Namespace, q.Query, objects)
		if apply.Classify(err).Class == engine.OutcomeTransient {
			return false, err
		}
		if err == nil { // else the expression that needs it says what is missing
			objects[q.Name] = seen
		}
	}
	holds := map[string]bool{}
	for i := range version.Recovery {
		rule := &version.Recovery[i]
		if now.held && !rule.Spec.Preempt {
			continue
		}
		broken, err := version.Broken(rule, in, identityOf(inst), objects)
		if err != nil {
			r.wrong(inst, rule, known, err)
		}
		holds[rule.Spec.Name] = broken && err == nil
	}
	known.trace, known.at, known.holds = now, r.Clock.Now(), holds
	return true, nil
}

// wrong tells that a rule can not be evaluated, once.
func (r *Reconciler) wrong(inst *v1alpha1.Instance, rule *graph.RecoveryRule, known *evaluated, err error) {
	message := engine.Brief("recovery rule "+rule.Spec.Name+": "+err.Error(), engine.MaxMessage)
	if known.told[message] {
		return
	}
	known.told[message] = true
	r.Events.Eventf(inst, nil, corev1.EventTypeWarning, v1alpha1.ReasonExpression, "recovery/"+rule.Spec.Name, "%s", message)
}

// since says which rules hold, and since when. A rule that is not looked at while a plan
// runs stays as it was.
func (r *Reconciler) since(inst *v1alpha1.Instance, version *graph.Version, known *evaluated) []v1alpha1.BrokenRule {
	var out []v1alpha1.BrokenRule
	for _, rule := range version.Recovery {
		name := rule.Spec.Name
		i := slices.IndexFunc(inst.Status.Broken, func(b v1alpha1.BrokenRule) bool { return b.Rule == name })
		holds, looked := known.holds[name]
		switch {
		case i >= 0 && (holds || !looked):
			out = append(out, inst.Status.Broken[i])
		case holds:
			out = append(out, v1alpha1.BrokenRule{Rule: name, Since: metav1.NewMicroTime(r.Clock.Now().Truncate(time.Microsecond))})
		}
	}
	return out
}

// incidentsOf are the rules that hold, in the order of the version.
func incidentsOf(version *graph.Version, broken []v1alpha1.BrokenRule) []engine.Incident {
	var out []engine.Incident
	for i := range version.Recovery {
		rule := &version.Recovery[i].Spec
		k := slices.IndexFunc(broken, func(b v1alpha1.BrokenRule) bool { return b.Rule == rule.Name })
		if k < 0 {
			continue
		}
		incident := engine.Incident{
			Rule: rule.Name, Plan: rule.Plan, When: rule.When, Preempt: rule.Preempt, Since: broken[k].Since.Time,
			Attempts: int(rule.Limit.Attempts), Window: rule.Limit.Window.Duration,
		}
		if rule.For != nil {
			incident.For = rule.For.Duration
		}
		out = append(out, incident)
	}
	return out
}
