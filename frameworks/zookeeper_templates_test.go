// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworks_test

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"kudo.dev/kudo/internal/render"
)

func TestPodsAreRestricted(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, template := range append([]string{"statefulset.yaml", "halfway.yaml"}, jobs...) {
			o := zk.render(t, template, render.Values{"Params": zk.defaults(t, nil)})
			spec := o.podSpec()
			if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken || spec.ServiceAccountName != "" {
				t.Errorf("%s: pods hold a token", template)
			}
			sc := spec.SecurityContext
			if sc == nil || !*sc.RunAsNonRoot || *sc.RunAsUser != 1000 || *sc.FSGroup != 1000 || sc.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s: the security context of the pod is %+v", template, sc)
			}
			for _, c := range spec.Containers {
				sc := c.SecurityContext
				if sc == nil || *sc.AllowPrivilegeEscalation || !*sc.ReadOnlyRootFilesystem || !slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) {
					t.Errorf("%s: the security context of %s is %+v", template, c.Name, sc)
				}
				if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
					t.Errorf("%s: %s has no memory limit or CPU request", template, c.Name)
				}
			}
		}
	})
}

func TestServersAreProbedAndStayTogether(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		p := zk.defaults(t, nil)
		set := zk.render(t, "statefulset.yaml", render.Values{"Params": p}).set
		services := zk.render(t, "services.yaml", render.Values{"Params": p}).services
		client := zk.render(t, "service-client.yaml", render.Values{"Params": p}).services[longName+"-client"]
		headless := services[set.Spec.ServiceName]
		if headless == nil || headless.Spec.ClusterIP != "None" || !headless.Spec.PublishNotReadyAddresses || client == nil {
			t.Fatalf("the services are %+v and %+v", headless, client)
		}
		pod := set.Spec.Template
		if !maps.Equal(headless.Spec.Selector, pod.Labels) || !maps.Equal(client.Spec.Selector, pod.Labels) || !maps.Equal(set.Spec.Selector.MatchLabels, pod.Labels) {
			t.Errorf("selectors and labels differ: %v %v %v %v", headless.Spec.Selector, client.Spec.Selector, set.Spec.Selector.MatchLabels, pod.Labels)
		}
		ports := map[string]bool{}
		for _, port := range pod.Spec.Containers[0].Ports {
			ports[port.Name] = true
		}
		for _, port := range slices.Concat(headless.Spec.Ports, client.Spec.Ports) {
			if !ports[port.TargetPort.StrVal] {
				t.Errorf("a service points to the port %q, which the server does not have", port.TargetPort.StrVal)
			}
		}
		c := pod.Spec.Containers[0]
		if c.StartupProbe == nil || c.LivenessProbe == nil || c.ReadinessProbe == nil {
			t.Fatal("a probe is missing")
		}
		if got := c.ReadinessProbe.Exec.Command; got[len(got)-1] != "ready" {
			t.Errorf("readiness is %v", got)
		}
		for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe} {
			if got := probe.Exec.Command; got[len(got)-1] != "live" {
				t.Errorf("a probe that kills a server is %v; a server that waits for a quorum must live", got)
			}
		}
		if set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement || set.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType || *set.Spec.UpdateStrategy.RollingUpdate.Partition != 0 {
			t.Errorf("the servers are managed by %s and %+v", set.Spec.PodManagementPolicy, set.Spec.UpdateStrategy)
		}
		keep := set.Spec.PersistentVolumeClaimRetentionPolicy
		if keep.WhenDeleted != appsv1.RetainPersistentVolumeClaimRetentionPolicyType || keep.WhenScaled != appsv1.RetainPersistentVolumeClaimRetentionPolicyType {
			t.Errorf("volumes are not kept: %+v", keep)
		}
		for _, template := range jobs {
			labels := zk.render(t, template, render.Values{"Params": p}).job.Spec.Template.Labels
			if labels["app.kubernetes.io/component"] == pod.Labels["app.kubernetes.io/component"] {
				t.Errorf("the pods of %s would be taken for servers", template)
			}
		}
	})
}

func TestOneEvictionKeepsTheQuorum(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, size := range sizes {
			pdb := zk.render(t, "pdb.yaml", render.Values{"Params": zk.defaults(t, map[string]any{"nodeCount": size})}).pdb
			away := int64(pdb.Spec.MaxUnavailable.IntVal)
			if away < 1 || size >= 3 && size-away < size/2+1 {
				t.Errorf("with %d servers %d may be evicted", size, away)
			}
		}
	})
}

