// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/internal/diagnose"
	"kudo.dev/kudo/internal/testing/workload"
)

// seeds are failures, what diagnose must call them, and words of the sentence that names
// the cause and of the commands that it proposes.
var seeds = map[string]struct {
	seed    func(n *ward)
	groups  []string
	cause   diagnose.Cause
	summary []string
	chain   []string
	next    []string
}{
	"image missing": {
		seed: func(n *ward) {
			set := n.set()
			pod := n.pod(set, "StatefulSet", "app: set", "", `{"phase":"Pending","containerStatuses":[{"name":"main","image":"busybox:nope","imageID":"","ready":false,"restartCount":0,
				"state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"busybox:nope\""}}}]}`)
			n.event(pod, "Pod", "Failed", `Failed to pull image "busybox:nope": not found`)
		},
		cause: diagnose.ImageMissing, summary: []string{"busybox:nope", "container main in Pod one-set-0", "ImagePullBackOff"},
		chain: []string{"Instance one", "PlanExecution one-deploy-", "step main/set/set", "StatefulSet one-set", "Pod one-set-0", "event of Pod one-set-0"},
		next:  []string{"involvedObject.name=one-set-0", "edit instance/one"},
	},
	"quota": {
		seed: func(n *ward) {
			set := n.set()
			n.event(set, "StatefulSet", "FailedCreate", "create Pod one-set-0 in StatefulSet one-set failed error: "+n.quota("pods", "v1", "Pod").Error())
		},
		cause: diagnose.QuotaExceeded, summary: []string{"ResourceQuota small", "count/pods"},
		chain: []string{"StatefulSet one-set", "event of StatefulSet one-set"}, next: []string{"describe resourcequota small"},
	},
	"quota of an object": {
		seed: func(n *ward) {
			_ = n.quota("configmaps", "v1", "ConfigMap")
			n.instance("config")
		},
		cause: diagnose.QuotaExceeded, summary: []string{"ResourceQuota small", "count/configmaps"},
		chain: []string{"step main/config/config"}, next: []string{"describe resourcequota small", "retry one main/config/config"},
	},
	"rbac": {
		seed: func(n *ward) { n.instance("web") }, groups: []string{"", "batch"},
		cause: diagnose.Forbidden, summary: []string{"deployer may not", "deployments.apps"}, chain: []string{"step main/web/web"},
		next: []string{"create role deployer-kudo", "--resource=deployments.apps", "create rolebinding deployer-kudo", "retry one main/web/web"},
	},
	"unschedulable": {
		seed: func(n *ward) {
			n.pod(n.set(), "StatefulSet", "app: set", "",
				`{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: 3 Insufficient memory."}]}`)
		},
		cause: diagnose.Unschedulable, summary: []string{"no node fits Pod one-set-0", "3 Insufficient memory"}, chain: []string{"Pod one-set-0"},
		next: []string{"describe nodes", "edit instance/one"},
	},
	"failing probe": {
		seed: func(n *ward) {
			pod := n.pod(n.set(), "StatefulSet", "app: set", "containers: [{name: main, image: busybox, readinessProbe: {httpGet: {path: /ready, port: 80}}}]",
				`{"phase":"Running","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"started":true,"restartCount":0,"state":{"running":{}}}]}`)
			n.event(pod, "Pod", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
		},
		cause: diagnose.ProbeFails, summary: []string{"container main in Pod one-set-0", "readinessProbe does not pass", "statuscode: 503"},
		chain: []string{"Pod one-set-0"}, next: []string{"logs one-set-0 -c main"},
	},
	"failing job": {
		seed: func(n *ward) {
			n.instance("work")
			job := n.job()
			n.pod(job, "Job", `batch.kubernetes.io/controller-uid: "`+string(job.UID)+`"`, "",
				`{"phase":"Failed","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":2,"reason":"Error","containerID":"x://1"}}}]}`)
			n.play("Job", workload.Fail)
			n.says("one is Stalled", "status", "one", "--until", "stalled", "--timeout", "30s")
		},
		cause: diagnose.JobFailed, summary: []string{"the job one-work-", "container main", "exit code 2"},
		chain: []string{"step main/work/work", "Job one-work-", "Pod one-work-"}, next: []string{"logs one-work-", "retry one main/work/work"},
	},
	"approval pending": {
		seed:  func(n *ward) { n.instance("ask") },
		cause: diagnose.ApprovalPending, summary: []string{"step main/ask has been waiting", "the disks are wiped"}, chain: []string{"step main/ask/approve"},
		next: []string{"approve one main/ask", "cancel one"},
	},
	"immutable field": {
		seed: func(n *ward) {
			n.play("Deployment", workload.Play)
			n.instance("web")
			n.ready()
			n.change(`{"spec":{"parameters":{"label":"two"}}}`)
		},
		cause: diagnose.ImmutableField, summary: []string{"Deployment one-web", "spec.selector"}, chain: []string{"step main/web/web"},
		next: []string{"edit instance/one", "delete deployment/one-web --cascade=orphan", "retry one main/web/web"},
	},
	"webhook down": {
		seed: func(n *ward) {
			n.create(fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: %s-guard}
webhooks:
- name: guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 1
  clientConfig: {service: {namespace: %s, name: guard}}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
`, n.ns, n.ns, n.ns))
			n.w.Await(n, "the webhook is called", func(ctx context.Context) (bool, string) {
				o := parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: probe}}")
				o.SetNamespace(n.ns)
				err := n.admin().Create(ctx, o, client.DryRunAll)
				return err != nil, "a ConfigMap passes"
			})
			n.instance("config")
		},
		cause: diagnose.WebhookDown, summary: []string{"guard.example.com does not answer"}, chain: []string{"step main/config/config", "webhook guard.example.com"},
		next: []string{"get endpointslices -l kubernetes.io/service-name=guard", "grep guard.example.com"},
	},
	"volume pending": {
		seed: func(n *ward) {
			set := n.set()
			claim := n.create("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data-one-set-0}, spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}}")
			n.pod(set, "StatefulSet", "app: set", "containers: [{name: main, image: busybox}], volumes: [{name: data, persistentVolumeClaim: {claimName: data-one-set-0}}]",
				`{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."}]}`)
			n.event(claim, "PersistentVolumeClaim", "ProvisioningFailed", `storageclass.storage.k8s.io "fast" not found`)
		},
		cause: diagnose.VolumePending, summary: []string{"data-one-set-0 is Pending", "storage class fast", `"fast" not found`},
		chain: []string{"Pod one-set-0", "PersistentVolumeClaim data-one-set-0", "event of PersistentVolumeClaim"}, next: []string{"describe persistentvolumeclaim data-one-set-0", "get storageclasses"},
	},
	"wrong parameter": {
		seed: func(n *ward) {
			number := "1.0." + strings.TrimPrefix(n.ns, "ward-") + "1"
			n.create(fmt.Sprintf(`
apiVersion: kudo.dev/v1alpha1
kind: Instance
metadata: {name: one}
spec: {framework: ward, version: %s, serviceAccountName: deployer, parameters: {nodes: 0, color: red}}
`, number))
			if err := n.admin().Create(n.Context(), version(number)); err != nil {
				n.Fatal(err)
			}
		},
		cause: diagnose.WrongParameter, summary: []string{"spec.parameters"},
		chain: []string{"parameter spec.parameters.nodes", `"minimum":1`, "spec.parameters.color", "has no such parameter"},
		next:  []string{"edit instance/one"},
	},
	"stuck finalizer": {
		seed: func(n *ward) {
			n.play("Job", workload.Play)
			// The object is there before the delete step finds it, with a finalizer of somebody else.
			n.instance("ask")
			n.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: one-config, finalizers: [example.com/backup]}}")
			n.change(`{"spec":{"adopt":true,"parameters":{"what":"gone"}}}`)
		},
		cause: diagnose.StuckFinalizer, summary: []string{"ConfigMap one-config was deleted", "example.com/backup"},
		chain: []string{"step main/gone/gone", "ConfigMap one-config"}, next: []string{"get configmap/one-config -o yaml --show-managed-fields", "patch configmap/one-config"},
	},
	"stuck finalizer of the Instance": {
		seed: func(n *ward) {
			n.instance("none")
			n.ready()
			n.change(`{"metadata":{"finalizers":["kudo.dev/cleanup","example.com/audit"]}}`)
			inst := &v1alpha1.Instance{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "one"}}
			if err := n.admin().Delete(n.Context(), inst); err != nil {
				n.Fatal(err)
			}
		},
		cause: diagnose.StuckFinalizer, summary: []string{"Instance one was deleted", "example.com/audit"},
		next: []string{"patch instance/one"},
	},
}

