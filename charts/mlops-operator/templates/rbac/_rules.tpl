{{/* Generated from what controllers declare by `make generate`; do not edit. */}}
{{- define "mlops.rules.operator" -}}
- apiGroups: ['']
  resources: [events, pods]
  verbs: [get, list, watch]
- apiGroups: ['']
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, update, patch]
- apiGroups: [mlops.pynomaly.io]
  resources: [abtests, experiments, modelaliases, modeldeployments, models, modelversions, pipelineruns, pipelines, retrainpolicies]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [mlops.pynomaly.io]
  resources: [abtests/finalizers, experiments/finalizers, modelaliases/finalizers, modeldeployments/finalizers, models/finalizers, modelversions/finalizers, pipelineruns/finalizers, pipelines/finalizers, retrainpolicies/finalizers]
  verbs: [update]
- apiGroups: [mlops.pynomaly.io]
  resources: [abtests/status, experiments/status, modelaliases/status, modeldeployments/status, models/status, modelversions/status, pipelineruns/status, pipelines/status, retrainpolicies/status]
  verbs: [get, update, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
{{- end -}}

{{- define "mlops.rules.cluster" -}}
- apiGroups: ['']
  resources: [namespaces]
  verbs: [get, list]
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- end -}}

{{- define "mlops.rules.ownNamespace" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch, update]
{{- end -}}

{{- define "mlops.rules.view" -}}
- apiGroups: [mlops.pynomaly.io]
  resources: [models, modelversions, modelaliases, experiments, pipelines, pipelineruns, modeldeployments, abtests, retrainpolicies]
  verbs: [get, list, watch]
{{- end -}}

{{- define "mlops.rules.edit" -}}
- apiGroups: [mlops.pynomaly.io]
  resources: [models, modelversions, modelaliases, experiments, pipelines, pipelineruns, modeldeployments, abtests, retrainpolicies]
  verbs: [create, update, patch, delete, deletecollection]
- apiGroups: [mlops.pynomaly.io]
  resources: [modeldeployments/scale]
  verbs: [get, update, patch]
- apiGroups: [mlops.pynomaly.io]
  resources: [modelversions/artifact]
  verbs: [get]
- apiGroups: [mlops.pynomaly.io]
  resources: [abtests/outcomes]
  verbs: [create]
{{- end -}}

{{- define "mlops.rules.admin" -}}
- apiGroups: [mlops.pynomaly.io]
  resources: [models, modelversions, modelaliases, experiments, pipelines, pipelineruns, modeldeployments, abtests, retrainpolicies]
  verbs: [create, update, patch, delete, deletecollection]
- apiGroups: [mlops.pynomaly.io]
  resources: [modeldeployments/scale]
  verbs: [get, update, patch]
- apiGroups: [mlops.pynomaly.io]
  resources: [modelversions/artifact]
  verbs: [get]
- apiGroups: [mlops.pynomaly.io]
  resources: [abtests/outcomes]
  verbs: [create]
{{- end -}}
