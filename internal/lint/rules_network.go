// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation"
)

var networkRules = []Rule{
	{ID: "KUDO140", Family: "network", Severity: Error, Title: "a selector does not match its own pods", check: selectsOthers, compiled: true,
		Why: "The API server refuses a workload whose pod template lacks the labels of its selector.",
		Fix: "give the pod template the labels of the selector"},
	{ID: "KUDO141", Family: "network", Severity: Warning, Title: "a Service selects no pods", check: emptyService, compiled: true,
		Why: "No pod template of the version has these labels, so the Service has no endpoints.",
		Fix: "make the selector that of the workload"},
	{ID: "KUDO142", Family: "network", Severity: Error, Title: "a StatefulSet has no governing Service", check: noGoverning, compiled: true,
		Why: "Without the Service of its serviceName its pods have no names in DNS, and members do not find each other.",
		Fix: "render a Service with clusterIP: None and that name"},
	{ID: "KUDO143", Family: "network", Severity: Warning, Title: "the governing Service of a StatefulSet is not headless", check: notHeadless, compiled: true,
		Why: "Only a Service with clusterIP: None gives each pod a name of its own in DNS.",
		Fix: "set clusterIP: None"},
	{ID: "KUDO144", Family: "network", Severity: Error, Title: "a port that a Service forwards to does not exist", check: unknownTarget, compiled: true,
		Why: "No container of the pods that it selects has a port of that name; connections are refused.",
		Fix: "correct targetPort, or name the container's port"},
	{ID: "KUDO145", Family: "network", Severity: Error, Title: "a port is not valid", check: badPort, compiled: true,
		Why: "Names of ports have at most 15 lower-case letters, digits and '-' and are unique; numbers lie between 1 and 65535. The API server refuses anything else.",
		Fix: "correct the name or the number; bound the parameter that it comes from"},
	{ID: "KUDO146", Family: "network", Severity: Error, Title: "a Service with several ports has one without a name", check: namelessPort, compiled: true,
		Why: "The API server refuses it.",
		Fix: "name every port"},
	{ID: "KUDO147", Family: "network", Severity: Info, Title: "a Service is open to the outside whatever the user wants", check: exposed, compiled: true,
		Why: "LoadBalancer and NodePort cost money and open the software to the network around the cluster.",
		Fix: "make the type a parameter with the default ClusterIP"},
	{ID: "KUDO148", Family: "network", Severity: Error, Title: "an Ingress forwards to a Service that nothing renders", check: lostBackend, compiled: true,
		Why: "It answers 503 for ever.",
		Fix: "correct the name of the Service, or render it"},
}

var selectsOthers = eachObject(func(o *object, r *reporter) {
	if !o.serves() {
		return
	}
	for key, value := range o.selector() {
		if o.pod.labels[key] != value {
			r.object(o, []string{"spec", "selector"}, "the pod template does not have the label %s of the selector", key)
			return
		}
	}
})

// matches says whether labels have all of a selector.
func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

// selected lists the workloads whose pods a selector takes.
func selected(selector map[string]string, all []*object) []*object {
	var out []*object
	for _, o := range all {
		if o.pod != nil && matches(selector, o.pod.labels) {
			out = append(out, o)
		}
	}
	return out
}

var emptyService = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		if o.is("", "Service") && len(o.selector()) > 0 && len(selected(o.selector(), all)) == 0 {
			r.object(o, []string{"spec", "selector"}, "no pod template has all labels of its selector")
		}
	}
})

func service(name string, all []*object) *object {
	i := slices.IndexFunc(all, func(o *object) bool { return o.is("", "Service") && o.GetName() == name })
	if i < 0 {
		return nil
	}
	return all[i]
}

var noGoverning = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		name := o.text("spec", "serviceName")
		if o.is("apps", "StatefulSet") && service(name, all) == nil {
			r.object(o, []string{"spec", "serviceName"}, "no template renders the Service of its serviceName")
		}
	}
})

var notHeadless = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		if !o.is("apps", "StatefulSet") {
			continue
		}
		if svc := service(o.text("spec", "serviceName"), all); svc != nil && svc.text("spec", "clusterIP") != "None" {
			r.object(svc, []string{"spec", "clusterIP"}, "governs %s and is not headless", o.title())
		}
	}
})

// eachMap calls a function for the items of a list that are maps.
func eachMap(list []any, do func(i int, m map[string]any)) {
	for i, item := range list {
		if m, ok := item.(map[string]any); ok {
			do(i, m)
		}
	}
}

