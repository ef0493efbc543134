// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// instance begins the chain: with what holds the Instance, or what it says itself.
func (d *diagnosis) instance() *finding {
	inst := d.Instance
	ready := meta.FindStatusCondition(inst.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		ready = &metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown}
	}
	link := Link{Object: "Instance " + inst.Name, State: cmp.Or(ready.Reason, "Pending"), Message: d.brief(ready)}
	if inst.DeletionTimestamp != nil {
		link.State, link.Message = "Deleting", "deleted "+ago(d.Now.Sub(inst.DeletionTimestamp.Time))+" ago"
	}
	active := d.active()
	switch {
	case inst.DeletionTimestamp != nil && (active == nil || active.Status.State != v1alpha1.RunStalled):
		return d.deletion(active).below(link)
	case active != nil:
		return d.execution(active).below(link)
	case inst.Status.ObservedGeneration < inst.Generation:
		return d.behind().below(link)
	}
	f := d.verdict(ready)
	if f.cause == None {
		f = d.queued(f)
	}
	return f.below(link)
}

// brief is the message of the Instance, unless the links below say the same.
func (d *diagnosis) brief(ready *metav1.Condition) string {
	switch ready.Reason {
	case v1alpha1.ReasonPlanStalled, v1alpha1.ReasonPlanRunning:
		head, _, _ := strings.Cut(ready.Message, ": ")
		return head
	}
	return ready.Message
}

// active is the execution that holds the Instance; without a status the one that was
// admitted and has not ended.
func (d *diagnosis) active() *v1alpha1.PlanExecution {
	var found *v1alpha1.PlanExecution
	for i := range d.Executions {
		pe := &d.Executions[i]
		if a := d.Instance.Status.Active; a != nil && a.UID == pe.UID {
			return pe
		}
		if pe.Status.Epoch > 0 && !pe.Status.State.Terminal() && (found == nil || pe.Status.Epoch > found.Status.Epoch) {
			found = pe
		}
	}
	return found
}

// newest is the execution that was admitted last.
func (d *diagnosis) newest() *v1alpha1.PlanExecution {
	var found *v1alpha1.PlanExecution
	for i := range d.Executions {
		if pe := &d.Executions[i]; found == nil || pe.Status.Epoch > found.Status.Epoch {
			found = pe
		}
	}
	return found
}

func (d *diagnosis) behind() *finding {
	return &finding{
		cause: ManagerBehind,
		summary: fmt.Sprintf("the manager has not looked at the newest spec: it has seen generation %d of %d",
			d.Instance.Status.ObservedGeneration, d.Instance.Generation),
		next: []Command{
			anywhere("is the manager running?", "get pods --all-namespaces -l app.kubernetes.io/name=kudo"),
			anywhere("what does it say?", "-n kudo-system logs deployment/kudo-manager --tail=50"),
		},
	}
}

// deletion says what holds an Instance that is to go.
func (d *diagnosis) deletion(active *v1alpha1.PlanExecution) *finding {
	var foreign []string
	for _, f := range d.Instance.Finalizers {
		if !strings.HasPrefix(f, v1alpha1.GroupVersion.Group+"/") {
			foreign = append(foreign, f)
		}
	}
	since := ago(d.Now.Sub(d.Instance.DeletionTimestamp.Time))
	switch {
	case active != nil:
		f := d.execution(active)
		f.summary = "the Instance is being deleted and its cleanup goes on: " + f.summary
		return f
	case len(foreign) > 0 && !slices.Contains(d.Instance.Finalizers, v1alpha1.FinalizerInstance):
		return d.finalizer("Instance", d.Instance, foreign)
	}
	return &finding{
		cause:   Terminating,
		summary: "the Instance was deleted " + since + " ago, and the manager has not let it go",
		next: []Command{
			anywhere("is the manager running?", "get pods --all-namespaces -l app.kubernetes.io/name=kudo"),
			d.kubectl("what was left behind?", "get events --field-selector involvedObject.name=%s", d.Instance.Name),
		},
	}
}

// finalizer names what holds an object that is being deleted.
func (d *diagnosis) finalizer(kind string, o metav1.Object, finalizers []string) *finding {
	name := o.GetName()
	held := strings.Join(finalizers, ", ")
	var remove []string // the last first, so that the others keep their places
	for i, f := range slices.Backward(o.GetFinalizers()) {
		if slices.Contains(finalizers, f) {
			remove = append(remove, fmt.Sprintf(`{"op":"remove","path":"/metadata/finalizers/%d"}`, i))
		}
	}
	where := ""
	if o.GetNamespace() != "" {
		where = "-n " + o.GetNamespace() + " "
	}
	return &finding{
		cause: StuckFinalizer,
		summary: fmt.Sprintf("%s %s was deleted %s ago and the finalizer %s still holds it: whoever set it has not removed it",
			kind, name, ago(d.Now.Sub(o.GetDeletionTimestamp().Time)), held),
		next: []Command{
			anywhere("who set the finalizer, and when?", "%sget %s -o yaml --show-managed-fields", where, resource(kind, name)),
			anywhere("if its controller is gone for good: let the object go by hand; what the finalizer guards stays behind",
				"%spatch %s --type=json -p '[%s]'", where, resource(kind, name), strings.Join(remove, ",")),
		},
	}
}

