// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package lint

// sick is a case of a rule: edits of the clean package, and what is found then.
type sick struct {
	rule, name string
	edits      []edit
	removed    []string
	// on is part of the line that the finding is on, and says of its message.
	on, says string
	// older, if it is not nil, are edits of the older version.
	older []edit
}

const (
	fw    = "framework.yaml"
	prm   = "params.yaml"
	cfg   = "templates/config.yaml"
	svc   = "templates/services.yaml"
	set   = "templates/set.yaml"
	front = "templates/front.yaml"
	job   = "templates/check.yaml"
	tpl   = "templates/blocks.tpl"
)

// parameter adds one to params.yaml and has the ConfigMap read it.
func parameter(text, name string) []edit {
	return []edit{
		{prm, "- name: members\n", text + "\n- name: members\n"},
		{cfg, "    policy = ", "    x = {{ .Params." + name + " | toJson }}\n    policy = "},
	}
}

var packageCases = []sick{
	{rule: "KUDO001", name: "unknown field", edits: []edit{{fw, "  url:", "  uri:"}}, on: "uri:"},
	{rule: "KUDO001", name: "missing file", removed: []string{fw}, says: "holds no framework.yaml"},
	{rule: "KUDO002", name: "column path", edits: []edit{{fw, "jsonPath: .spec.parameters.members", "jsonPath: '{members}'"}}, on: "jsonPath"},
	{rule: "KUDO003", name: "version", edits: []edit{{fw, "  version: 2.1.0", "  version: two"}}, on: "version: two"},
	{rule: "KUDO003", name: "upgrade path", edits: []edit{{fw, "    - ~2.0.0", "    - before 2"}}, on: "before 2"},
	{rule: "KUDO004", name: "atomic", edits: []edit{{fw, "        - name: make\n", "        - name: make\n          atomic: true\n"}}, on: "atomic"},
	{rule: "KUDO005", name: "no title", edits: []edit{{fw, "  displayName: Store\n", ""}}, on: "framework:"},
	{rule: "KUDO006", name: "no url", edits: []edit{{fw, "  url: https://store.example.com\n", ""}}, says: "framework.url"},
	{rule: "KUDO007", name: "no readme", removed: []string{"README.md"}, on: "framework:"},
	{rule: "KUDO008", name: "open", edits: []edit{{fw, "  version: 2.1.0", "  development: true\n  version: 2.1.0"}}, on: "development"},
	{rule: "KUDO009", name: "no reason", edits: []edit{{fw, "  description: The first version with a front.\n", ""}, {fw, "  version: 2.1.0", "  # kudo:ignore KUDO012\n  version: 2.1.0"}}, on: "kudo:ignore"},
	{rule: "KUDO010", name: "no finding", edits: []edit{{fw, "  version: 2.1.0", "  # kudo:ignore KUDO012 it says enough\n  version: 2.1.0"}}, on: "kudo:ignore", says: "KUDO012"},
	{rule: "KUDO010", name: "no such rule", edits: []edit{{fw, "  version: 2.1.0", "  # kudo:ignore KUDO999 because\n  version: 2.1.0"}}, says: "there is no rule KUDO999"},
	{rule: "KUDO010", name: "no rule", edits: []edit{{fw, "  version: 2.1.0", "  # kudo:ignore all of this\n  version: 2.1.0"}}, says: "names no rule"},
	{rule: "KUDO011", name: "no tests", removed: []string{"tests/none.yaml"}, on: "framework:"},
	{rule: "KUDO012", name: "no description", edits: []edit{{fw, "  description: The first version with a front.\n", ""}}, on: "version: 2.1.0"},
	{rule: "KUDO013", name: "replicas", edits: []edit{{fw, "replicasParameter: members", "replicasParameter: policy"}}, on: "replicasParameter"},
	{rule: "KUDO014", name: "column", edits: []edit{{fw, ".spec.parameters.members", ".spec.parameters.member"}}, on: "jsonPath", says: "members"},
	{rule: "KUDO015", name: "observation", edits: []edit{{fw, "  recovery:", "    - {name: idle, apiVersion: v1, kind: Pod, selector: {a: b}}\n  recovery:"}}, on: "name: idle"},
	{rule: "KUDO016", name: "no outputs", edits: []edit{{fw, "  outputs:\n    - name: endpoint\n      value: instance.name + \".\" + instance.namespace + \".svc:6379\"\n", ""}}, on: "version:"},
	{rule: "KUDO017", name: "word", edits: []edit{{fw, "        - name: make\n", "        - name: make\n          strategy: parallel\n"}}, on: "strategy: parallel", says: "Parallel"},
	{rule: "KUDO017", name: "length", edits: []edit{{fw, "      when: objects.pods", "      when: \"\" # objects.pods"}}, on: "when:"},
	{rule: "KUDO017", name: "pattern", edits: []edit{{fw, "    - name: pods\n", "    - name: my-pods\n"}}, on: "my-pods"},
	{rule: "KUDO017", name: "framework", edits: []edit{{fw, "  name: store\n", "  name: Store\n"}}, on: "name: Store"},
	{rule: "KUDO060", name: "failure", edits: []edit{{fw, "    - name: deploy\n", "    - name: deploy\n      onFailure: {plan: mend, rollback: true}\n"}}, on: "onFailure", says: "set plan or rollback, not both"},

	{rule: "KUDO020", name: "default", edits: []edit{{prm, "default: oldest", "default: youngest"}}, on: "youngest"},
	{rule: "KUDO020", name: "schema", edits: []edit{{prm, "minimum: 1, maximum: 9", "minimum: 9, maximum: 1"}}, on: "minimum: 9"},
	{rule: "KUDO021", name: "no such plan", edits: []edit{{prm, "  default: oldest", "  default: oldest\n  trigger: updat"}}, on: "trigger", says: "update"},
	{rule: "KUDO022", name: "unused", edits: []edit{{prm, "- name: members\n", "- {name: idle, description: Nothing., default: a}\n- name: members\n"}}, on: "name: idle"},
	{rule: "KUDO023", name: "undescribed", edits: []edit{{prm, "  description: How many members there are.\n", ""}}, on: "name: members"},
	{rule: "KUDO024", name: "case", edits: parameter("- {name: Policy, description: A., schema: {type: string, maxLength: 4}, default: a}", "Policy"), on: "name: policy"},
	{rule: "KUDO025", name: "name", edits: []edit{{prm, "- name: members\n", "- {name: suffix, description: A., default: a}\n- name: members\n"}, {cfg, "name: {{ .Name }}-config", "name: {{ .Name }}-{{ .Params.suffix }}"}, {set, "configMap: {name: {{ .Name }}-config}", "configMap: {name: {{ .Name }}-{{ .Params.suffix }}}"}}, on: "name: suffix"},
	{rule: "KUDO026", name: "password", edits: parameter("- {name: adminPassword, description: A., default: a}", "adminPassword"), on: "adminPassword"},
	{rule: "KUDO026", name: "format", edits: parameter("- {name: pin, description: A., schema: {type: string, format: password}, default: a}", "pin"), on: "name: pin"},
	{rule: "KUDO027", name: "trigger", edits: []edit{{prm, "  immutable: true", "  immutable: true\n  trigger: update"}}, on: "name: storage"},
	{rule: "KUDO028", name: "null", edits: parameter("- {name: zone, description: A., schema: {type: string, maxLength: 4}}", "zone"), on: "name: zone"},
	{rule: "KUDO029", name: "bounds", edits: []edit{{prm, ", maximum: 9", ""}}, on: "name: members"},
	{rule: "KUDO030", name: "map", edits: []edit{{prm, "maxProperties: 4, ", ""}}, on: "name: labels"},
	{rule: "KUDO030", name: "list", edits: parameter("- {name: hosts, description: A., schema: {type: array, items: {type: string}}, default: []}", "hosts"), on: "name: hosts"},
	{rule: "KUDO031", name: "boolean", edits: parameter("- {name: fast, description: A., schema: {type: string, enum: ['true', 'false']}, default: 'true'}", "fast"), on: "name: fast"},
	{rule: "KUDO031", name: "default", edits: parameter("- {name: fast, description: A., default: 'false'}", "fast"), on: "name: fast"},
	{rule: "KUDO032", name: "memory", edits: []edit{{prm, "schema: {type: string, format: quantity, maxLength: 16}\n  default: 256Mi", "schema: {type: string, maxLength: 16}\n  default: 256Mi"}}, on: "name: memory"},
	{rule: "KUDO033", name: "trigger", edits: []edit{{prm, "  default: oldest", "  default: oldest\n  trigger: front"}, {fw, "    - name: cleanup\n", "    - name: front\n      phases: [{name: front, steps: [{name: front, tasks: [{task: front}]}]}]\n    - name: cleanup\n"}}, on: "trigger: front"},
	{rule: "KUDO034", name: "title", edits: []edit{{prm, "displayName: Storage", "displayName: memory"}}, on: "displayName: memory"},
	{rule: "KUDO036", name: "keyword", edits: parameter("- {name: in, description: A., default: a}", "in"), on: "name: in"},
	{rule: "KUDO037", name: "pattern", edits: []edit{{prm, "- name: members\n", "- {name: code, description: A., required: true, schema: {type: string, pattern: '^[a-z]+$', minLength: 9}}\n- name: members\n"}}, on: "name: code", says: "the schema of code"},
	{rule: "KUDO035", name: "default", edits: []edit{{prm, "- name: members\n", "- {name: tls, description: A., secretRef: true, default: tls}\n- name: members\n"}, {set, "configMap: {name: {{ .Name }}-config}", "projected: {sources: [{configMap: {name: {{ .Name }}-config}}, {secret: {name: {{ .Params.tls }}}}]}"}}, on: "name: tls"},
}

