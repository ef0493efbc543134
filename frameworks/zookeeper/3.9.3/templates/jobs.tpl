{{- /* The programs of the jobs, and the Job around them. */ -}}

{{- /* Shell functions of both jobs: ask every server for its role. */ -}}
{{- define "zookeeper.survey.sh" -}}
# role HOST prints leader or follower, or nothing if the server does not serve.
role() {
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/2181" && printf srvr >&3 && cat <&3' "$1" 2>/dev/null |
    sed -n 's/^Mode: //p' || true
}
# survey HOST... sets roles (by position), leaders, followers and report.
survey() {
  roles=() leaders=0 followers=0 report=""
  local host r
  for host in "$@"; do
    r=$(role "$host")
    roles+=("$r")
    case "$r" in
      leader) leaders=$((leaders + 1)) ;;
      follower) followers=$((followers + 1)) ;;
    esac
    report+=" ${host%%.*}=${r:-down}"
  done
}
{{- end }}

{{- define "zookeeper.preflight.sh" -}}
set -euo pipefail
{{ include "zookeeper.survey.sh" . }}

# The job runs the image that the servers get: one in which they can not start is found
# out here, before any of them restarts.
{{ include "zookeeper.lib.sh" . }}

# The ensemble as it is configured now, which need not be what a plan last asked for.
if [[ ! -f /live/zoo.cfg ]]; then
  echo "there is no configuration yet, so there is no quorum to lose"
  exit 0
fi
mapfile -t hosts < <(sed -n 's/^server\.[0-9]*=\([^:]*\):.*/\1/p' /live/zoo.cfg)
live=${#hosts[@]}
larger=$((live > TARGET ? live : TARGET))
if ((live / 2 + TARGET / 2 + 2 <= larger)); then
  echo "refused: the servers are configured for $live, the next size is $TARGET; two majorities could exist at once." >&2
  echo "Set nodeCount to $((live % 2 ? live : live - 1)), let that plan succeed, then go on." >&2
  exit 1
fi

# judge says in refusal why the change would cost the quorum, or nothing.
judge() {
  refusal=""
  local i down=0
  if ((leaders != 1)); then
    refusal="$leaders servers lead instead of one"
    return
  fi
  for ((i = 0; i < live; i++)); do
    [[ -n "${roles[i]}" ]] && continue
    # Servers above the new size leave first, so all others are needed.
    if ((TARGET < live && i < TARGET)); then
      refusal="${hosts[i]%%.*} must serve before the ensemble shrinks to $TARGET"
    fi
    # The last server restarts first; with it away, the others must hold the quorum.
    ((i < live - 1)) && down=$((down + 1))
  done
  if ((live > 2 && down + 1 > (live - 1) / 2)); then
    refusal="with $down servers down, restarting another one loses the quorum"
  fi
}

while true; do
  survey "${hosts[@]}"
  judge
  echo "$SECONDS s:$report${refusal:+ ($refusal)}"
  [[ -z "$refusal" ]] && break
  if ((SECONDS >= PATIENCE)); then
    if ((leaders == 0 && TARGET >= live)); then
      echo "there is no quorum to lose; going ahead"
      exit 0
    fi
    echo "refused: $refusal. Repair that, or set the parameter preflight to false to go ahead all the same." >&2
    exit 1
  fi
  sleep 3
done
echo "the ensemble can spare a server"
{{- end }}

{{- define "zookeeper.verify.sh" -}}
set -euo pipefail
{{ include "zookeeper.survey.sh" . }}

read -ra hosts <<<"$SERVERS"
while true; do
  survey "${hosts[@]}"
  echo "$SECONDS s:$report"
  ((leaders == 1 && followers == ${#hosts[@]} - 1)) && break
  if ((SECONDS >= PATIENCE)); then
    echo "failed: expected one leader and $((${#hosts[@]} - 1)) followers" >&2
    exit 1
  fi
  sleep 3
done
if [[ "$WRITE" != true ]]; then
  echo "every server serves; writing was not asked for"
  exit 0
fi

{{ include "zookeeper.lib.sh" . }}
# The client's log would drown its answers.
echo '<configuration/>' >/tmp/logback.xml
zk() {
  timeout 60 java -Xmx64m -Dlogback.configurationFile=/tmp/logback.xml -cp "$lib/*" \
    org.apache.zookeeper.ZooKeeperMain -timeout 20000 -server "$1:2181" "${@:2}" 2>&1
}
value="$PLAN_EXECUTION_ID-$ATTEMPT"
path="/kudo-verify-$value"
# holds HOST: the server has the value. A follower may lag behind, and an answer may be lost.
holds() {
  local try
  for try in 1 2 3 4 5; do
    answer=$(zk "$1" get "$path") || true
    grep -qxF "$value" <<<"$answer" && return 0
    sleep "$try"
  done
  echo "failed: $1 does not hold what was written: $answer" >&2
  return 1
}
trap 'zk "$CLIENT" delete "$path" >/dev/null || true' EXIT
# A pod of a Job may be started twice: what counts is that the value is there.
created=$(zk "$CLIENT" create "$path" "$value") || true
if ! holds "$CLIENT"; then
  echo "failed: writing through $CLIENT: $created" >&2
  exit 1
fi
for host in "${hosts[@]}"; do
  holds "$host"
done
echo "every server serves and holds what was written through $CLIENT"
{{- end }}

{{- /* A job of one script; takes a dict of root, name, script, env and live (mount the configuration). */ -}}
{{- define "zookeeper.job" -}}
{{- $root := .root -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $root.Name }}-{{ .name }}
  namespace: {{ $root.Namespace }}
spec:
  # Includes the time to pull an image that the node does not have yet.
  activeDeadlineSeconds: 900
  template:
    metadata:
      labels:
        app.kubernetes.io/name: zookeeper
        app.kubernetes.io/instance: {{ $root.Name }}
        app.kubernetes.io/component: {{ .name }}
    spec:
      restartPolicy: Never
      {{- include "zookeeper.pod" $root | nindent 6 }}
      containers:
        - name: {{ .name }}
          image: {{ include "zookeeper.image" $root }}
          imagePullPolicy: {{ $root.Params.imagePullPolicy }}
          command: [bash, -c]
          args:
            - |
              {{- include .script $root | nindent 14 }}
          env:
            {{- range $name, $value := .env }}
            - name: {{ $name }}
              value: {{ $value | quote }}
            {{- end }}
          resources:
            requests: {cpu: 100m, memory: 256Mi}
            limits: {memory: 256Mi}
          securityContext:
            {{- include "zookeeper.container.security" $root | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if .live }}
            - {name: live, mountPath: /live, readOnly: true}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        {{- if .live }}
        - name: live
          configMap:
            name: {{ $root.Name }}-config
            optional: true
        {{- end }}
{{- end }}
