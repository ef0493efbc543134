// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

// before puts a document before the Deployment.
func before(document string) edit {
	return edit{front, "apiVersion: apps/v1", document + "\n---\napiVersion: apps/v1"}
}

var planCases = []sick{
	{rule: "KUDO060", name: "no step", edits: []edit{{fw, "        - name: check\n          steps:\n            - name: check\n              timeout: 20m\n              tasks: [{task: check}]\n    - name: update", "        - name: check\n    - name: update"}}, on: "name: check"},
	{rule: "KUDO060", name: "two actions", edits: []edit{{fw, "      job: {template: check.yaml}", "      job: {template: check.yaml}\n      wait: {for: 1s}"}}, on: "name: check"},
	{rule: "KUDO061", name: "name", edits: []edit{{fw, "            - name: front\n", "            - name: front\n              when: params.member > 1\n"}}, on: "when:"},
	{rule: "KUDO062", name: "task", edits: []edit{{fw, "[{task: config}]", "[{task: confg}]"}}, on: "confg", says: "config"},
	{rule: "KUDO062", name: "template", edits: []edit{{fw, "job: {template: check.yaml}", "job: {template: check.yml}"}}, on: "check.yml"},
	{rule: "KUDO063", name: "task", edits: []edit{{fw, "    - name: remove\n      delete", "    - name: idle\n      wait: {for: 1s}\n    - name: remove\n      delete"}}, on: "name: idle"},
	{rule: "KUDO064", name: "stray", edits: []edit{{fw, "      description: To be run before a migration. Waits until somebody agrees.\n", ""}}, on: "name: gate"},
	{rule: "KUDO065", name: "no words", edits: []edit{{fw, "      description: Makes the members, then checks that they serve.\n", ""}}, on: "name: deploy"},
	{rule: "KUDO066", name: "wait", edits: []edit{{fw, "              timeout: 5m\n", ""}}, on: "name: ready"},
	{rule: "KUDO067", name: "message", edits: []edit{{fw, "message: The migration starts after this and can not be taken back.", "message: fine"}}, on: "approve"},
	{rule: "KUDO068", name: "serial", edits: []edit{{fw, "            - name: members\n", "            - name: members\n              dependsOn: [config]\n"}}, on: "dependsOn"},
	{rule: "KUDO069", name: "serial", edits: []edit{{fw, "        - name: make\n", "        - name: make\n          maxParallel: 2\n"}}, on: "maxParallel"},
	{rule: "KUDO070", name: "true", edits: []edit{{fw, "            - name: front\n", "            - name: front\n              when: 'true'\n"}}, on: "when:"},
	{rule: "KUDO070", name: "text", edits: []edit{{fw, "            - name: front\n", "            - name: front\n              when: '\"a\" == \"b\"'\n"}}, on: "when:"},
	{rule: "KUDO071", name: "step", edits: []edit{{fw, "              timeout: 20m\n", "              timeout: 2m\n"}}, on: "name: check", says: "10m"},
	{rule: "KUDO072", name: "job", edits: []edit{{fw, "              timeout: 20m\n", ""}, {job, "  activeDeadlineSeconds: 600\n", ""}}, on: "name: check"},
	{rule: "KUDO087", name: "backoff", edits: []edit{{job, "  activeDeadlineSeconds: 600", "  backoffLimit: 3\n  activeDeadlineSeconds: 600"}}, on: "backoffLimit"},
	{rule: "KUDO073", name: "rollback", edits: []edit{{fw, "    - name: deploy\n", "    - name: deploy\n      onFailure: {rollback: true}\n"}}, on: "onFailure"},
	{rule: "KUDO074", name: "recovery", edits: []edit{{fw, "      plan: mend", "      plan: gate"}}, on: "approve", says: "stuck"},
	{rule: "KUDO075", name: "at once", edits: []edit{{fw, "      for: 10m\n", ""}}, on: "name: stuck"},

	{rule: "KUDO076", name: "no update", edits: []edit{{fw, "    - name: update\n", "    - name: renew\n"}}, on: "plans:"},
	{rule: "KUDO077", name: "no upgrade", edits: []edit{{fw, "    - name: upgrade\n", "    - name: raise\n"}}, on: "plans:"},
	{rule: "KUDO078", name: "claim", edits: []edit{before("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {{ .Name }}-x\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Params.storage }}}}}")}, on: "name: {{ .Name }}-x"},
	{rule: "KUDO079", name: "no cleanup", edits: []edit{{fw, "    - name: cleanup\n", "    - name: empty\n"}}, on: "plans:"},
	{rule: "KUDO080", name: "job", edits: []edit{{fw, "apply: {templates: [front.yaml]}", "apply: {templates: [front.yaml, check.yaml]}"}}, on: "kind: Job"},
	{rule: "KUDO081", name: "update", edits: []edit{{fw, "        - name: roll\n          steps:\n            - name: config\n              tasks: [{task: config}]\n", "        - name: roll\n          steps:\n"}}, on: "name: update", says: "config.yaml"},
	{rule: "KUDO082", name: "upgrade", edits: []edit{{fw, "    - name: upgrade\n      description: Rolls the new version out, one member at a time.\n      phases:\n        - name: roll\n          steps:\n            - name: config\n              tasks: [{task: config}]\n", "    - name: upgrade\n      description: Rolls the new version out, one member at a time.\n      phases:\n        - name: roll\n          steps:\n"}}, on: "name: upgrade", says: "config.yaml"},
	{rule: "KUDO083", name: "claims", edits: []edit{
		before("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {{ .Name }}-x\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Params.storage }}}}}"),
		{fw, "    - name: remove\n      delete", "    - name: wipe\n      delete: {templates: [front.yaml]}\n    - name: remove\n      delete"},
		{fw, "            - name: members\n", "            - name: wipe\n              tasks: [{task: wipe}]\n            - name: members\n"},
	}, on: "task: wipe", says: "deploy"},
	{rule: "KUDO084", name: "storage", edits: []edit{{prm, "  immutable: true\n", ""}}, on: "volumeClaimTemplates", says: "storage"},
	{rule: "KUDO085", name: "selector", edits: []edit{{front, "matchLabels: {app: {{ .Name }}-front}", "matchLabels: {app: {{ .Name }}-front, version: {{ .Version.name }}}"}, {front, "labels: {app: {{ .Name }}-front}", "labels: {app: {{ .Name }}-front, version: {{ .Version.name }}}"}}, on: "selector"},
	{rule: "KUDO086", name: "no check", edits: []edit{{fw, "        - name: check\n          steps:\n            - name: check\n              timeout: 20m\n              tasks: [{task: check}]\n    - name: update", "    - name: update"}}, on: "name: deploy"},
}

