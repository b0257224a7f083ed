{{/* The operator's settings; each name is one of operator/config-settings.ts. */}}
{{- define "mlops.environment" -}}
- name: MLOPS_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: MLOPS_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: MLOPS_WATCH_NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: MLOPS_API_URL
  value: {{ include "mlops.apiUrl" . }}
- name: MLOPS_LEASE_NAME
  value: {{ include "mlops.fullname" . }}
- name: MLOPS_LEASE_DURATION
  value: {{ .Values.operator.leaderElection.leaseDuration }}
- name: MLOPS_LEASE_RENEW_DEADLINE
  value: {{ .Values.operator.leaderElection.renewDeadline }}
- name: MLOPS_LEASE_RETRY_PERIOD
  value: {{ .Values.operator.leaderElection.retryPeriod }}
- name: MLOPS_SHARDS
  value: {{ .Values.operator.shards | quote }}
{{- if .Values.hpo.enabled }}
- name: MLOPS_HPO_URL
  value: http://{{ include "mlops.fullname" . }}-hpo.{{ .Release.Namespace }}.svc:8090
{{- end }}
- name: MLOPS_SERVING_IMAGE
  value: {{ include "mlops.image" (list . .Values.serving.image) }}
{{- with .Values.global.imageRegistry }}
- name: MLOPS_IMAGE_REGISTRY
  value: {{ . }}
{{- end }}
- name: MLOPS_IMAGE_PULL_POLICY
  value: {{ .Values.imagePullPolicy }}
- name: MLOPS_IMAGE_PULL_SECRETS
  value: {{ join "," .Values.global.imagePullSecrets | quote }}
- name: MLOPS_CHILD_RESOURCES
  value: {{ toJson .Values.children.resources | quote }}
- name: MLOPS_WORKERS
  value: {{ .Values.operator.workers | quote }}
- name: MLOPS_FINALIZER_DEADLINE
  value: {{ .Values.operator.finalizerDeadline }}
- name: MLOPS_MAX_ARTIFACT_BYTES
  value: {{ .Values.operator.maxArtifactSize | quote }}
- name: MLOPS_ALLOW_PRIVATE_HOSTS
  value: {{ join "," .Values.operator.allowPrivateHosts | quote }}
- name: MLOPS_METRIC_HOSTS
  value: {{ join "," .Values.operator.metricHosts | quote }}
- name: MLOPS_WEBHOOK_HOSTS
  value: {{ join "," .Values.operator.webhookHosts | quote }}
- name: MLOPS_LOG_LEVEL
  value: {{ .Values.operator.logLevel }}
{{- with .Values.operator.otlpEndpoint }}
- name: MLOPS_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{ include "mlops.environment.database" . }}
{{ include "mlops.environment.s3" . }}
{{- end -}}

{{- define "mlops.environment.database" -}}
{{- if .Values.postgresql.enabled -}}
- name: MLOPS_DATABASE_HOST
  value: {{ include "mlops.fullname" . }}-postgresql.{{ .Release.Namespace }}.svc
- name: MLOPS_DATABASE_NAME
  value: {{ .Values.postgresql.database | quote }}
- name: MLOPS_DATABASE_USER
  value: {{ .Values.postgresql.user | quote }}
- name: MLOPS_DATABASE_PASSWORD_FILE
  value: /etc/mlops/database/password
{{- else if .Values.externalDatabase.urlKey -}}
- name: MLOPS_DATABASE_URL_FILE
  value: /etc/mlops/database/url
{{- else -}}
- name: MLOPS_DATABASE_HOST
  value: {{ required "postgresql.enabled is false: give externalDatabase.host, or externalDatabase.urlKey" .Values.externalDatabase.host | quote }}
- name: MLOPS_DATABASE_PORT
  value: {{ .Values.externalDatabase.port | quote }}
- name: MLOPS_DATABASE_NAME
  value: {{ .Values.externalDatabase.database | quote }}
- name: MLOPS_DATABASE_USER
  value: {{ .Values.externalDatabase.user | quote }}
- name: MLOPS_DATABASE_PASSWORD_FILE
  value: /etc/mlops/database/password
- name: MLOPS_DATABASE_TLS
  value: {{ .Values.externalDatabase.tls }}
{{- if .Values.externalDatabase.caSecret }}
- name: MLOPS_DATABASE_CA_FILE
  value: /etc/mlops/database-ca/ca.crt
{{- end }}
{{- end -}}
{{- end -}}

{{- define "mlops.environment.s3" -}}
- name: MLOPS_S3_ACCESS_KEY_FILE
  value: /etc/mlops/s3/access-key
- name: MLOPS_S3_SECRET_KEY_FILE
  value: /etc/mlops/s3/secret-key
{{- if .Values.s3.enabled }}
- name: MLOPS_S3_ENDPOINT
  value: http://{{ include "mlops.fullname" . }}-s3.{{ .Release.Namespace }}.svc:7070
- name: MLOPS_S3_BUCKET
  value: {{ .Values.s3.bucket | quote }}
{{- else }}
- name: MLOPS_S3_ENDPOINT
  value: {{ required "s3.enabled is false: give externalS3.endpoint" .Values.externalS3.endpoint | quote }}
- name: MLOPS_S3_BUCKET
  value: {{ .Values.externalS3.bucket | quote }}
- name: MLOPS_S3_REGION
  value: {{ .Values.externalS3.region | quote }}
- name: MLOPS_S3_FORCE_PATH_STYLE
  value: {{ .Values.externalS3.forcePathStyle | quote }}
{{- with .Values.externalS3.presignEndpoint }}
- name: MLOPS_S3_PRESIGN_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Secrets reach the operator as files only: no environment variable holds one. */}}
{{- define "mlops.secretVolumes" -}}
{{ include "mlops.databaseVolumes" . }}
- name: s3
  secret:
    secretName: {{ include "mlops.s3.secret" . }}
    items:
      - {key: {{ ternary "access-key" .Values.externalS3.accessKeyKey .Values.s3.enabled | quote }}, path: access-key}
      - {key: {{ ternary "secret-key" .Values.externalS3.secretKeyKey .Values.s3.enabled | quote }}, path: secret-key}
{{- end -}}

{{- define "mlops.databaseVolumes" -}}
- name: database
  secret:
    secretName: {{ include "mlops.postgresql.secret" . }}
    items:
      {{- if .Values.postgresql.enabled }}
      - {key: password, path: password}
      {{- else if .Values.externalDatabase.urlKey }}
      - {key: {{ .Values.externalDatabase.urlKey | quote }}, path: url}
      {{- else }}
      - {key: {{ .Values.externalDatabase.passwordKey | quote }}, path: password}
      {{- end }}
{{- if and (not .Values.postgresql.enabled) .Values.externalDatabase.caSecret }}
- name: database-ca
  secret:
    secretName: {{ .Values.externalDatabase.caSecret }}
{{- end }}
{{- end -}}

{{- define "mlops.secretMounts" -}}
{{ include "mlops.databaseMounts" . }}
- {name: s3, mountPath: /etc/mlops/s3, readOnly: true}
{{- end -}}

{{- define "mlops.databaseMounts" -}}
- {name: database, mountPath: /etc/mlops/database, readOnly: true}
{{- if and (not .Values.postgresql.enabled) .Values.externalDatabase.caSecret }}
- {name: database-ca, mountPath: /etc/mlops/database-ca, readOnly: true}
{{- end }}
{{- end -}}