// The true cause of each seeded failure is named, with the way that leads to it and the next
// command to run.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	for name, tt := range seeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newWard(t, tt.groups...)
			tt.seed(n)
			r := n.becomes(tt.cause)
			var chain, next []string
			for _, l := range r.Chain {
				chain = append(chain, l.Object+" "+l.State+" "+l.Message)
			}
			for _, c := range r.Next {
				next = append(next, c.Run)
			}
			for what, pair := range map[string][2][]string{
				"summary": {{r.Summary}, tt.summary}, "chain": {chain, tt.chain}, "next": {next, append(tt.next, "kubectl ")},
			} {
				all := strings.Join(pair[0], "\n")
				for _, word := range pair[1] {
					if !strings.Contains(all, word) {
						t.Errorf("%s: want %q in:\n%s", what, word, all)
					}
				}
			}
			n.says("Cause: "+string(tt.cause), "diagnose", "one")
		})
	}
}

// job is the one that a plan makes.
func (n *ward) job() *batchv1.Job {
	n.Helper()
	var job *batchv1.Job
	n.w.Await(n, "the job is there", func(ctx context.Context) (bool, string) {
		var list batchv1.JobList
		if err := n.admin().List(ctx, &list, client.InNamespace(n.ns)); err != nil || len(list.Items) == 0 {
			return false, fmt.Sprint(err)
		}
		job = &list.Items[0]
		return true, ""
	})
	return job
}