var podCases = []sick{
	{rule: "KUDO100", name: "readiness", edits: []edit{{front, "          readinessProbe:\n            httpGet: {port: http, path: /ready}\n", ""}}, on: "- name: front"},
	{rule: "KUDO101", name: "liveness", edits: []edit{{front, "          livenessProbe:\n            tcpSocket: {port: http}\n", ""}}, on: "- name: front"},
	{rule: "KUDO102", name: "requests", edits: []edit{{front, "requests: {cpu: 50m, memory: 64Mi}", "requests: {memory: 64Mi}"}}, on: "resources:", says: "cpu"},
	{rule: "KUDO103", name: "limit", edits: []edit{{front, "            limits: {memory: 64Mi}\n", ""}}, on: "resources:"},
	{rule: "KUDO104", name: "larger", edits: []edit{{front, "limits: {memory: 64Mi}", "limits: {memory: 32Mi}"}}, on: "resources:"},
	{rule: "KUDO105", name: "latest", edits: []edit{{front, "front:{{ .Version.app }}", "front:latest"}}, on: "image:"},
	{rule: "KUDO105", name: "no tag", edits: []edit{{front, "registry.example.com/front:{{ .Version.app }}", "registry.example.com:5000/front"}}, on: "image:"},
	{rule: "KUDO106", name: "grace", edits: []edit{{set, "      terminationGracePeriodSeconds: 60\n", ""}}, on: "spec:"},
	{rule: "KUDO107", name: "mount", edits: []edit{{set, "{name: config, mountPath: /etc/store}", "{name: conf, mountPath: /etc/store}"}}, on: "volumeMounts"},
	{rule: "KUDO108", name: "volume", edits: []edit{{front, "      containers:\n", "      volumes: [{name: x, emptyDir: {}}]\n      containers:\n"}}, on: "volumes:"},
	{rule: "KUDO109", name: "volumes", edits: []edit{{front, "      containers:\n", "      volumes: [{name: x, emptyDir: {}}, {name: x, emptyDir: {}}]\n      containers:\n"}}, on: "volumes:"},
	{rule: "KUDO110", name: "same", edits: []edit{{front, "            tcpSocket: {port: http}", "            httpGet: {port: http, path: /ready}"}}, on: "livenessProbe"},
	{rule: "KUDO111", name: "port", edits: []edit{{front, "tcpSocket: {port: http}", "tcpSocket: {port: web}"}}, on: "- name: front", says: "web"},
	{rule: "KUDO112", name: "password", edits: []edit{{front, "          ports:\n", "          env: [{name: DB_PASSWORD, value: secret}]\n          ports:\n"}}, on: "env:"},
	{rule: "KUDO113", name: "scratch", edits: []edit{{front, "      containers:\n", "      volumes: [{name: x, emptyDir: {}}]\n      containers:\n"}}, on: "emptyDir"},
	{rule: "KUDO114", name: "variable", edits: []edit{{front, "          ports:\n", "          env: [{name: A, value: a}, {name: A, value: b}]\n          ports:\n"}}, on: "env:"},

	{rule: "KUDO120", name: "root", edits: []edit{{front, "        runAsNonRoot: true\n", ""}}, on: "securityContext"},
	{rule: "KUDO120", name: "user 0", edits: []edit{{front, "runAsUser: 1000", "runAsUser: 0"}}, says: "user 0"},
	{rule: "KUDO121", name: "escalation", edits: []edit{{tpl, "allowPrivilegeEscalation: false\n", ""}}, on: "securityContext"},
	{rule: "KUDO122", name: "capabilities", edits: []edit{{tpl, "drop: [ALL]", "drop: [NET_RAW]"}}, on: "securityContext"},
	{rule: "KUDO123", name: "seccomp", edits: []edit{{front, "        seccompProfile: {type: RuntimeDefault}\n", ""}}, on: "spec:"},
	{rule: "KUDO124", name: "writable", edits: []edit{{tpl, "readOnlyRootFilesystem: true\n", ""}}, on: "securityContext"},
	{rule: "KUDO125", name: "privileged", edits: []edit{{tpl, "allowPrivilegeEscalation: false\n", "privileged: true\n"}}, says: "front"},
	{rule: "KUDO126", name: "host path", edits: []edit{{front, "      containers:\n", "      volumes: [{name: x, hostPath: {path: /}}]\n      containers:\n"}}, on: "hostPath"},
	{rule: "KUDO127", name: "network", edits: []edit{{front, "      containers:\n", "      hostNetwork: true\n      containers:\n"}}, on: "hostNetwork"},
	{rule: "KUDO128", name: "token", edits: []edit{{front, "      automountServiceAccountToken: false\n", ""}}, on: "spec:"},
	{rule: "KUDO129", name: "data", edits: []edit{before("apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Name }}-x}\nstringData: {a: b}")}, on: "stringData"},
}