// verdict explains an Instance that nothing holds, by its own condition.
func (d *diagnosis) verdict(c *metav1.Condition) *finding {
	f := &finding{summary: c.Message}
	inst := d.Instance
	fwv := inst.Spec.Framework + "-" + inst.Spec.Version
	switch c.Reason {
	case v1alpha1.ReasonReady:
		return d.atRest(f)
	case v1alpha1.ReasonParametersInvalid:
		return d.parameters(c)
	case v1alpha1.ReasonVersionMissing:
		f.cause = VersionUnusable
		f.next = []Command{
			anywhere("which versions are there?", "get frameworkversions"),
			d.edit("name one of them, or apply " + fwv),
		}
	case v1alpha1.ReasonVersionInvalid:
		return d.invalid(f, fwv)
	case v1alpha1.ReasonAccountMissing:
		f.cause = AccountMissing
		f.next = []Command{
			d.kubectl("make the account", "create serviceaccount %s", inst.Spec.ServiceAccountName),
			anywhere("and give it the rules that the version needs", "get frameworkversion %s -o jsonpath={.status.rules}", fwv),
		}
	case v1alpha1.ReasonSuspended:
		f.cause = Suspended
		f.next = []Command{d.kubectl("let plans run again", "patch %s --type=merge -p '{\"spec\":{\"suspend\":false}}'", d.edited())}
	case v1alpha1.ReasonPlanFailed, v1alpha1.ReasonPlanCancelled, v1alpha1.ReasonRolledBack:
		return d.ended(f)
	case v1alpha1.ReasonRecoveryLimit:
		f.cause = RecoveryLimit
		f.next = []Command{d.kudo("history", "", "what did the repairs do?"), d.kudo("tree", "", "what is broken?")}
	case v1alpha1.ReasonNotUpgradable, v1alpha1.ReasonNoPlan, v1alpha1.ReasonNested:
		f.cause = NoWay
		f.next = []Command{
			anywhere("from which versions can it be reached?", "get frameworkversion %s -o jsonpath={.spec.upgradableFrom}", fwv),
			d.edit("ask for a version that can be reached"),
		}
	case v1alpha1.ReasonRefused:
		return d.reason(c.Message, c.Reason)
	case "":
		return d.behind()
	default:
		f.cause = Unknown
		f.next = []Command{d.kubectl("all that it says", "describe instance %s", inst.Name)}
	}
	return f
}

// atRest looks at the objects of an Instance that is rolled out: pods may break later.
func (d *diagnosis) atRest(f *finding) *finding {
	if sick := d.workloads(nil, ""); sick != nil {
		sick.summary = "no plan is stuck, but " + sick.summary
		return sick
	}
	f.cause = None
	if c := meta.FindStatusCondition(d.Instance.Status.Conditions, v1alpha1.ConditionDrifted); c != nil {
		f.summary += "; but others changed its objects: " + c.Message
		f.next = []Command{d.kubectl("what differs?", "get instance %s -o jsonpath={.status.conditions}", d.Instance.Name)}
		return f
	}
	f.summary = "nothing is stuck: " + f.summary
	return f
}

// queued finds a run of a user that waits for its turn.
func (d *diagnosis) queued(f *finding) *finding {
	for i := range d.Executions {
		if pe := &d.Executions[i]; pe.Status.Epoch == 0 && !pe.Status.State.Terminal() {
			d.others = append(d.others, fmt.Sprintf("PlanExecution %s (plan %s) is not admitted yet: %s", pe.Name, pe.Spec.Plan, pe.Status.Message))
		}
	}
	return f
}

func (d *diagnosis) invalid(f *finding, fwv string) *finding {
	f.cause = VersionUnusable
	if d.Version != nil {
		if c := meta.FindStatusCondition(d.Version.Status.Conditions, v1alpha1.ConditionValid); c != nil {
			f.chain = []Link{{Object: "FrameworkVersion " + fwv, State: c.Reason, Message: c.Message}}
			f.summary = "the FrameworkVersion " + fwv + " is not valid: " + c.Message
		}
	}
	f.next = []Command{
		anywhere("what is wrong with it?", "describe frameworkversion %s", fwv),
		d.edit("use another version, or have its author publish a corrected one"),
	}
	return f
}

// ended explains a run for the newest spec that did not succeed.
func (d *diagnosis) ended(f *finding) *finding {
	f.cause = PlanEnded
	last := d.newest()
	if last == nil {
		f.next = []Command{d.kudo("history", "", "which run was it?")}
		return f
	}
	if last.Status.State == v1alpha1.RunFailed {
		why := d.execution(last)
		why.next = append(why.next, Command{
			Run: fmt.Sprintf("kubectl kudo -n %s run %s %s", d.Instance.Namespace, last.Spec.Plan, d.Instance.Name),
			Why: "once that is done: run the plan again",
		})
		return why
	}
	f.chain = []Link{{Object: "PlanExecution " + last.Name, State: string(last.Status.State), Message: last.Status.Message}}
	f.next = []Command{
		d.kudo("history", "", "who ended which run, and why?"),
		{Run: fmt.Sprintf("kubectl kudo -n %s run %s %s", d.Instance.Namespace, last.Spec.Plan, d.Instance.Name), Why: "run the plan again, or change the spec"},
	}
	return f
}
