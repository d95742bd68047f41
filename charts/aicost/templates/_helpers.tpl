{{- define "aicost.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "aicost.serviceAccount" -}}
{{- default (include "aicost.name" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "aicost.labels" -}}
app.kubernetes.io/name: aicost
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "aicost.selector" -}}
app.kubernetes.io/name: aicost
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "aicost.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{/* The settings file, from the values that concern it. */}}
{{- define "aicost.settings" -}}
version: 1
cluster:
  id: {{ .Values.cluster.id | quote }}
window:
  {{- toYaml .Values.window | nindent 2 }}
ledger:
  url: {{ default "/var/lib/aicost/ledger" .Values.ledger.url | quote }}
  storageOptions:
    {{- toYaml .Values.ledger.storageOptions | nindent 4 }}
journal:
  path: /var/lib/aicost/journal.sqlite
telemetry:
  source: {{ .Values.telemetry.source }}
  intervalSeconds: {{ .Values.telemetry.intervalSeconds }}
  prometheus:
    {{- $prometheus := .Values.telemetry.prometheus }}
    {{- toYaml (omit $prometheus "secretName" "secretKeys") | nindent 4 }}
    {{- if $prometheus.secretName }}
    {{- range $key, $field := dict "token" "bearerTokenFile" "password" "basicPasswordFile" "ca.crt" "caFile" "tls.crt" "clientCertFile" "tls.key" "clientKeyFile" }}
    {{- if has $key $prometheus.secretKeys }}
    {{ $field }}: /etc/aicost/prometheus/{{ $key }}
    {{- end }}
    {{- end }}
    {{- end }}
  scrape:
    {{- toYaml .Values.telemetry.scrape | nindent 4 }}
prices:
  starterFile: {{ if .Values.prices.starter }}/etc/aicost/starter-prices.yaml{{ else }}""{{ end }}
reports:
  {{- toYaml .Values.reports | nindent 2 }}
server:
  metricsPort: {{ .Values.metrics.port }}
  queryPort: {{ .Values.queryApi.port }}
  certificateDir: {{ if .Values.queryApi.enabled }}/etc/aicost/tls{{ else }}""{{ end }}
leader:
  name: {{ include "aicost.name" . }}-controller
  namespace: {{ .Release.Namespace }}
logLevel: {{ .Values.log.level }}
logFormat: {{ .Values.log.format }}
{{- end -}}

{{/* Refuse a pair of values that would lose or double money. */}}
{{- define "aicost.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.ledger.url) (ne .Values.persistence.accessMode "ReadWriteMany") -}}
{{- fail (printf "replicas: %d needs a ledger that all replicas reach: set ledger.url to an object store, or persistence.accessMode to ReadWriteMany with a storage class that offers it" (int .Values.replicas)) -}}
{{- end -}}
{{- end -}}
