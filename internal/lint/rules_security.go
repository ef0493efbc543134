// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kudo.dev/kudo/internal/engine"
)

var securityRules = []Rule{
	{ID: "KUDO120", Family: "security", Severity: Warning, Title: "a container may run as root", check: mayBeRoot, compiled: true,
		Why: "What breaks out of a container that runs as root is root on the node. The restricted Pod Security Standard refuses it.",
		Fix: "set runAsNonRoot: true and runAsUser in the securityContext of the pod"},
	{ID: "KUDO121", Family: "security", Severity: Warning, Title: "a container may gain privileges", check: mayEscalate, compiled: true,
		Why: "A program with the setuid bit becomes root. The restricted Pod Security Standard refuses it.",
		Fix: "set allowPrivilegeEscalation: false in the securityContext of the container"},
	{ID: "KUDO122", Family: "security", Severity: Warning, Title: "a container keeps capabilities", check: keepsCapabilities, compiled: true,
		Why: "Hardly any software needs those that containers get by default. The restricted Pod Security Standard refuses them.",
		Fix: "set capabilities.drop: [ALL] in the securityContext of the container, and add what it needs"},
	{ID: "KUDO123", Family: "security", Severity: Warning, Title: "a pod has no seccomp profile", check: noSeccomp, compiled: true,
		Why: "Without one every system call is allowed. The restricted Pod Security Standard refuses it.",
		Fix: "set seccompProfile.type: RuntimeDefault in the securityContext of the pod"},
	{ID: "KUDO124", Family: "security", Severity: Info, Title: "a container can write to its image", check: writableRoot, compiled: true,
		Why: "An attacker can replace programs; what is written there is lost with the container and counts against the node's disk.",
		Fix: "set readOnlyRootFilesystem: true and mount an emptyDir where it must write"},
	{ID: "KUDO125", Family: "security", Severity: Error, Title: "a container is privileged", check: privileged, compiled: true,
		Why: "It has all rights on the node. Most clusters refuse it.",
		Fix: "remove privileged, and add the one capability that it needs"},
	{ID: "KUDO126", Family: "security", Severity: Warning, Title: "a pod uses the node's files", check: hostPath, compiled: true,
		Why: "A hostPath volume ties the pod to a node and opens the node to it. The baseline Pod Security Standard refuses it.",
		Fix: "use a claim, an emptyDir or a projected volume"},
	{ID: "KUDO127", Family: "security", Severity: Warning, Title: "a pod uses the node's network or processes", check: hostSpaces, compiled: true,
		Why: "It sees the traffic or the processes of others, and its ports collide with theirs. The baseline Pod Security Standard refuses it.",
		Fix: "remove hostNetwork, hostPID and hostIPC"},
	{ID: "KUDO128", Family: "security", Severity: Warning, Title: "a pod gets a token of the API server that it may not need", check: needlessToken, compiled: true,
		Why: "It names no account, so whoever breaks into it may do what the namespace's default account may.",
		Fix: "set automountServiceAccountToken: false, or name a serviceAccountName of its own"},
	{ID: "KUDO129", Family: "security", Severity: Warning, Title: "a Secret is part of the package", check: literalSecret, compiled: true,
		Why: "Its value stands in Git and in the FrameworkVersion, which everybody may read, and is the same for every Instance.",
		Fix: "use a parameter with generate or secretRef"},
}

// within gives a setting of a container, else that of its pod.
func within[T any](o *object, c *container, own func(*corev1.SecurityContext) *T, pods func(*corev1.PodSecurityContext) *T) *T {
	if c.SecurityContext != nil {
		if v := own(c.SecurityContext); v != nil {
			return v
		}
	}
	if o.pod.spec.SecurityContext != nil {
		return pods(o.pod.spec.SecurityContext)
	}
	return nil
}

func settings(c *container) *corev1.SecurityContext {
	if c.SecurityContext == nil {
		return &corev1.SecurityContext{}
	}
	return c.SecurityContext
}

