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

{{- define "aicost.admissionSelector" -}}
app.kubernetes.io/name: aicost
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: admission
{{- end -}}

{{- define "aicost.agentSelector" -}}
app.kubernetes.io/name: aicost
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end -}}

{{/* Whether pods of ours are asked at admission: yes, or empty. */}}
{{- define "aicost.webhook" -}}
{{- if and .Values.admission.enabled (ne .Values.admission.engine "vap") }}yes{{ end -}}
{{- end -}}

{{/* User names that make pods for owners: those of Kubernetes, as the settings have them, and those of the values. */}}
{{- define "aicost.controllers" -}}
- system:kube-controller-manager
{{- range list "replicaset" "deployment" "statefulset" "daemon-set" "job" "cronjob" "replication" }}
- system:serviceaccount:kube-system:{{ . }}-controller
{{- end }}
{{- range concat .Values.admission.controllers .Values.guards.controllers | uniq }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Namespaces whose objects are never judged. */}}
{{- define "aicost.systemNamespaces" -}}
- kube-system
- kube-node-lease
- kube-public
- gatekeeper-system
- {{ .Release.Namespace }}
{{- range .Values.admission.excludedNamespaces }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "aicost.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{/* The Secret with the certificate of the query API: somebody's, or the one that the chart makes. */}}
{{- define "aicost.querySecret" -}}
{{- default (printf "%s-query-tls" (include "aicost.name" .)) .Values.queryApi.certificateSecretName -}}
{{- end -}}

{{/* Name of the annotation by which somebody else writes the authority into the APIService. */}}
{{- define "aicost.caInjector" -}}
{{- range $name, $_ := .Values.queryApi.apiServiceAnnotations }}{{ if contains "/inject-" $name }}{{ $name }}{{ end }}{{ end -}}
{{- end -}}

{{/* The journal is one process's own: on the volume, or beside a volume that replicas share. */}}
{{- define "aicost.journalFolder" -}}
{{ if gt (int .Values.replicas) 1 }}/var/lib/aicost-journal{{ else }}/var/lib/aicost{{ end }}
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
    {{- toYaml (default dict .Values.ledger.storageOptions) | nindent 4 }}
  {{- if .Values.ledger.secretName }}
  storageOptionFiles:
    {{- range $option, $key := .Values.ledger.secretOptions }}
    {{ $option }}: /etc/aicost/ledger/{{ $key }}
    {{- end }}
  {{- end }}
  retentionDays: {{ .Values.ledger.retentionDays }}
  countAccounts: {{ .Values.ledger.countAccounts }}
  inputs:
    {{- toYaml .Values.ledger.inputs | nindent 4 }}
journal:
  path: {{ include "aicost.journalFolder" . }}/journal.sqlite
  retentionHours: {{ .Values.journal.retentionHours }}
telemetry:
  source: {{ .Values.telemetry.source }}
  intervalSeconds: {{ .Values.telemetry.intervalSeconds }}
  collectionSeconds: {{ .Values.telemetry.collectionSeconds }}
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
components:
  {{- toYaml .Values.components | nindent 2 }}
sharing:
  {{- toYaml .Values.sharing | nindent 2 }}
prices:
  starterFile: {{ if .Values.prices.starter }}/etc/aicost/starter-prices.yaml{{ else }}""{{ end }}
  http:
    {{- $http := .Values.prices.http }}
    {{- toYaml (omit $http "secretName" "secretKeys") | nindent 4 }}
    {{- if $http.secretName }}
    {{- range $key, $field := dict "token" "tokenFile" "ca.crt" "caFile" }}
    {{- if has $key $http.secretKeys }}
    {{ $field }}: /etc/aicost/prices/{{ $key }}
    {{- end }}
    {{- end }}
    {{- end }}
reports:
  {{- toYaml .Values.reports | nindent 2 }}
server:
  metricsPort: {{ .Values.metrics.port }}
  queryPort: {{ .Values.queryApi.port }}
  queryCallers: {{ if .Values.queryApi.apiService }}front-proxy{{ else }}users{{ end }}
  certificateDir: {{ if .Values.queryApi.enabled }}/etc/aicost/tls{{ else }}""{{ end }}
admission:
  enabled: {{ .Values.admission.enabled }}
  engine: {{ .Values.admission.engine }}
  guards: {{ .Values.guards.enabled }}
  port: {{ .Values.admission.port }}
  metricsPort: {{ .Values.admission.metricsPort }}
  certificateDir: {{ if .Values.admission.certificateSecretName }}/etc/aicost/admission-tls{{ else }}""{{ end }}
  secret: {{ include "aicost.name" . }}-admission-tls
  service: {{ include "aicost.name" . }}-admission
  configuration: {{ include "aicost.name" . }}
  namespace: {{ .Release.Namespace }}
  controllers:
    {{- include "aicost.controllers" . | nindent 4 }}
  systemNamespaces:
    {{- include "aicost.systemNamespaces" . | nindent 4 }}
budgets:
  {{- toYaml .Values.budgets | nindent 2 }}
notifications:
  timeoutSeconds: {{ .Values.notifications.timeoutSeconds }}
  allowHttp: {{ .Values.notifications.allowHttp }}
  allowedSchemes: {{ toJson (default list .Values.notifications.allowedSchemes) }}
  runbookBase: {{ .Values.notifications.runbookBase | quote }}
  {{- if .Values.notifications.routes }}
  routes:
    {{- range .Values.notifications.routes }}
    - name: {{ .name | quote }}
      kind: {{ default "cloudevents" .kind }}
      urlFile: /etc/aicost/notify/{{ .name }}/url
      {{- if .tokenKey }}
      tokenFile: /etc/aicost/notify/{{ .name }}/token
      {{- end }}
      namespaces: {{ toJson (default list .namespaces) }}
      teams: {{ toJson (default list .teams) }}
      finops: {{ default false .finops }}
      minUrgency: {{ default "info" .minUrgency }}
    {{- end }}
  {{- end }}
privacy:
  customerKeyFile: {{ if .Values.privacy.customerKeySecretName }}/etc/aicost/privacy/key{{ else }}""{{ end }}
leader:
  name: {{ include "aicost.name" . }}-controller
  namespace: {{ .Release.Namespace }}
logLevel: {{ .Values.log.level }}
logFormat: {{ .Values.log.format }}
{{- end -}}

{{/* Refuse values that are fine one by one and would lose or double money together. */}}
{{- define "aicost.check" -}}
{{- include "aicost.checkReplicas" . -}}
{{- include "aicost.checkRetention" . -}}
{{- include "aicost.checkLedger" . -}}
{{- include "aicost.checkCredentials" . -}}
{{- include "aicost.checkRoutes" . -}}
{{- if include "aicost.webhook" . }}{{ include "aicost.checkAdmission" . }}{{ end -}}
{{- if .Values.queryApi.enabled }}{{ include "aicost.checkCertificate" . }}{{ end -}}
{{- end -}}

{{- define "aicost.checkReplicas" -}}
{{- $shared := and .Values.persistence.enabled (eq .Values.persistence.accessMode "ReadWriteMany") -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- if not (or .Values.ledger.url $shared) -}}
{{- fail (printf "replicas: %d needs a ledger that all replicas reach: set ledger.url to an object store, or persistence.accessMode to ReadWriteMany with a storage class that offers it" (int .Values.replicas)) -}}
{{- else if and .Values.persistence.enabled (not $shared) -}}
{{- fail (printf "replicas: %d cannot mount one %s volume: with ledger.url set, set persistence.enabled to false, or persistence.accessMode to ReadWriteMany" (int .Values.replicas) .Values.persistence.accessMode) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "aicost.checkLedger" -}}
{{- $ledger := .Values.ledger -}}
{{- if and $ledger.secretName (not $ledger.secretOptions) -}}
{{- fail (printf "ledger.secretName: %q is given without secretOptions: say which option of the store is in which key of the Secret, such as AWS_SECRET_ACCESS_KEY: secretAccessKey" $ledger.secretName) -}}
{{- else if and $ledger.secretOptions (not $ledger.secretName) -}}
{{- fail "ledger.secretOptions is given without secretName: name the Secret that has them" -}}
{{- else if and $ledger.secretName (not $ledger.url) -}}
{{- fail (printf "ledger.secretName: %q is for an object store: set ledger.url" $ledger.secretName) -}}
{{- else if and (gt (int $ledger.retentionDays) 0) (lt (int $ledger.retentionDays) 35) -}}
{{- fail (printf "ledger.retentionDays: %d: a month's report needs 35 days: write so many or more, or 0 for ever" (int $ledger.retentionDays)) -}}
{{- end -}}
{{- range $name, $value := $ledger.storageOptions -}}
{{- if and (regexMatch "secret|token|password|account_key|access_key$|master_key|sas_key" (lower $name)) (not (regexMatch "_(file|path)$" (lower $name))) -}}
{{- fail (printf "ledger.storageOptions.%s is a secret: put it into a Secret, and name that in ledger.secretName and ledger.secretOptions" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "aicost.checkRetention" -}}
{{- $minutes := mul (add (int .Values.window.revisit) 2) (ternary 15 60 (eq .Values.window.length "15m")) -}}
{{- if lt (mul (int .Values.journal.retentionHours) 60) $minutes -}}
{{- fail (printf "journal.retentionHours: %d is too short for window.revisit: %d, which needs samples of %d hours" (int .Values.journal.retentionHours) (int .Values.window.revisit) (div (add $minutes 59) 60)) -}}
{{- end -}}
{{- end -}}

{{- define "aicost.checkCredentials" -}}
{{- $prometheus := .Values.telemetry.prometheus -}}
{{- if and (eq .Values.telemetry.source "scrape") $prometheus.url -}}
{{- fail (printf "telemetry.prometheus.url: %q and telemetry.source: scrape contradict each other: take one of them out" $prometheus.url) -}}
{{- else if and $prometheus.secretName (not $prometheus.secretKeys) -}}
{{- fail (printf "telemetry.prometheus.secretName: %q is given without secretKeys: list the keys of the Secret to use, of token, password, ca.crt, tls.crt and tls.key" $prometheus.secretName) -}}
{{- else if and $prometheus.secretKeys (not $prometheus.secretName) -}}
{{- fail "telemetry.prometheus.secretKeys is given without secretName: name the Secret that has them" -}}
{{- else if ne (has "password" $prometheus.secretKeys) (ne $prometheus.basicUser "") -}}
{{- fail "telemetry.prometheus.basicUser and the key password in secretKeys belong together: give both or neither" -}}
{{- else if ne (has "tls.crt" $prometheus.secretKeys) (has "tls.key" $prometheus.secretKeys) -}}
{{- fail "tls.crt and tls.key in telemetry.prometheus.secretKeys belong together: give both or neither" -}}
{{- end -}}
{{- $prices := .Values.prices.http -}}
{{- if and $prices.secretName (not $prices.secretKeys) -}}
{{- fail (printf "prices.http.secretName: %q is given without secretKeys: list the keys of the Secret to use, of token and ca.crt" $prices.secretName) -}}
{{- else if and $prices.secretKeys (not $prices.secretName) -}}
{{- fail "prices.http.secretKeys is given without secretName: name the Secret that has them" -}}
{{- end -}}
{{- end -}}

{{- define "aicost.checkRoutes" -}}
{{- $names := list -}}
{{- range .Values.notifications.routes -}}
{{- if has .name $names -}}
{{- fail (printf "notifications.routes: two are called %q: give one of them another name" .name) -}}
{{- else if and .tokenKey (eq (default "cloudevents" .kind) "apprise") -}}
{{- fail (printf "notifications.routes: tokenKey of %q is for kind cloudevents: a URL of Apprise holds its own" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}

{{- define "aicost.checkAdmission" -}}
{{- $admission := .Values.admission -}}
{{- $injector := "" -}}
{{- range $name, $_ := $admission.webhookAnnotations }}{{ if contains "/inject-" $name }}{{ $injector = $name }}{{ end }}{{ end -}}
{{- if gt (add (int $admission.timeoutSeconds.validate) (int $admission.timeoutSeconds.mutate)) 4 -}}
{{- fail "admission.timeoutSeconds: validate and mutate may be 4 seconds together: with a webhook that does not answer, each object waits for both" -}}
{{- else if and $admission.certificateSecretName (not (or $admission.caBundle $injector)) -}}
{{- fail (printf "admission.certificateSecretName: %q is given and nobody says whom to trust: set admission.caBundle, or have it injected by an annotation in admission.webhookAnnotations" $admission.certificateSecretName) -}}
{{- else if and $admission.caBundle $injector -}}
{{- fail (printf "admission.caBundle and the annotation %s both say whom to trust: give one of them" $injector) -}}
{{- else if and (or $admission.caBundle $injector) (not $admission.certificateSecretName) -}}
{{- fail "admission.caBundle and annotations that inject it are for a certificate of your own: set admission.certificateSecretName to the Secret that has it" -}}
{{- else if eq $admission.certificateSecretName (printf "%s-admission-tls" (include "aicost.name" .)) -}}
{{- fail (printf "admission.certificateSecretName: %q is the Secret that the webhook keeps itself: give yours another name" $admission.certificateSecretName) -}}
{{- end -}}
{{- end -}}

{{- define "aicost.checkCertificate" -}}
{{- $query := .Values.queryApi -}}
{{- $injector := include "aicost.caInjector" . -}}
{{- if and $injector (not $query.certificateSecretName) -}}
{{- fail (printf "queryApi.apiServiceAnnotations: %s would replace the authority of the certificate that the chart makes: set certificateSecretName to the Secret with a certificate of the authority that is injected" $injector) -}}
{{- else if and $injector $query.caBundle -}}
{{- fail (printf "queryApi.caBundle and the annotation %s both say whom to trust: give one of them" $injector) -}}
{{- else if and $query.caBundle (not $query.certificateSecretName) -}}
{{- fail "queryApi.caBundle is given without certificateSecretName: name the Secret with the certificate that this authority signed" -}}
{{- else if eq $query.certificateSecretName (printf "%s-query-tls" (include "aicost.name" .)) -}}
{{- fail (printf "queryApi.certificateSecretName: %q is the Secret that the chart makes, which goes when it makes none: give yours another name" $query.certificateSecretName) -}}
{{- end -}}
{{- end -}}