var clusterCases = []sick{
	{rule: "KUDO140", name: "labels", edits: []edit{{front, "      labels: {app: {{ .Name }}-front}", "      labels: {app: {{ .Name }}}"}}, on: "selector:"},
	{rule: "KUDO141", name: "service", edits: []edit{before("apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Name }}-x}\nspec:\n  selector: {app: {{ .Name }}-frnt}\n  ports: [{port: 80}]")}, on: "selector:"},
	{rule: "KUDO142", name: "no service", edits: []edit{{set, "serviceName: {{ .Name }}-headless", "serviceName: {{ .Name }}-members"}}, on: "serviceName"},
	{rule: "KUDO142", name: "no name", edits: []edit{{set, "  serviceName: {{ .Name }}-headless\n", ""}}, says: "serviceName"},
	{rule: "KUDO143", name: "not headless", edits: []edit{{svc, "  clusterIP: None\n", ""}}, on: "spec:"},
	{rule: "KUDO144", name: "target", edits: []edit{{svc, "targetPort: store", "targetPort: stor"}}, on: "targetPort: stor"},
	{rule: "KUDO145", name: "name", edits: []edit{{set, "{name: store, containerPort: 6379}", "{name: store-of-members, containerPort: 6379}"}}, on: "ports:"},
	{rule: "KUDO145", name: "number", edits: append(parameter("- {name: port, description: A., schema: {type: integer, minimum: 1, maximum: 70000}, default: 80}", "port"), edit{front, "containerPort: 8080", "containerPort: {{ .Params.port }}"}), on: "ports:", says: "greatest"},
	{rule: "KUDO146", name: "no name", edits: []edit{{svc, "    - {name: store, port: 6379, targetPort: store}\n", "    - {name: store, port: 6379, targetPort: store}\n    - {port: 6380}\n"}}, on: "port: 6380"},
	{rule: "KUDO147", name: "node port", edits: []edit{{svc, "type: ClusterIP", "type: NodePort"}}, on: "type: NodePort"},
	{rule: "KUDO148", name: "backend", edits: []edit{before("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: {{ .Name }}-x}\nspec:\n  defaultBackend:\n    service: {name: {{ .Name }}-front, port: {number: 80}}")}, on: "service:"},

	{rule: "KUDO150", name: "budget", edits: []edit{{svc, "kind: PodDisruptionBudget\nmetadata:\n  name: {{ .Name }}\nspec:\n  maxUnavailable: 1\n  selector:\n    matchLabels:\n      {{- include \"store.labels\" . | nindent 6 }}\n", "kind: PodDisruptionBudget\nmetadata:\n  name: {{ .Name }}\nspec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {app: {{ .Name }}-front}\n"}}, on: "replicas"},
	{rule: "KUDO151", name: "none", edits: []edit{{svc, "maxUnavailable: 1", "maxUnavailable: 0"}}, on: "maxUnavailable"},
	{rule: "KUDO151", name: "all", edits: []edit{{svc, "maxUnavailable: 1", "minAvailable: 3"}}, on: "minAvailable"},
	{rule: "KUDO152", name: "one node", edits: []edit{{front, "replicas: 1", "replicas: 2"}}, on: "spec:"},
	{rule: "KUDO153", name: "on delete", edits: []edit{{set, "  podManagementPolicy: Parallel", "  updateStrategy: {type: OnDelete}\n  podManagementPolicy: Parallel"}}, on: "updateStrategy"},
	{rule: "KUDO154", name: "volume", edits: []edit{
		before("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {{ .Name }}-x\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Params.storage }}}}}"),
		{front, "      containers:\n", "      volumes: [{name: x, persistentVolumeClaim: {claimName: {{ .Name }}-x}}]\n      containers:\n"},
	}, on: "volumes:"},
	{rule: "KUDO155", name: "storage", edits: []edit{{set, "          requests:\n            storage: {{ .Params.storage }}\n", "          limits:\n            storage: {{ .Params.storage }}\n"}}, on: "metadata:"},
	{rule: "KUDO156", name: "autoscaler", edits: []edit{before("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: {{ .Name }}-x}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .Name }}-front}\n  maxReplicas: 5")}, on: "replicas: 1"},
	{rule: "KUDO157", name: "autoscaler", edits: []edit{before("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: {{ .Name }}-x}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .Name }}-frnt}\n  maxReplicas: 5")}, on: "scaleTargetRef"},
	{rule: "KUDO158", name: "storage", edits: []edit{{set, "            storage: {{ .Params.storage }}", "            storage: 5Gi"}}, on: "storage: 5Gi"},

	{rule: "KUDO160", name: "permission", edits: []edit{{fw, "  observe:", "  permissions: [{kind: Namespace}]\n  observe:"}}, on: "permissions"},
	{rule: "KUDO161", name: "namespaces", edits: []edit{{fw, "  observe:", "  permissions: [{kind: ConfigMap, anyNamespace: true}]\n  observe:"}}, on: "permissions"},
	{rule: "KUDO162", name: "lease", edits: []edit{before("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: {{ .Name }}-x}")}, on: "kind: Lease"},
	{rule: "KUDO163", name: "verbs", edits: []edit{before("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: {{ .Name }}-x}\nrules:\n  - apiGroups: [apps]\n    resources: [deployments]\n    verbs: ['*']"), {fw, "  observe:", "  permissions: [{group: rbac.authorization.k8s.io, kind: Role}]\n  observe:"}}, on: "verbs"},
	{rule: "KUDO164", name: "admin", edits: []edit{before("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: {{ .Name }}-x}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: cluster-admin"), {fw, "  observe:", "  permissions: [{group: rbac.authorization.k8s.io, kind: RoleBinding}]\n  observe:"}}, on: "cluster-admin"},
	{rule: "KUDO165", name: "secrets", edits: []edit{before("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: {{ .Name }}-x}\nrules:\n  - apiGroups: ['']\n    resources: [secrets]\n    verbs: [get]"), {fw, "  observe:", "  permissions: [{group: rbac.authorization.k8s.io, kind: Role}]\n  observe:"}}, on: "apiGroups"},
	{rule: "KUDO166", name: "account", edits: []edit{{front, "      automountServiceAccountToken: false", "      serviceAccountName: builder"}}, on: "serviceAccountName"},
}