func TestImageIsTheVersionOfTheSoftware(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, template := range append([]string{"statefulset.yaml"}, jobs...) {
			o := zk.render(t, template, render.Values{"Params": zk.defaults(t, map[string]any{"image": "registry.local:5000/a/zk"})})
			if got := o.podSpec().Containers[0].Image; got != "registry.local:5000/a/zk:"+zk.Version.Spec.AppVersion {
				t.Errorf("%s runs %s", template, got)
			}
		}
	})
}

var serverLine = regexp.MustCompile(`(?m)^server\.(\d+)=(\S+):2888:3888$`)

// TestMembership checks that configuration, replicas and jobs agree on the members.
func TestMembership(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, size := range sizes {
			values := render.Values{"Params": zk.defaults(t, map[string]any{"nodeCount": size})}
			lines := serverLine.FindAllStringSubmatch(zk.render(t, "config.yaml", values).config.Data["zoo.cfg"], -1)
			set := zk.render(t, "statefulset.yaml", values).set
			if int64(len(lines)) != size || int64(*set.Spec.Replicas) != size {
				t.Fatalf("%d members and %d replicas for nodeCount %d", len(lines), *set.Spec.Replicas, size)
			}
			var hosts []string
			for i, line := range lines {
				want := fmt.Sprintf("%s-%d.%s-headless.tenant.svc", longName, i, longName)
				if line[1] != strconv.Itoa(i+1) || line[2] != want {
					t.Errorf("member %d is %v", i, line)
				}
				hosts = append(hosts, line[2])
			}
			if got := env(zk.render(t, "verify.yaml", values).podSpec())["SERVERS"]; got != strings.Join(hosts, " ") {
				t.Errorf("verify asks %s", got)
			}
		}
	})
}

func env(spec *corev1.PodSpec) map[string]string {
	out := map[string]string{}
	for _, e := range spec.Containers[0].Env {
		out[e.Name] = e.Value
	}
	return out
}

// TestResizePassesThroughOverlappingMajorities: of two sizes that follow each
// other, no two majorities may be disjoint.
func TestResizePassesThroughOverlappingMajorities(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for i, size := range sizes[1:] {
			for _, change := range [][2]int64{{sizes[i], size}, {size, sizes[i]}} {
				values := render.Values{"Params": zk.defaults(t, map[string]any{"nodeCount": change[1]}), "Old": map[string]any{"nodeCount": change[0]}}
				o := zk.render(t, "halfway.yaml", values)
				half := int64(*o.set.Spec.Replicas)
				if n := len(serverLine.FindAllString(o.config.Data["zoo.cfg"], -1)); int64(n) != half {
					t.Errorf("%v: %d members and %d replicas halfway", change, n, half)
				}
				for _, pair := range [][2]int64{{change[0], half}, {half, change[1]}} {
					if (pair[0]/2+1)+(pair[1]/2+1) <= max(pair[0], pair[1]) {
						t.Errorf("%v: majorities of %d and %d servers can be disjoint", change, pair[0], pair[1])
					}
				}
				if got := env(zk.render(t, "preflight.yaml", values).podSpec())["TARGET"]; got != strconv.FormatInt(half, 10) {
					t.Errorf("%v: preflight looks at %s", change, got)
				}
			}
		}
	})
}

