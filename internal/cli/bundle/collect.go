// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/cli/evidence"
	"kudo.dev/kudo/internal/diagnose"
	"kudo.dev/kudo/internal/projection"
)

// Bounds of what is read.
const (
	mostEvents   = 500
	mostLogBytes = 1 << 20
	mostLogLines = 5000
)

// Collector reads what goes into a bundle, with the rights of its clients.
type Collector struct {
	Client client.WithWatch
	// Clients read logs.
	Clients kubernetes.Interface
	// Namespace of the manager.
	Namespace string
	// Version of the plugin, and of the API server.
	Version, Server string
	Now             time.Time
}

// Collect reads all that tells how an Instance is.
func (c *Collector) Collect(ctx context.Context, inst *v1alpha1.Instance) (*Bundle, []diagnose.Gap) {
	found := evidence.Gather(ctx, c.Client, inst, c.Now)
	r := &evidence.Reader{Client: c.Client, Gaps: found.Gaps}
	b := &Bundle{redactor: NewRedactor(inst, found.Version)}
	b.Add("diagnosis.yaml", diagnose.Explain(found))
	b.Add("instance.yaml", b.redactor.Instance(inst))
	if found.Version != nil {
		b.Add("frameworkversion.yaml", b.redactor.Version(found.Version))
	}
	b.addObject(ctx, r, "framework.yaml", v1alpha1.ObjectReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Framework", Name: inst.Spec.Framework})
	if owner := projection.Owner(inst); owner != nil {
		b.addObject(ctx, r, "typed.yaml", v1alpha1.ObjectReference{APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: inst.Namespace, Name: owner.Name})
	}
	names := []string{inst.Name}
	refs := r.AtRest(ctx, c.Client, inst, found.Executions)
	for i := range found.Executions {
		pe := &found.Executions[i]
		b.Add("executions/"+pe.Name+".yaml", b.redactor.Execution(pe))
		names = append(names, pe.Name)
		for _, ref := range evidence.Written(pe) {
			if !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	for _, ref := range refs {
		names = append(names, b.addWorkload(ctx, r, ref)...)
	}
	b.Add("events.yaml", c.events(ctx, r, inst.Namespace, names))
	image := c.manager(ctx, r, b)
	b.Add("versions.yaml", map[string]string{"plugin": c.Version, "kubernetes": c.Server, "manager": cmp.Or(image, "unknown")})
	b.AddText("README.txt", readme(inst, c.Now, r.Gaps))
	return b, r.Gaps
}

func (b *Bundle) addObject(ctx context.Context, r *evidence.Reader, name string, ref v1alpha1.ObjectReference) {
	if o := r.Object(ctx, ref); o != nil {
		b.Add(name, b.redactor.Object(o))
	}
}

// addWorkload adds the status of an object and of what belongs to it. Secrets are named only.
func (b *Bundle) addWorkload(ctx context.Context, r *evidence.Reader, ref v1alpha1.ObjectReference) (names []string) {
	name := "objects/" + strings.ToLower(ref.Kind) + "-" + ref.Name + ".yaml"
	if ref.Kind == "Secret" {
		b.Add(name, map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind, "metadata": map[string]any{"name": ref.Name}, "note": "not read"})
		return []string{ref.Name}
	}
	w := r.Workload(ctx, ref)
	if w == nil {
		return nil
	}
	b.Add(name, b.redactor.Object(w.Object))
	names = append(names, ref.Name)
	for _, s := range w.Sets {
		b.Add("objects/replicaset-"+s.GetName()+".yaml", b.redactor.Object(s))
		names = append(names, s.GetName())
	}
	for i := range w.Pods {
		b.Add("objects/pod-"+w.Pods[i].Name+".yaml", b.redactor.Object(toUnstructured(&w.Pods[i], "Pod")))
		names = append(names, w.Pods[i].Name)
	}
	for i := range w.Claims {
		b.Add("objects/persistentvolumeclaim-"+w.Claims[i].Name+".yaml", b.redactor.Object(toUnstructured(&w.Claims[i], "PersistentVolumeClaim")))
		names = append(names, w.Claims[i].Name)
	}
	return names
}

// happening is what is kept of an event.
type happening struct {
	Last    string `json:"last"`
	Count   int32  `json:"count,omitempty"`
	Type    string `json:"type"`
	Object  string `json:"object"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// events are those about the objects of the Instance, the oldest first.
func (c *Collector) events(ctx context.Context, r *evidence.Reader, namespace string, names []string) []happening {
	out := []happening{}
	var list corev1.EventList
	err := c.Client.List(ctx, &list, client.InNamespace(namespace), client.Limit(mostEvents))
	if err != nil {
		r.Missing(err, "list events", "events in the namespace "+namespace)
		return out
	}
	for i := range list.Items {
		e := &list.Items[i]
		if !slices.Contains(names, e.InvolvedObject.Name) {
			continue
		}
		at := e.LastTimestamp.Time
		if at.IsZero() {
			at = e.EventTime.Time
		}
		out = append(out, happening{Last: at.UTC().Format(time.RFC3339), Count: e.Count, Type: e.Type,
			Object: e.InvolvedObject.Kind + " " + e.InvolvedObject.Name, Reason: e.Reason, Message: message(e)})
	}
	slices.SortStableFunc(out, func(a, b happening) int { return cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.Object, b.Object)) })
	return out
}

// message leaves out what the command of a probe or a hook printed.
func message(e *corev1.Event) string {
	switch e.Reason {
	case "Unhealthy", "FailedPostStartHook", "FailedPreStopHook", "BackOff":
		head, _, found := strings.Cut(e.Message, ":")
		if found && !strings.Contains(e.Message, "statuscode") {
			return head
		}
	}
	return e.Message
}

// manager adds the logs of the manager, and returns its image.
func (c *Collector) manager(ctx context.Context, r *evidence.Reader, b *Bundle) (image string) {
	var list corev1.PodList
	err := c.Client.List(ctx, &list, client.InNamespace(c.Namespace), client.MatchingLabels{"app.kubernetes.io/name": "kudo"})
	if err != nil {
		r.Missing(err, "list pods", "the manager's pods in the namespace "+c.Namespace)
		return ""
	}
	for i := range list.Items {
		p := &list.Items[i]
		b.Add("manager/"+p.Name+".yaml", b.redactor.Object(toUnstructured(p, "Pod")))
		for _, container := range p.Spec.Containers {
			image = cmp.Or(image, container.Image)
			text, err := c.log(ctx, p, container.Name)
			if err != nil {
				r.Missing(err, "get pods/log", "the manager's logs in the namespace "+c.Namespace)
				continue
			}
			b.AddText("manager/"+p.Name+"-"+container.Name+".log", text)
		}
	}
	return image
}

func (c *Collector) log(ctx context.Context, p *corev1.Pod, container string) (string, error) {
	lines, limit := int64(mostLogLines), int64(mostLogBytes)
	stream, err := c.Clients.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: container, TailLines: &lines, LimitBytes: &limit, Timestamps: true}).Stream(ctx)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(stream, mostLogBytes))
	if closed := stream.Close(); err == nil {
		err = closed
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return string(raw), fmt.Errorf("reading the log of %s: %w", p.Name, err)
	}
	return string(raw), nil
}

// readme says what stands in the archive, and what does not.
func readme(inst *v1alpha1.Instance, now time.Time, gaps []diagnose.Gap) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Support bundle of the Instance %s in the namespace %s, made %s.\n\n", inst.Name, inst.Namespace, now.UTC().Format(time.RFC3339))
	b.WriteString("Left out: the content of Secrets and ConfigMaps, the specs of objects, values of secret parameters\n" +
		"and of outputs, what programs printed, annotations of others. Look through it before you send it.\n")
	if len(gaps) > 0 {
		b.WriteString("\nNot read:\n")
	}
	for _, g := range gaps {
		fmt.Fprintf(&b, "- %s: %s\n", g.What, cmp.Or(g.Right, g.Message))
	}
	return b.String()
}
