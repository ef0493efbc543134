{{- /*
Blocks that the other templates share. Those that depend on the size of the
ensemble take a dict of root (the values of the template) and count, because a
change of nodeCount passes through the size in between (halfway.yaml).
*/ -}}

{{- define "zookeeper.selector" -}}
app.kubernetes.io/name: zookeeper
app.kubernetes.io/instance: {{ .Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "zookeeper.image" -}}
{{ printf "%s:%s" .Params.image .Version.app | quote }}
{{- end }}

{{- /* What both servers and jobs say about their pods. */ -}}
{{- define "zookeeper.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Params.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Params.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Params.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "zookeeper.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "zookeeper.zoo.cfg" -}}
{{- $root := .root -}}
dataDir=/data
clientPort=2181
tickTime={{ $root.Params.tickTime }}
initLimit={{ $root.Params.initLimit }}
syncLimit={{ $root.Params.syncLimit }}
maxClientCnxns={{ $root.Params.maxClientConnections }}
autopurge.snapRetainCount={{ $root.Params.snapRetainCount }}
autopurge.purgeInterval={{ $root.Params.purgeInterval }}
# Needed by probes and jobs; the other commands tell strangers too much.
4lw.commands.whitelist=ruok,srvr,mntr
admin.enableServer=false
# A pod's own name may not resolve yet when it starts to listen.
quorumListenOnAllIPs=true
# A lone server runs the quorum protocol too, so that it can grow.
standaloneEnabled=false
reconfigEnabled=false
{{- if $root.Params.metrics }}
metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
metricsProvider.httpPort={{ $root.Params.metricsPort }}
metricsProvider.exportJvmInfo=true
{{- end }}
{{- range $i := until (int .count) }}
server.{{ add1 $i }}={{ $root.Name }}-{{ $i }}.{{ $root.Name }}-headless.{{ $root.Namespace }}.svc:2888:3888
{{- end }}
{{- end }}

{{- /* Finds ZooKeeper's jars: $lib. */ -}}
{{- define "zookeeper.lib.sh" -}}
# The official image has them in lib beside bin, Debian's package in /usr/share/java.
lib=/usr/share/java
if zk_server=$(command -v zkServer.sh); then
  lib=$(dirname "$(dirname "$(readlink -f "$zk_server")")")/lib
fi
if ! compgen -G "$lib/zookeeper*.jar" >/dev/null; then
  echo "this image has no ZooKeeper in $lib" >&2
  exit 1
fi
{{- if .Params.metrics }}
if ! compgen -G "$lib/zookeeper-prometheus-metrics*.jar" >/dev/null; then
  echo "this image has no zookeeper-prometheus-metrics jar in $lib: set metrics to false, or take another image" >&2
  exit 1
fi
{{- end }}
{{- end }}

{{- define "zookeeper.start.sh" -}}
#!/usr/bin/env bash
# Starts one server. What differs between servers comes from the pod's name.
set -euo pipefail

id=$((${POD_NAME##*-} + 1))
if ! grep -q "^server\.$id=" /config/zoo.cfg; then
  echo "server $id is not a member of this ensemble" >&2
  exit 1
fi
# A volume that belongs to another server would vote twice.
if [[ -s /data/myid && "$(</data/myid)" != "$id" ]]; then
  echo "the volume belongs to server $(</data/myid), but this is server $id" >&2
  exit 1
fi
echo "$id" >/data/myid.new
mv /data/myid.new /data/myid
# The server writes beside its configuration, which is mounted read-only.
cp /config/zoo.cfg /run/zookeeper/zoo.cfg

{{ include "zookeeper.lib.sh" . }}

read -ra options <<<"${JVM_OPTIONS:-}"
# Addresses of pods change: the JVM must not remember them for long.
exec java \
  "-XX:InitialRAMPercentage=$HEAP_PERCENT" "-XX:MaxRAMPercentage=$HEAP_PERCENT" \
  -XX:+ExitOnOutOfMemoryError \
  -Dsun.net.inetaddr.ttl=10 -Dsun.net.inetaddr.negative.ttl=1 \
  -Dlogback.configurationFile=/config/logback.xml \
  "${options[@]}" \
  -cp "/run/zookeeper:$lib/*" \
  org.apache.zookeeper.server.quorum.QuorumPeerMain /run/zookeeper/zoo.cfg
{{- end }}

{{- define "zookeeper.config" -}}
{{- $root := .root -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $root.Name }}-config
  namespace: {{ $root.Namespace }}
data:
  zoo.cfg: |
    {{- include "zookeeper.zoo.cfg" . | nindent 4 }}
  start.sh: |
    {{- include "zookeeper.start.sh" $root | nindent 4 }}
  probe.sh: |
    #!/usr/bin/env bash
    # probe.sh live: the process answers. probe.sh ready: it serves, so it is part of a quorum.
    set -uo pipefail
    ask() {
      exec 3<>/dev/tcp/127.0.0.1/2181 || exit 1
      printf '%s' "$1" >&3
      cat <&3
    }
    case "${1:-}" in
      live) [[ "$(ask ruok)" == imok ]] ;;
      ready) [[ "$(ask srvr)" == *"Mode: "* ]] ;;
      *) exit 2 ;;
    esac
  logback.xml: |
    <configuration scan="true" scanPeriod="30 seconds">
      <appender name="CONSOLE" class="ch.qos.logback.core.ConsoleAppender">
        <encoder><pattern>%d{ISO8601} [myid:%X{myid}] - %-5p [%t:%C{1}@%L] - %m%n</pattern></encoder>
      </appender>
      <root level="{{ $root.Params.logLevel }}"><appender-ref ref="CONSOLE"/></root>
    </configuration>
{{- end }}