var templateCases = []sick{
	{rule: "KUDO040", name: "syntax", edits: []edit{{cfg, "{{ .Params.policy }}", "{{ .Params.policy"}}, says: "config.yaml:12"},
	{rule: "KUDO040", name: "function", edits: []edit{{cfg, "{{ .Params.policy }}", "{{ env \"HOME\" }}"}}, on: "env"},
	{rule: "KUDO041", name: "unknown", edits: []edit{{cfg, ".Params.policy", ".Params.polcy"}}, on: "polcy", says: "policy"},
	{rule: "KUDO042", name: "null", edits: []edit{{cfg, "{{ .Params.policy }}", "{{ .Old }}"}}, on: ".Old"},
	{rule: "KUDO042", name: "extreme", edits: []edit{{cfg, "{{ .Params.policy }}", "{{ .Params.policy }}{{ if eq .Params.policy \"newest\" }}{{ fail \"not newest\" }}{{ end }}"}}, on: "fail"},
	{rule: "KUDO043", name: "cluster scope", edits: []edit{{cfg, "kind: ConfigMap", "kind: Namespace"}}, says: "Namespace"},
	{rule: "KUDO044", name: "template", edits: []edit{{"templates/idle.yaml", "", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Name }}}\n"}}, on: "apiVersion"},
	{rule: "KUDO045", name: "block", edits: []edit{{tpl, "{{- define \"store.secure\" -}}", "{{- define \"store.idle\" -}}x{{ end }}\n{{- define \"store.secure\" -}}"}}, on: "store.idle"},
	{rule: "KUDO046", name: "empty", edits: []edit{{cfg, "apiVersion", "{{ if false }}\napiVersion"}, {cfg, "{{ .Params.policy }}", "{{ .Params.policy }}\n{{ end }}"}}, on: "if false"},
	{rule: "KUDO047", name: "namespace", edits: []edit{{front, "  name: {{ .Name }}-front\n", "  name: {{ .Name }}-front\n  namespace: sample\n"}}, on: "namespace: sample"},
	{rule: "KUDO048", name: "name", edits: []edit{{front, "  name: {{ .Name }}-front\n", "  name: front\n"}}, on: "name: front"},
	{rule: "KUDO049", name: "cluster scope", edits: []edit{{cfg, "apiVersion", "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata:\n  name: {{ .Name }}\nvalue: 1\n---\napiVersion"}, {fw, "  observe:", "  permissions: [{group: scheduling.k8s.io, kind: PriorityClass}]\n  observe:"}}, on: "name: {{ .Name }}"},
	{rule: "KUDO050", name: "missing", edits: []edit{{front, "      containers:\n", "      volumes: [{name: x, secret: {secretName: front-tls}}]\n      containers:\n"}}, on: "containers:", says: "front-tls"},
	{rule: "KUDO051", name: "stale", edits: []edit{{set, "      annotations:\n        checksum/config: {{ .Params.policy | sha256sum }}\n", ""}}, on: "template:", says: "ConfigMap <instance>-config"},

	{rule: "KUDO053", name: "underscore", edits: []edit{{front, "  name: {{ .Name }}-front\n", "  name: {{ .Name }}_front\n"}}, on: "_front"},
	{rule: "KUDO053", name: "container", edits: []edit{{front, "- name: front\n          image", "- name: Front\n          image"}}, on: "name: Front"},
	{rule: "KUDO054", name: "long", edits: []edit{{cfg, "    part: config", "    part: {{ .Name }}-{{ .Name }}"}}, on: "part:"},
	{rule: "KUDO055", name: "set", edits: []edit{{set, "  name: {{ .Name }}\n", "  name: {{ .Name }}-store-members\n"}}, on: "store-members"},
	{rule: "KUDO056", name: "selector", edits: []edit{{front, "matchLabels: {app: {{ .Name }}-front}", "matchLabels: {app: front}"}, {front, "labels: {app: {{ .Name }}-front}", "labels: {app: front}"}}, on: "selector:"},
	{rule: "KUDO057", name: "twice", edits: []edit{{front, "apiVersion", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Name }}-config\ndata: {a: b}\n---\napiVersion"}}, on: "name:"},

	{rule: "KUDO090", name: "field", edits: []edit{{set, "  podManagementPolicy: Parallel", "  podManagmentPolicy: Parallel"}}, on: "podManagment"},
	{rule: "KUDO090", name: "place", edits: []edit{{front, "          ports:\n", "          replicas: 1\n          ports:\n"}}, on: "replicas: 1", says: "containers[0].replicas"},
	{rule: "KUDO091", name: "text", edits: []edit{{set, "replicas: {{ .Params.members }}", "replicas: {{ .Params.members | quote }}"}}, on: "replicas", says: "integer"},
	{rule: "KUDO092", name: "selector", edits: []edit{{front, "  selector:\n    matchLabels: {app: {{ .Name }}-front}\n", ""}}, on: "spec:", says: "spec.selector"},
	{rule: "KUDO092", name: "mount", edits: []edit{{set, "{name: data, mountPath: /data}", "{name: data}"}}, says: "mountPath"},
	{rule: "KUDO093", name: "budget", edits: []edit{{svc, "apiVersion: policy/v1", "apiVersion: policy/v1beta1"}}, on: "policy/v1beta1", says: "use policy/v1"},
	{rule: "KUDO093", name: "autoscaler", edits: []edit{{front, "apiVersion: apps/v1", "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: {{ .Name }}-x}\nspec: {scaleTargetRef: {kind: Deployment, name: {{ .Name }}-front}}\n---\napiVersion: apps/v1"}}, on: "v2beta2", says: "1.26"},
	{rule: "KUDO094", name: "beta", edits: []edit{{front, "apiVersion: apps/v1", "apiVersion: resource.k8s.io/v1beta1\nkind: ResourceClaim\nmetadata: {name: {{ .Name }}-x}\nspec: {}\n---\napiVersion: apps/v1"}}, on: "v1beta1", says: "1.38"},
	{rule: "KUDO091", name: "quantity", edits: []edit{{front, "limits: {memory: 64Mi}", "limits: {memory: 64MB}"}}, says: "quantities"},
	{rule: "KUDO096", name: "seccomp", edits: []edit{{front, "      labels: {app: {{ .Name }}-front}\n", "      labels: {app: {{ .Name }}-front}\n      annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}\n"}}, on: "seccomp.security", says: "seccompProfile"},
	{rule: "KUDO096", name: "topology", edits: []edit{{set, "topologyKey: kubernetes.io/hostname", "topologyKey: failure-domain.beta.kubernetes.io/zone"}}, says: "topology.kubernetes.io"},
	{rule: "KUDO097", name: "case", edits: []edit{{set, "podManagementPolicy: Parallel", "podManagementPolicy: parallel"}}, on: "podManagementPolicy: parallel", says: "OrderedReady"},
	{rule: "KUDO097", name: "type", edits: []edit{{svc, "type: ClusterIP", "type: Cluster"}}, on: "type: Cluster", says: "LoadBalancer"},
	{rule: "KUDO097", name: "modes", edits: []edit{{set, "accessModes: [ReadWriteOnce]", "accessModes: [RWO]"}}, on: "accessModes", says: "RWO"},
	{rule: "KUDO095", name: "unknown", edits: []edit{{front, "apiVersion: apps/v1", "apiVersion: apps/v2"}}, on: "apps/v2", says: "apps/v1"},
}
