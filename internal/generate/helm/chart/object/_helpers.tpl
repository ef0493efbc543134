{{- /* [[ .Header ]] */ -}}

{{- define "kudo.name" -}}
{{- $name := .Values.name | default .Release.Name -}}
{{- if or (gt (len $name) [[ .MaxName ]]) (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name)) -}}
{{- fail (printf "the object can not be named %q: set name to at most [[ .MaxName ]] lower-case letters, digits and '-', starting with a letter" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "kudo.account" -}}
{{- .Values.serviceAccount.name | default (printf "%s-installer" (include "kudo.name" .)) -}}
{{- end -}}

{{- /* Labels of what stands beside the object: it keeps them when the release is gone. */ -}}
{{- define "kudo.labels" -}}
app.kubernetes.io/name: [[ .Framework.Name ]]
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* What is kept: without its rights, Kudo could not clean up after the object is deleted. */ -}}
{{- define "kudo.keep" -}}
helm.sh/resource-policy: keep
{{- end -}}