func securityOf(c *container) []string { return append(slices.Clone(c.path), "securityContext") }

var mayBeRoot = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	nonRoot := within(o, c, func(s *corev1.SecurityContext) *bool { return s.RunAsNonRoot }, func(s *corev1.PodSecurityContext) *bool { return s.RunAsNonRoot })
	user := within(o, c, func(s *corev1.SecurityContext) *int64 { return s.RunAsUser }, func(s *corev1.PodSecurityContext) *int64 { return s.RunAsUser })
	switch {
	case user != nil && *user == 0:
		r.object(o, securityOf(c), "container %s runs as user 0", c.Name)
	case nonRoot == nil || !*nonRoot:
		r.object(o, securityOf(c), "container %s does not set runAsNonRoot", c.Name)
	}
})

var mayEscalate = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	if v := settings(c).AllowPrivilegeEscalation; v == nil || *v {
		r.object(o, securityOf(c), "container %s does not set allowPrivilegeEscalation: false", c.Name)
	}
})

var keepsCapabilities = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	caps := settings(c).Capabilities
	if caps == nil || !slices.ContainsFunc(caps.Drop, func(name corev1.Capability) bool { return strings.EqualFold(string(name), "ALL") }) {
		r.object(o, securityOf(c), "container %s does not drop ALL capabilities", c.Name)
	}
})

var noSeccomp = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	profile := within(o, c, func(s *corev1.SecurityContext) *corev1.SeccompProfile { return s.SeccompProfile },
		func(s *corev1.PodSecurityContext) *corev1.SeccompProfile { return s.SeccompProfile })
	if profile == nil || profile.Type == corev1.SeccompProfileTypeUnconfined {
		r.object(o, []string{"template", "spec"}, "container %s has no seccompProfile", c.Name)
	}
})

var writableRoot = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	if v := settings(c).ReadOnlyRootFilesystem; v == nil || !*v {
		r.object(o, securityOf(c), "container %s does not set readOnlyRootFilesystem: true", c.Name)
	}
})

var privileged = eachContainer(anyContainer, func(o *object, c *container, r *reporter) {
	if v := settings(c).Privileged; v != nil && *v {
		r.object(o, append(securityOf(c), "privileged"), "container %s is privileged", c.Name)
	}
})

var hostPath = eachObject(func(o *object, r *reporter) {
	if o.pod == nil {
		return
	}
	for _, v := range o.pod.spec.Volumes {
		if v.HostPath != nil {
			r.object(o, []string{"volumes", "hostPath"}, "the volume %s is a directory of the node", v.Name)
		}
	}
})

var hostSpaces = eachObject(func(o *object, r *reporter) {
	if o.pod == nil {
		return
	}
	spec := &o.pod.spec
	for _, used := range []struct {
		field string
		set   bool
	}{{"hostNetwork", spec.HostNetwork}, {"hostPID", spec.HostPID}, {"hostIPC", spec.HostIPC}} {
		if used.set {
			r.object(o, []string{used.field}, "%s is true", used.field)
		}
	}
})

var needlessToken = eachObject(func(o *object, r *reporter) {
	if o.pod == nil || o.kind == engine.TaskJob {
		return // Kudo gives a Job without an account no token
	}
	spec := &o.pod.spec
	if spec.ServiceAccountName == "" && (spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken) {
		r.object(o, []string{"template", "spec"}, "its pods get the token of the default account")
	}
})

// literalSecret: what a template puts into a Secret comes from the package or from plain parameters.
func literalSecret(s *subject, r *reporter) {
	if len(s.renderings) == 0 {
		return
	}
	for _, o := range applied(s.renderings[0].objects) {
		if !o.is("", "Secret") {
			continue
		}
		for _, field := range []string{"data", "stringData"} {
			for _, value := range o.strings(field) {
				if value != "" {
					r.object(o, []string{field}, "%s holds values", field)
					break
				}
			}
		}
	}
}
