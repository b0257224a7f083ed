import type { ResourceType } from './resource-type.ts';

const type = (group: string, version: string, kind: string, plural: string): ResourceType => ({
  group,
  version,
  kind,
  plural,
  namespaced: true,
});

/** Kubernetes' own resources that reconcilers read or make. */
export const POD = type('', 'v1', 'Pod', 'pods');
export const SERVICE = type('', 'v1', 'Service', 'services');
export const SERVICE_ACCOUNT = type('', 'v1', 'ServiceAccount', 'serviceaccounts');
export const CONFIG_MAP = type('', 'v1', 'ConfigMap', 'configmaps');
export const CORE_EVENT = type('', 'v1', 'Event', 'events');
export const EVENT = type('events.k8s.io', 'v1', 'Event', 'events');
export const JOB = type('batch', 'v1', 'Job', 'jobs');
export const APPS_DEPLOYMENT = type('apps', 'v1', 'Deployment', 'deployments');
export const REPLICA_SET = type('apps', 'v1', 'ReplicaSet', 'replicasets');
export const HORIZONTAL_POD_AUTOSCALER = type(
  'autoscaling',
  'v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const POD_DISRUPTION_BUDGET = type(
  'policy',
  'v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const LEASE = type('coordination.k8s.io', 'v1', 'Lease', 'leases');
export const NAMESPACE: ResourceType = {
  ...type('', 'v1', 'Namespace', 'namespaces'),
  namespaced: false,
};
export const TOKEN_REVIEW: ResourceType = {
  ...type('authentication.k8s.io', 'v1', 'TokenReview', 'tokenreviews'),
  namespaced: false,
};
export const SUBJECT_ACCESS_REVIEW: ResourceType = {
  ...type('authorization.k8s.io', 'v1', 'SubjectAccessReview', 'subjectaccessreviews'),
  namespaced: false,
};
