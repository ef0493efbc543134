// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kudo.dev/kudo/internal/engine"
)

var podRules = []Rule{
	{ID: "KUDO100", Family: "pods", Severity: Warning, Title: "a container has no readiness probe", check: noReadiness, compiled: true,
		Why: "The pod counts as ready as soon as it runs: Services send it traffic, and plans and rolling updates go on before it serves.",
		Fix: "add a readinessProbe that asks whether it serves"},
	{ID: "KUDO101", Family: "pods", Severity: Info, Title: "a container has no liveness probe", check: noLiveness, compiled: true,
		Why: "A process that hangs stays until a person notices.",
		Fix: "add a livenessProbe that asks whether the process answers, with a startupProbe if it starts slowly"},
	{ID: "KUDO102", Family: "pods", Severity: Warning, Title: "a container requests no CPU or memory", check: noRequests, compiled: true,
		Why: "The scheduler puts it on any node, however full, and it is the first to be evicted.",
		Fix: "set resources.requests.cpu and resources.requests.memory"},
	{ID: "KUDO103", Family: "pods", Severity: Warning, Title: "a container has no memory limit", check: noMemoryLimit, compiled: true,
		Why: "A leak takes the whole node with it instead of the one container.",
		Fix: "set resources.limits.memory"},
	{ID: "KUDO104", Family: "pods", Severity: Error, Title: "a request is larger than its limit", check: requestOverLimit, compiled: true,
		Why: "The API server refuses the pods; their controller tries for ever.",
		Fix: "make the limit at least the request"},
	{ID: "KUDO105", Family: "pods", Severity: Warning, Title: "an image has no fixed version", check: floatingImage, compiled: true,
		Why: "Without a tag, or with latest, two pods of one Instance can run different software, and a restart is an upgrade.",
		Fix: "use {{ .Version.app }} as the tag, or a digest"},
	{ID: "KUDO106", Family: "pods", Severity: Info, Title: "a StatefulSet has the default grace period", check: defaultGrace, compiled: true,
		Why: "Software with data often needs more than 30 seconds to stop in order, and is killed after that.",
		Fix: "set terminationGracePeriodSeconds to what the software needs"},
	{ID: "KUDO107", Family: "pods", Severity: Error, Title: "a volume is mounted that the pod does not have", check: unknownVolume, compiled: true,
		Why: "The API server refuses the pods; their controller tries for ever.",
		Fix: "declare the volume, or correct its name"},
	{ID: "KUDO108", Family: "pods", Severity: Info, Title: "a volume is mounted by no container", check: unusedVolume, compiled: true,
		Why: "Pods wait for it all the same.",
		Fix: "mount it, or remove it"},
	{ID: "KUDO109", Family: "pods", Severity: Error, Title: "two containers or volumes have the same name", check: twins, compiled: true,
		Why: "The API server refuses the pods.",
		Fix: "rename one of them"},
	{ID: "KUDO110", Family: "pods", Severity: Warning, Title: "the liveness probe asks what the readiness probe asks", check: sameProbes, compiled: true,
		Why: "A pod that is only busy, or waits for its peers, is killed for it, and the next one too.",
		Fix: "have the liveness probe ask less, or give it a much higher failureThreshold"},
	{ID: "KUDO111", Family: "pods", Severity: Error, Title: "a probe names a port that the container does not have", check: probePort, compiled: true,
		Why: "The probe never succeeds.",
		Fix: "declare the port with that name, or use its number"},
	{ID: "KUDO112", Family: "pods", Severity: Warning, Title: "a variable holds a credential", check: literalCredential, compiled: true,
		Why: "Whoever may read the pod or the template reads it, and it is the same for every Instance.",
		Fix: "use valueFrom.secretKeyRef with a parameter that has generate or secretRef"},
	{ID: "KUDO113", Family: "pods", Severity: Info, Title: "a scratch volume has no bound", check: openScratch, compiled: true,
		Why: "It can fill the disk, or the memory, of the node, and evict others.",
		Fix: "set sizeLimit of the emptyDir"},
	{ID: "KUDO114", Family: "pods", Severity: Warning, Title: "a variable is set twice", check: envTwice, compiled: true,
		Why: "The last one wins, and server-side apply may refuse the list.",
		Fix: "remove one of them"},
}

// eachContainer makes a check out of one that looks at the containers of pods.
func eachContainer(concerns func(*object, *container) bool, check func(*object, *container, *reporter)) func(*subject, *reporter) {
	return eachObject(func(o *object, r *reporter) {
		for _, c := range o.containers() {
			if concerns(o, &c) {
				check(o, &c, r)
			}
		}
	})
}

func servesFor(o *object, c *container) bool     { return o.serves() && !c.init }
func anyContainer(*object, *container) bool      { return true }
func mainContainer(_ *object, c *container) bool { return !c.init }

var noReadiness = eachContainer(servesFor, func(o *object, c *container, r *reporter) {
	if c.ReadinessProbe == nil && c.RestartPolicy == nil {
		r.object(o, c.path, "container %s has no readinessProbe", c.Name)
	}
})

var noLiveness = eachContainer(servesFor, func(o *object, c *container, r *reporter) {
	if c.LivenessProbe == nil {
		r.object(o, c.path, "container %s has no livenessProbe", c.Name)
	}
})

var noRequests = eachContainer(mainContainer, func(o *object, c *container, r *reporter) {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		_, requested := c.Resources.Requests[name]
		_, limited := c.Resources.Limits[name]
		if !requested && !limited {
			r.object(o, append(slices.Clone(c.path), "resources"), "container %s requests no %s", c.Name, name)
		}
	}
})