// TestOnlyIntendedParametersRestartServers lists what each parameter does to pods.
func TestOnlyIntendedParametersRestartServers(t *testing.T) {
	changes := map[string]struct {
		value    any
		restarts bool
	}{
		"nodeCount": {int64(5), true}, "cpu": {"1", true}, "memory": {"2Gi", true}, "heapPercent": {int64(50), true},
		"image": {"example.org/zk", true}, "imagePullPolicy": {"Always", true}, "imagePullSecrets": {[]any{"a"}, true},
		"tickTime": {int64(3000), true}, "initLimit": {int64(20), true}, "syncLimit": {int64(9), true}, "maxClientConnections": {int64(0), true},
		"snapRetainCount": {int64(5), true}, "purgeInterval": {int64(0), true}, "jvmOptions": {"-XX:+UseG1GC", true},
		"podAntiAffinity": {"hard", true}, "nodeSelector": {map[string]any{"disk": "ssd"}, true},
		"tolerations":                   {[]any{map[string]any{"key": "a", "operator": "Exists"}}, true},
		"terminationGracePeriodSeconds": {int64(60), true}, "metrics": {false, true}, "metricsPort": {int64(7001), true},
		"logLevel": {"DEBUG", false}, "minReadySeconds": {int64(1), false}, "preflight": {false, false}, "verifyWrite": {false, false},
		"storage": {"9Gi", false}, "storageClass": {"fast", false},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		before := zk.render(t, "statefulset.yaml", render.Values{"Params": zk.defaults(t, nil)})
		for _, name := range zk.schema.Names() {
			change, listed := changes[name]
			if !listed {
				t.Errorf("this test does not say whether %s restarts servers", name)
				continue
			}
			after := zk.render(t, "statefulset.yaml", render.Values{"Params": zk.defaults(t, map[string]any{name: change.value})})
			if restarts := !bytes.Equal(before.rawPod, after.rawPod); restarts != change.restarts {
				t.Errorf("a change of %s restarts servers: %v", name, restarts)
			}
		}
	})
}

// TestObjectsDoNotVaryByRun: what is applied depends on parameters and version alone.
func TestObjectsDoNotVaryByRun(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, template := range applied {
			p := zk.defaults(t, nil)
			first := zk.render(t, template, render.Values{"Params": p})
			again := load(t, zk.Version.Spec.Version).render(t, template, render.Values{
				"Params": p, "Old": p, "OldVersion": map[string]any{"name": "3.8.0", "app": "3.8.0"},
				"Changed": map[string]any{"cpu": true}, "Labels": map[string]any{"team": "a"},
				"Run": map[string]any{"id": "x", "attempt": int64(2)}, "Instance": map[string]any{"UID": "y"},
			})
			if !bytes.Equal(first.raw, again.raw) {
				t.Errorf("%s varies:\n%s\n%s", template, first.raw, again.raw)
			}
		}
	})
}

func TestJobsEndAndSurviveTheKubelet(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for _, template := range jobs {
			job := zk.render(t, template, render.Values{"Params": zk.defaults(t, nil)}).job
			if job.Spec.ActiveDeadlineSeconds == nil || job.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
				t.Errorf("%s: nothing ends the job", template)
			}
			c := job.Spec.Template.Spec.Containers[0]
			// The kubelet turns $$ into $ and expands $(NAME) of known variables.
			for _, arg := range c.Args {
				known := append(slices.Collect(maps.Keys(env(&job.Spec.Template.Spec))), "PLAN_EXECUTION_ID", "ATTEMPT")
				for _, name := range known {
					if strings.Contains(arg, "$("+name+")") {
						t.Errorf("%s: the kubelet expands $(%s)", template, name)
					}
				}
				if strings.Contains(arg, "$$") {
					t.Errorf("%s: the kubelet shortens $$", template)
				}
			}
		}
	})
}

// TestPlansNameWhatExists finds tasks that no plan uses and templates that no task uses.
func TestPlansNameWhatExists(t *testing.T) {
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		spec := zk.Version.Spec
		used, tasks := map[string]bool{}, map[string]bool{}
		for _, task := range spec.Tasks {
			tasks[task.Name] = false
			switch {
			case task.Apply != nil:
				for _, name := range task.Apply.Templates {
					used[name] = true
				}
			case task.Job != nil:
				used[task.Job.Template] = true
			case task.Delete != nil:
				for _, name := range task.Delete.Templates {
					used[name] = true
				}
			}
		}
		for _, plan := range spec.Plans {
			for _, phase := range plan.Phases {
				for _, step := range phase.Steps {
					for _, task := range step.Tasks {
						if _, found := tasks[task.Task]; !found {
							t.Errorf("plan %s names the task %s, which does not exist", plan.Name, task.Task)
						}
						tasks[task.Task] = true
					}
				}
			}
		}
		for name, inUse := range tasks {
			if !inUse {
				t.Errorf("no plan uses the task %s", name)
			}
		}
		for _, template := range spec.Templates {
			if path.Ext(template.Name) == ".yaml" && !used[template.Name] {
				t.Errorf("no task uses the template %s", template.Name)
			}
			delete(used, template.Name)
		}
		for name := range used {
			t.Errorf("a task names the template %s, which does not exist", name)
		}
	})
}