// set makes an Instance that waits for a StatefulSet.
func (n *ward) set() *appsv1.StatefulSet {
	n.Helper()
	n.instance("set")
	return n.awaitSet()
}

// awaitSet waits for the StatefulSet, whose controller has seen it.
func (n *ward) awaitSet() *appsv1.StatefulSet {
	n.Helper()
	set := exists(n, "one-set", &appsv1.StatefulSet{})
	n.setStatus(set, `{"observedGeneration":1,"replicas":1}`)
	return set
}

func (n *ward) ready() {
	n.Helper()
	await(n, "one", &v1alpha1.Instance{}, "one is ready", func(i *v1alpha1.Instance) bool {
		c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReady)
		return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == i.Generation
	})
}

// quota allows no objects of a kind, and returns what the API server says about one.
func (n *ward) quota(plural, apiVersion, kind string) error {
	n.Helper()
	counted := corev1.ResourceName("count/" + plural)
	none := corev1.ResourceList{counted: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: n.ns, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	if err := n.admin().Create(n.Context(), quota); err != nil {
		n.Fatal(err)
	}
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := n.admin().Status().Update(n.Context(), quota); err != nil {
		n.Fatal(err)
	}
	var refused error
	n.w.Await(n, "the quota is in force", func(ctx context.Context) (bool, string) {
		o := parse("{metadata: {name: one-set-0}, spec: {containers: [{name: a, image: b}]}}")
		if kind == "ConfigMap" {
			o = parse("{metadata: {name: one-config}}")
		}
		o.SetAPIVersion(apiVersion)
		o.SetKind(kind)
		o.SetNamespace(n.ns)
		refused = n.admin().Create(ctx, o, client.DryRunAll)
		return refused != nil, "one passes"
	})
	return refused
}