// older makes the base package the version before.
var older = []edit{{fw, "  version: 2.1.0", "  version: 2.0.3"}, {fw, "    - ~2.0.0", "    - ~1.9.0"}}

var upgradeCases = []sick{
	{rule: "KUDO170", name: "broken", older: []edit{{cfg, ".Params.policy", ".Params.polcy"}}, on: "version: 2.1.0"},
	{rule: "KUDO170", name: "unreadable", older: []edit{{fw, "  url:", "  uri:"}}, says: "can not be read"},
	{rule: "KUDO171", name: "same", edits: []edit{{fw, "  version: 2.1.0", "  version: 2.0.3"}}, older: []edit{}, on: "version: 2.0.3"},
	{rule: "KUDO172", name: "kind", older: []edit{{fw, "kind: Store", "kind: Shop"}}, on: "kind: Store"},
	{rule: "KUDO172", name: "framework", older: []edit{{fw, "  name: store\n", "  name: shop\n"}}, on: "name: store"},
	{rule: "KUDO173", name: "path", edits: []edit{{fw, "    - ~2.0.0", "    - 2.1.x"}}, older: []edit{}, on: "upgradableFrom"},
	{rule: "KUDO174", name: "required", edits: parameter("- {name: zone, description: A., schema: {type: string, maxLength: 4}, required: true}", "zone"), older: []edit{}, on: "name: zone"},
	{rule: "KUDO175", name: "gone", older: parameter("- {name: zone, description: A., schema: {type: string, maxLength: 4}, default: a}", "zone"), says: "zone"},
	{rule: "KUDO176", name: "type", older: []edit{{prm, "schema: {type: string, enum: [oldest, newest]}\n  default: oldest", "schema: {type: integer, minimum: 1, maximum: 2}\n  default: 1"}, {set, ".Params.policy | sha256sum", ".Params.policy | toString | sha256sum"}}, on: "name: policy"},
	{rule: "KUDO177", name: "enum", older: []edit{{prm, "enum: [oldest, newest]", "enum: [oldest, newest, any]"}}, on: "schema: {type: string, enum"},
	{rule: "KUDO177", name: "bounds", older: []edit{{prm, "minimum: 1, maximum: 9", "minimum: 1, maximum: 11"}}, on: "maximum: 9"},
	{rule: "KUDO178", name: "default", older: []edit{{prm, "default: 256Mi", "default: 128Mi"}}, on: "default: 256Mi", says: "128Mi"},
	{rule: "KUDO179", name: "service", older: []edit{{set, "podManagementPolicy: Parallel", "podManagementPolicy: OrderedReady"}}, on: "podManagementPolicy"},
	{rule: "KUDO179", name: "storage", older: []edit{{prm, "default: 1Gi", "default: 2Gi"}}, on: "volumeClaimTemplates"},
	{rule: "KUDO179", name: "sealed", edits: []edit{{cfg, "kind: ConfigMap", "kind: ConfigMap\nimmutable: true"}}, older: []edit{{cfg, "policy =", "order ="}}, on: "data:"},
	{rule: "KUDO179", name: "headless", older: []edit{{svc, "  clusterIP: None\n", ""}}, on: "clusterIP"},
	{rule: "KUDO180", name: "object", older: []edit{before("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Name }}-x}")}, on: "tasks:", says: "ConfigMap <instance>-x"},
	{rule: "KUDO181", name: "plan", older: []edit{{fw, "    - name: gate\n", "    - name: port\n"}}, says: "port"},
	{rule: "KUDO182", name: "open", edits: []edit{{fw, "  upgradableFrom:\n    - ~2.0.0\n", ""}}, older: []edit{}, on: "version: 2.1.0"},
	{rule: "KUDO183", name: "no upper bound", edits: []edit{{fw, "~2.0.0", "'>=2.0.0'"}}, on: ">=2.0.0"},
	{rule: "KUDO184", name: "skips", edits: []edit{{fw, "~2.0.0", "<2.1.0"}}, on: "<2.1.0"},
	{rule: "KUDO186", name: "words", older: []edit{{fw, "displayName: Store", "displayName: Shop"}}, on: "framework:"},
	{rule: "KUDO185", name: "immutable", older: []edit{{prm, "  immutable: true\n", ""}}, on: "immutable"},
}
