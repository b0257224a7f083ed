{{/* The Secrets of bundled services that nobody brought: name=key,key;name=key. Empty: none. */}}
{{- define "mlops.credentials.needed" -}}
{{- $needed := list -}}
{{- if and .Values.postgresql.enabled (not .Values.postgresql.existingSecret) -}}
{{- $needed = append $needed (printf "%s=password" (include "mlops.postgresql.secret" .)) -}}
{{- end -}}
{{- if and .Values.s3.enabled (not .Values.s3.existingSecret) -}}
{{- $needed = append $needed (printf "%s=access-key,secret-key" (include "mlops.s3.secret" .)) -}}
{{- end -}}
{{- join ";" $needed -}}
{{- end -}}

{{- define "mlops.credentials.metadata" -}}
name: {{ include "mlops.fullname" . }}-credentials
namespace: {{ .Release.Namespace }}
labels:
  {{- include "mlops.labels" (list . "credentials") | nindent 2 }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