var unknownTarget = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		if !o.is("", "Service") {
			continue
		}
		workloads := selected(o.selector(), all)
		eachMap(o.items("spec", "ports"), func(i int, port map[string]any) {
			target, named := port["targetPort"].(string)
			for _, w := range workloads {
				if named && !w.listens(target) {
					r.object(o, []string{"spec", "ports", strconv.Itoa(i)}, "forwards to the port %s, which %s does not have", target, w.title())
				}
			}
		})
	}
})

// listens says whether a container has a port of a name.
func (o *object) listens(port string) bool {
	for _, c := range o.containers() {
		for _, p := range c.Ports {
			if p.Name == port {
				return true
			}
		}
	}
	return false
}

const highestPort = 65535

var badPort = eachObject(func(o *object, r *reporter) {
	for _, c := range o.containers() {
		seen := map[string]bool{}
		for _, p := range c.Ports {
			path := append(slices.Clone(c.path), "ports")
			if wrong := validation.IsValidPortName(p.Name); p.Name != "" && len(wrong) > 0 {
				r.object(o, path, "the name of port %s is refused: %s", p.Name, wrong[0])
			}
			if p.ContainerPort < 1 || p.ContainerPort > highestPort {
				r.object(o, path, "container %s has a port outside of 1 to %d", c.Name, highestPort)
			}
			if p.Name != "" && seen[p.Name] {
				r.object(o, path, "two ports of container %s are called %s", c.Name, p.Name)
			}
			seen[p.Name] = true
		}
	}
	if !o.is("", "Service") {
		return
	}
	eachMap(o.items("spec", "ports"), func(i int, port map[string]any) {
		if n, ok := port["port"].(int64); ok && (n < 1 || n > highestPort) {
			r.object(o, []string{"spec", "ports", strconv.Itoa(i)}, "has a port outside of 1 to %d", highestPort)
		}
	})
})

var namelessPort = eachObject(func(o *object, r *reporter) {
	ports := o.items("spec", "ports")
	if !o.is("", "Service") || len(ports) < 2 {
		return
	}
	eachMap(ports, func(i int, port map[string]any) {
		if name, _ := port["name"].(string); name == "" {
			r.object(o, []string{"spec", "ports", strconv.Itoa(i)}, "port %d of %d has no name", i+1, len(ports))
		}
	})
})

// exposed trusts a type that a parameter can change.
func exposed(s *subject, r *reporter) {
	types := map[string]map[string]bool{}
	var last []*object
	for _, rendering := range s.renderings {
		last = applied(rendering.objects)
		for _, o := range last {
			if !o.is("", "Service") {
				continue
			}
			if types[o.GetName()] == nil {
				types[o.GetName()] = map[string]bool{}
			}
			types[o.GetName()][o.text("spec", "type")] = true
		}
	}
	if len(s.renderings) == 0 {
		return
	}
	for _, o := range applied(s.renderings[0].objects) {
		kind := o.text("spec", "type")
		if o.is("", "Service") && (kind == "LoadBalancer" || kind == "NodePort") && len(types[o.GetName()]) == 1 && !s.chosen("type", o) {
			r.object(o, []string{"spec", "type"}, "its type is always %s", kind)
		}
	}
}

// chosen says whether the line of a field takes its value from a parameter.
func (s *subject) chosen(field string, o *object) bool {
	at := o.find("spec", field)
	for _, n := range s.names {
		x := s.texts[n]
		if x.file == at.file && at.line > 0 && at.line <= len(x.lines) {
			return placeholder.MatchString(x.lines[at.line-1])
		}
	}
	return false
}

var lostBackend = together(func(_ *subject, all []*object, r *reporter) {
	for _, o := range all {
		if !o.is("networking.k8s.io", "Ingress") {
			continue
		}
		for _, name := range backends(o.Object["spec"]) {
			if service(name, all) == nil {
				r.object(o, []string{"spec", "service"}, "forwards to the Service %s, which no template renders", name)
			}
		}
	}
})

// backends finds the names of Services anywhere within the spec of an Ingress.
func backends(v any) []string {
	var out []string
	switch x := v.(type) {
	case map[string]any:
		if svc, ok := x["service"].(map[string]any); ok {
			if name, ok := svc["name"].(string); ok {
				out = append(out, name)
			}
		}
		for _, item := range x {
			out = append(out, backends(item)...)
		}
	case []any:
		for _, item := range x {
			out = append(out, backends(item)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
