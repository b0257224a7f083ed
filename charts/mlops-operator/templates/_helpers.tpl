{{- define "mlops.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select pods of one component. Takes (list . "component"). */}}
{{- define "mlops.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "mlops.labels" -}}
{{- $root := index . 0 -}}
{{ include "mlops.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mlops-operator
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* Labels of pods: nothing that changes with the chart's version, or each upgrade restarts them. */}}
{{- define "mlops.podLabels" -}}
{{ include "mlops.selector" . }}
app.kubernetes.io/part-of: mlops-operator
{{- end -}}

{{/* The whole reference of an image. Takes (list . .Values.x.image). */}}
{{- define "mlops.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := $root.Values.global.imageRegistry | default $image.registry -}}
{{- $repository := ternary $image.repository (printf "%s/%s" (trimSuffix "/" $registry) $image.repository) (empty $registry) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "mlops.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What PodSecurity "restricted" asks of a container, and a read-only root besides. */}}
{{- define "mlops.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* …and of a pod. Takes a dict with more fields. */}}
{{- define "mlops.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- with . }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Placement of a pod. Takes the component's values. */}}
{{- define "mlops.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "mlops.apiUrl" -}}
{{- .Values.operator.apiUrl | default (printf "http://%s.%s.svc:8080" (include "mlops.fullname" .) .Release.Namespace) -}}
{{- end -}}

{{- define "mlops.postgresql.secret" -}}
{{- if .Values.postgresql.enabled -}}
{{- .Values.postgresql.existingSecret | default (printf "%s-postgresql" (include "mlops.fullname" .)) -}}
{{- else -}}
{{- required "postgresql.enabled is false: name the Secret with the password or URL of your PostgreSQL in externalDatabase.existingSecret" .Values.externalDatabase.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "mlops.s3.secret" -}}
{{- if .Values.s3.enabled -}}
{{- .Values.s3.existingSecret | default (printf "%s-s3" (include "mlops.fullname" .)) -}}
{{- else -}}
{{- required "s3.enabled is false: name the Secret with the keys of your S3 server in externalS3.existingSecret" .Values.externalS3.existingSecret -}}
{{- end -}}
{{- end -}}
