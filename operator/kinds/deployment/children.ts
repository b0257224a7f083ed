import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { labelValue } from '../names-of-children.ts';
import type { ChildDefaults } from '../ports.ts';
import { isAutoscaled } from './autoscaling.ts';
import { GRPC_PORT, MEMORY, nameOfVariant, SERVICE_PORT, STABLE } from './names.ts';
import { servingPod } from './serving-pod.ts';

const APP_NAME = 'mlops-serving';

const allPodsOf = ({ metadata }: Deployment): Readonly<Record<string, string>> => ({
  [LABELS.deployment]: metadata.name,
});

/** Labels of the pods of one variant. */
export const selectorOf = (
  deployment: Deployment,
  variant: string = STABLE,
): Readonly<Record<string, string>> => ({ ...allPodsOf(deployment), [LABELS.variant]: variant });

const labelsOf = (deployment: Deployment, variant: string): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': APP_NAME,
  'app.kubernetes.io/instance': deployment.metadata.name,
  ...selectorOf(deployment, variant),
});

const metadataOf = (deployment: Deployment, variant: string) => ({
  name: nameOfVariant(deployment.metadata.name, variant),
  namespace: deployment.metadata.namespace,
  labels: labelsOf(deployment, variant),
});

/** Pods of one version under one name, and what is remembered on them. */
export type Pods = {
  readonly variant: string;
  readonly version: ModelVersion;
  /** Undefined: the autoscaler states it. */
  readonly replicas: number | undefined;
  /** What must survive the loss of our own status; keys of MEMORY. */
  readonly annotations: Readonly<Record<string, string>>;
};

/** So long a pod of a canary's must stay ready before it counts: proxies learn of it meanwhile. */
const SETTLE_SECONDS = 5;

/** The pods that serve one version. */
export const appsDeployment = (
  deployment: Deployment,
  { variant, version, replicas, annotations }: Pods,
  defaults: ChildDefaults,
): AppsDeployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...metadataOf(deployment, variant), annotations },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    ...(deployment.spec.strategy?.canary === undefined ? {} : { minReadySeconds: SETTLE_SECONDS }),
    selector: { matchLabels: selectorOf(deployment, variant) },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    progressDeadlineSeconds: deployment.spec.progressDeadlineSeconds,
    revisionHistoryLimit: deployment.spec.revisionHistoryLimit,
    template: {
      metadata: {
        labels: {
          ...labelsOf(deployment, variant),
          [LABELS.model]: version.spec.modelRef.name,
          [LABELS.modelVersion]: labelValue(version.metadata.name),
        },
        annotations: { [MEMORY.version]: version.spec.version },
      },
      spec: servingPod(deployment, version, defaults),
    },
  },
});

/** The Service of one variant; `everyPod`: of all pods, among which requests are then spread. */
export const service = (
  deployment: Deployment,
  variant: string,
  everyPod = false,
): KubernetesObject =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(deployment, variant),
    spec: {
      selector: everyPod ? allPodsOf(deployment) : selectorOf(deployment, variant),
      ports: [
        { name: 'http', port: SERVICE_PORT, targetPort: 'http', protocol: 'TCP' },
        { name: 'grpc', port: GRPC_PORT, targetPort: 'grpc', protocol: 'TCP' },
      ],
    },
  }) as KubernetesObject;

/** One pod at a time may be evicted, so that a drain is never blocked, not even with one replica. */
export const podDisruptionBudget = (
  deployment: Deployment,
  annotations: Readonly<Record<string, string>> = {},
): KubernetesObject =>
  ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { ...metadataOf(deployment, STABLE), annotations },
    spec: { maxUnavailable: 1, selector: { matchLabels: allPodsOf(deployment) } },
  }) as KubernetesObject;

const DEFAULT_METRICS = [
  {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
  },
] as const;

/**
 * Undefined where the number of pods is fixed. `atLeast` pods it keeps in any case, while a canary
 * needs them.
 */
export const horizontalPodAutoscaler = (
  deployment: Deployment,
  variant: string = STABLE,
  atLeast = 0,
): KubernetesObject | undefined => {
  if (!isAutoscaled(deployment)) return undefined;
  const { minReplicas = 1, maxReplicas = minReplicas, autoScaling } = deployment.spec.predictor;
  const metadata = metadataOf(deployment, variant);
  const least = variant === STABLE ? Math.max(minReplicas, atLeast) : Math.max(1, atLeast);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name },
      minReplicas: least,
      maxReplicas: Math.max(maxReplicas, least),
      metrics: autoScaling?.metrics ?? DEFAULT_METRICS,
      ...(autoScaling?.behavior === undefined ? {} : { behavior: autoScaling.behavior }),
    },
  } as KubernetesObject;
};

/** Where the model answers inside the cluster; it goes by the Deployment's own name. */
export const urlOf = ({ metadata: { name, namespace } }: Deployment): string =>
  `http://${name}.${namespace}.svc.cluster.local/v2/models/${name}`;