var noMemoryLimit = eachContainer(mainContainer, func(o *object, c *container, r *reporter) {
	if _, limited := c.Resources.Limits[corev1.ResourceMemory]; !limited {
		r.object(o, append(slices.Clone(c.path), "resources"), "container %s has no memory limit", c.Name)
	}
})

var requestOverLimit = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		limit, limited := c.Resources.Limits[name]
		request, requested := c.Resources.Requests[name]
		if limited && requested && request.Cmp(limit) > 0 {
			r.object(o, append(slices.Clone(c.path), "resources"), "container %s requests more %s than its limit", c.Name, name)
		}
	}
})

// floating says whether an image can be another one tomorrow.
func floating(image string) bool {
	if strings.Contains(image, "@sha256:") {
		return false
	}
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, tagged := strings.Cut(name, ":")
	return !tagged || tag == "" || tag == "latest"
}

var floatingImage = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	if c.Image != "" && o.with == "" && floating(c.Image) && !r.subject.given(c.Image) {
		r.object(o, append(slices.Clone(c.path), "image"), "the image of container %s has no tag, or latest", c.Name)
	}
})

var defaultGrace = eachObject(func(o *object, r *reporter) {
	if o.is("apps", "StatefulSet") && o.pod != nil && o.pod.spec.TerminationGracePeriodSeconds == nil {
		r.object(o, []string{"template", "spec"}, "terminationGracePeriodSeconds is not set")
	}
})

// volumes are the names that a pod may mount.
func (o *object) volumes() map[string]bool {
	out := map[string]bool{}
	for _, v := range o.pod.spec.Volumes {
		out[v.Name] = true
	}
	for _, claim := range o.items("spec", "volumeClaimTemplates") {
		if m, ok := claim.(map[string]any); ok {
			if meta, ok := m["metadata"].(map[string]any); ok {
				name, _ := meta["name"].(string)
				out[name] = true
			}
		}
	}
	return out
}

var unknownVolume = eachObject(func(o *object, r *reporter) {
	if o.pod == nil {
		return
	}
	has := o.volumes()
	for _, c := range o.containers() {
		for _, m := range c.VolumeMounts {
			if !has[m.Name] {
				r.object(o, append(c.path, "volumeMounts"), "container %s mounts the volume %s, which the pod does not have", c.Name, m.Name)
			}
		}
	}
})

var unusedVolume = eachObject(func(o *object, r *reporter) {
	if o.pod == nil {
		return
	}
	mounted := map[string]bool{}
	for _, c := range o.containers() {
		for _, m := range c.VolumeMounts {
			mounted[m.Name] = true
		}
		for _, d := range c.VolumeDevices {
			mounted[d.Name] = true
		}
	}
	for _, v := range o.pod.spec.Volumes {
		if !mounted[v.Name] {
			r.object(o, []string{"volumes"}, "nothing mounts the volume %s", v.Name)
		}
	}
})

var twins = eachObject(func(o *object, r *reporter) {
	if o.pod == nil {
		return
	}
	seen := map[string]bool{}
	for _, c := range o.containers() {
		if seen[c.Name] {
			r.object(o, c.path, "two containers are called %s", c.Name)
		}
		seen[c.Name] = true
	}
	volumes := map[string]bool{}
	for _, v := range o.pod.spec.Volumes {
		if volumes[v.Name] {
			r.object(o, []string{"volumes"}, "two volumes are called %s", v.Name)
		}
		volumes[v.Name] = true
	}
})

var sameProbes = eachContainer(servesFor, func(o *object, c *container, r *reporter) {
	live, ready := c.LivenessProbe, c.ReadinessProbe
	if live == nil || ready == nil || !same(live.ProbeHandler, ready.ProbeHandler) {
		return
	}
	if patience(live) <= patience(ready) {
		r.object(o, append(slices.Clone(c.path), "livenessProbe"), "container %s is killed as soon as it is not ready", c.Name)
	}
})

// patience is for how many seconds a probe may fail.
func patience(p *corev1.Probe) int32 {
	period, failures := p.PeriodSeconds, p.FailureThreshold
	if period == 0 {
		period = 10
	}
	if failures == 0 {
		failures = 3
	}
	return period * failures
}

var probePort = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	for _, p := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		if p == nil {
			continue
		}
		port := ""
		switch {
		case p.HTTPGet != nil:
			port = p.HTTPGet.Port.StrVal
		case p.TCPSocket != nil:
			port = p.TCPSocket.Port.StrVal
		}
		named := slices.ContainsFunc(c.Ports, func(have corev1.ContainerPort) bool { return have.Name == port })
		if _, err := strconv.Atoi(port); port != "" && err != nil && !named {
			r.object(o, c.path, "a probe of container %s asks the port %s, which it does not have", c.Name, port)
		}
	}
})

var openScratch = eachObject(func(o *object, r *reporter) {
	if o.pod == nil {
		return
	}
	for _, v := range o.pod.spec.Volumes {
		if v.EmptyDir != nil && v.EmptyDir.SizeLimit == nil {
			r.object(o, []string{"volumes", "emptyDir"}, "the volume %s has no sizeLimit", v.Name)
		}
	}
})

var envTwice = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	seen := map[string]bool{}
	for _, e := range c.Env {
		if seen[e.Name] {
			r.object(o, append(slices.Clone(c.path), "env"), "container %s has the variable %s twice", c.Name, e.Name)
		}
		seen[e.Name] = true
	}
})

var credential = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret_?key|api_?key|private_?key|access_?key|(^|_)token)$`)

var literalCredential = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	if o.kind != engine.TaskApply && o.kind != engine.TaskJob {
		return
	}
	for _, e := range c.Env {
		if e.Value != "" && e.ValueFrom == nil && credential.MatchString(e.Name) {
			r.object(o, append(slices.Clone(c.path), "env"), "the variable %s of container %s has a plain value", e.Name, c.Name)
		}
	}
})