{{- define "zookeeper.statefulset" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $root.Name }}
  namespace: {{ $root.Namespace }}
spec:
  serviceName: {{ $root.Name }}-headless
  replicas: {{ .count }}
  # A server is ready when it is part of a quorum, so the first one cannot be ready
  # before the second one has started. Rolling updates go one by one all the same.
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      partition: 0
  minReadySeconds: {{ $root.Params.minReadySeconds }}
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: Retain
    whenScaled: Retain
  selector:
    matchLabels:
      {{- include "zookeeper.selector" $root | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "zookeeper.selector" $root | nindent 8 }}
      annotations:
        # What a server reads at its start: pods restart when this changes. logback.xml
        # and probe.sh are read again by themselves and are left out.
        checksum/config: {{ printf "%s\n%s" (include "zookeeper.zoo.cfg" .) (include "zookeeper.start.sh" $root) | sha256sum }}
    spec:
      {{- include "zookeeper.pod" $root | nindent 6 }}
      terminationGracePeriodSeconds: {{ $root.Params.terminationGracePeriodSeconds }}
      affinity:
        podAntiAffinity:
          {{- if eq $root.Params.podAntiAffinity "hard" }}
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels:
                  {{- include "zookeeper.selector" $root | nindent 18 }}
          {{- else }}
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    {{- include "zookeeper.selector" $root | nindent 20 }}
          {{- end }}
      topologySpreadConstraints:
        - topologyKey: topology.kubernetes.io/zone
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "zookeeper.selector" $root | nindent 14 }}
      containers:
        - name: zookeeper
          image: {{ include "zookeeper.image" $root }}
          imagePullPolicy: {{ $root.Params.imagePullPolicy }}
          command: [bash, /config/start.sh]
          env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: HEAP_PERCENT
              value: {{ $root.Params.heapPercent | quote }}
            - name: JVM_OPTIONS
              value: {{ $root.Params.jvmOptions | quote }}
          ports:
            - {name: client, containerPort: 2181}
            - {name: server, containerPort: 2888}
            - {name: election, containerPort: 3888}
            {{- if $root.Params.metrics }}
            - {name: metrics, containerPort: {{ $root.Params.metricsPort }}}
            {{- end }}
          resources:
            requests:
              cpu: {{ $root.Params.cpu | quote }}
              memory: {{ $root.Params.memory | quote }}
            limits:
              memory: {{ $root.Params.memory | quote }}
          securityContext:
            {{- include "zookeeper.container.security" $root | nindent 12 }}
          # Loading a large snapshot takes minutes, in which the server does not answer.
          startupProbe:
            exec:
              command: [bash, /config/probe.sh, live]
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 180
          # Not whether it serves: a server that waits for a quorum must not be killed for it.
          livenessProbe:
            exec:
              command: [bash, /config/probe.sh, live]
            periodSeconds: 15
            timeoutSeconds: 10
            failureThreshold: 4
          readinessProbe:
            exec:
              command: [bash, /config/probe.sh, ready]
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          lifecycle:
            preStop:
              # Until the service has forgotten this pod, clients would come back to it.
              exec:
                command: [sleep, "5"]
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: config, mountPath: /config, readOnly: true}
            - {name: run, mountPath: /run/zookeeper}
            - {name: tmp, mountPath: /tmp}
      volumes:
        - name: config
          configMap:
            name: {{ $root.Name }}-config
        - name: run
          emptyDir:
            sizeLimit: 16Mi
        - name: tmp
          emptyDir:
            sizeLimit: 256Mi
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $root.Params.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources:
          requests:
            storage: {{ $root.Params.storage | quote }}
{{- end }}
