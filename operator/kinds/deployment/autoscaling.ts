import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { StatedCondition } from '../../runtime/reconciler.ts';
import { statusCondition, type AppsDeployment, type Autoscaler } from '../kubernetes-objects.ts';
import { condition } from '../outcome.ts';
import { MEMORY } from './names.ts';

/** Whether an autoscaler sets the number of pods. */
export const isAutoscaled = ({ spec: { predictor } }: Deployment): boolean =>
  predictor.replicas === undefined &&
  predictor.maxReplicas !== undefined &&
  (predictor.minReplicas ?? 1) < predictor.maxReplicas;

const fixedReplicas = ({ spec: { predictor } }: Deployment): number =>
  predictor.replicas ?? predictor.minReplicas ?? predictor.maxReplicas ?? 1;

/**
 * The number of pods we state; undefined where the autoscaler does. A number we stated before stays
 * until the autoscaler has set another one: left out any earlier, the API server would fill in 1.
 */
export const replicasOf = (
  deployment: Deployment,
  apps: AppsDeployment | undefined,
): number | undefined => {
  if (!isAutoscaled(deployment)) return fixedReplicas(deployment);
  const stated = apps?.metadata.annotations?.[MEMORY.replicas];
  const live = apps?.spec.replicas;
  return stated !== undefined && stated === String(live) ? live : undefined;
};

/** How the autoscaler stands, in its own words; nothing where there is to be none. */
export const autoscaling = (
  deployment: Deployment,
  autoscaler: Autoscaler | undefined,
): readonly StatedCondition[] => {
  if (!isAutoscaled(deployment)) return [];
  const { minReplicas = 1, maxReplicas } = deployment.spec.predictor;
  const range = `between ${minReplicas} and ${maxReplicas ?? minReplicas} pods`;
  const active = statusCondition(autoscaler?.status?.conditions, 'ScalingActive');
  if (active === undefined || active.status === 'Unknown') {
    const message = `The HorizontalPodAutoscaler has not looked yet; it is to keep ${range}.`;
    return [condition('AutoscalingActive', 'Unknown', 'Reconciling', message)];
  }
  if (active.status === 'True') {
    const message = `The HorizontalPodAutoscaler keeps ${range}.`;
    return [condition('AutoscalingActive', 'True', 'Autoscaling', message)];
  }
  const words = active.message ?? active.reason ?? 'no reason given';
  return [
    condition(
      'AutoscalingActive',
      'False',
      isAboutMetrics(active.reason) ? 'MetricsUnavailable' : 'AutoscalingInactive',
      `The number of pods stays as it is (${range}): ${words}.${helpFor(words)}`,
    ),
  ];
};

/** FailedGetResourceMetric and its kind. */
const isAboutMetrics = (reason: string | undefined): boolean =>
  /^FailedGet.*Metric/.test(reason ?? '');

const helpFor = (words: string): string => {
  if (words.includes('missing request for')) {
    return ' State the request in spec.predictor.resources.requests: utilization is a share of it.';
  }
  if (/(custom|external)\.metrics\.k8s\.io|(custom|external) metrics API/.test(words)) {
    return ' The metric needs an adapter that serves custom.metrics.k8s.io or external.metrics.k8s.io, such as prometheus-adapter.';
  }
  return /could not find the requested resource|metrics API/.test(words)
    ? ' CPU and memory come from the metrics API: install metrics-server, or state spec.predictor.replicas.'
    : '';
};
