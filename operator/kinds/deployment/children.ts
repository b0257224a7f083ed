import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { labelValue } from '../names-of-children.ts';
import type { ChildDefaults } from '../ports.ts';
import { isAutoscaled } from './autoscaling.ts';
import { GRPC_PORT, MEMORY, SERVICE_PORT } from './names.ts';
import type { FailedAttempt } from './rollout.ts';
import { servingPod } from './serving-pod.ts';

const APP_NAME = 'mlops-serving';

export const selectorOf = ({ metadata }: Deployment): Readonly<Record<string, string>> => ({
  [LABELS.deployment]: metadata.name,
});

const labelsOf = (deployment: Deployment): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': APP_NAME,
  'app.kubernetes.io/instance': deployment.metadata.name,
  ...selectorOf(deployment),
});

const metadataOf = (deployment: Deployment) => ({
  name: deployment.metadata.name,
  namespace: deployment.metadata.namespace,
  labels: labelsOf(deployment),
});

export type Memory = {
  readonly lastGood: string | undefined;
  readonly failed: FailedAttempt | undefined;
  readonly askedAgain: string | undefined;
  readonly replicas: number | undefined;
};

/** The pods that serve one version, and what must survive the loss of our own status. */
export const appsDeployment = (
  deployment: Deployment,
  version: ModelVersion,
  memory: Memory,
  defaults: ChildDefaults,
): AppsDeployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    ...metadataOf(deployment),
    annotations: {
      ...(memory.lastGood === undefined ? {} : { [MEMORY.lastGood]: memory.lastGood }),
      ...(memory.failed === undefined ? {} : { [MEMORY.failed]: JSON.stringify(memory.failed) }),
      ...(memory.askedAgain === undefined ? {} : { [MEMORY.askedAgain]: memory.askedAgain }),
      ...(memory.replicas === undefined ? {} : { [MEMORY.replicas]: String(memory.replicas) }),
    },
  },
  spec: {
    ...(memory.replicas === undefined ? {} : { replicas: memory.replicas }),
    selector: { matchLabels: selectorOf(deployment) },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    progressDeadlineSeconds: deployment.spec.progressDeadlineSeconds,
    revisionHistoryLimit: deployment.spec.revisionHistoryLimit,
    template: {
      metadata: {
        labels: {
          ...labelsOf(deployment),
          [LABELS.model]: version.spec.modelRef.name,
          [LABELS.modelVersion]: labelValue(version.metadata.name),
        },
        annotations: { [MEMORY.version]: version.spec.version },
      },
      spec: servingPod(deployment, version, defaults),
    },
  },
});

export const service = (deployment: Deployment): KubernetesObject =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(deployment),
    spec: {
      selector: selectorOf(deployment),
      ports: [
        { name: 'http', port: SERVICE_PORT, targetPort: 'http', protocol: 'TCP' },
        { name: 'grpc', port: GRPC_PORT, targetPort: 'grpc', protocol: 'TCP' },
      ],
    },
  }) as KubernetesObject;

/** One pod at a time may be evicted, so that a drain is never blocked, not even with one replica. */
export const podDisruptionBudget = (deployment: Deployment): KubernetesObject =>
  ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(deployment),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(deployment) } },
  }) as KubernetesObject;

const DEFAULT_METRICS = [
  {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
  },
] as const;

/** Undefined where the number of pods is fixed. */
export const horizontalPodAutoscaler = (deployment: Deployment): KubernetesObject | undefined => {
  if (!isAutoscaled(deployment)) return undefined;
  const { minReplicas = 1, maxReplicas, autoScaling } = deployment.spec.predictor;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadataOf(deployment),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name },
      minReplicas,
      maxReplicas,
      metrics: autoScaling?.metrics ?? DEFAULT_METRICS,
      ...(autoScaling?.behavior === undefined ? {} : { behavior: autoScaling.behavior }),
    },
  } as KubernetesObject;
};

/** Where the model answers inside the cluster; it goes by the Deployment's own name. */
export const urlOf = ({ metadata: { name, namespace } }: Deployment): string =>
  `http://${name}.${namespace}.svc.cluster.local/v2/models/${name}`;
