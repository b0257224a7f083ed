import { describe, expect, test } from '@jest/globals';

import type { StatusCondition } from '../kubernetes-objects.ts';
import { aDeployment, anAppsDeployment } from '../testing/a-deployment.ts';
import { autoscaling, replicasOf } from './autoscaling.ts';

const autoscaled = aDeployment({ predictor: { minReplicas: 2, maxReplicas: 8 } });

const said = (active?: Omit<StatusCondition, 'type'>) => {
  const conditions = active === undefined ? [] : [{ type: 'ScalingActive', ...active }];
  const [found] = autoscaling(autoscaled, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'digits' },
    status: { conditions },
  });
  return `${found?.type} ${found?.status} ${found?.reason}: ${found?.message}`;
};

describe('autoscaling', () => {
  test('is not spoken of where the number of pods is fixed', () => {
    expect(autoscaling(aDeployment({ predictor: { replicas: 2 } }), undefined)).toEqual([]);
  });

  test('is awaited, then active', () => {
    expect(said()).toMatch(/^AutoscalingActive Unknown Reconciling: .*between 2 and 8 pods/);
    expect(said({ status: 'True', reason: 'ValidMetricFound' })).toBe(
      'AutoscalingActive True Autoscaling: The HorizontalPodAutoscaler keeps between 2 and 8 pods.',
    );
  });

  test.each([
    [
      'FailedGetResourceMetric',
      'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
      /^AutoscalingActive False MetricsUnavailable: .*install metrics-server/,
    ],
    [
      'FailedGetPodsMetric',
      'unable to get metric queue: no custom metrics API (custom.metrics.k8s.io) registered',
      /^AutoscalingActive False MetricsUnavailable: .*prometheus-adapter/,
    ],
    [
      'FailedGetResourceMetric',
      'missing request for cpu in container serving of Pod digits-x',
      /^AutoscalingActive False MetricsUnavailable: .*spec.predictor.resources.requests/,
    ],
    [
      'ScalingDisabled',
      'scaling is disabled since the replica count of the target is zero',
      /^AutoscalingActive False AutoscalingInactive: .*replica count of the target is zero\.$/,
    ],
  ])('does not act: %s, %s', (reason, message, want) => {
    const told = said({ status: 'False', reason, message });
    expect(told).toContain(message);
    expect(told).toMatch(want);
  });
});

describe('the number of pods we state', () => {
  const five = { replicas: 5, annotations: { 'mlops.pynomaly.io/replicas': '5' } };

  test.each([
    ['what is fixed', aDeployment({ predictor: { replicas: 3 } }), five, 3],
    ['what we stated before, until the autoscaler acts', autoscaled, five, 5],
    ['none once the autoscaler has set another', autoscaled, { ...five, replicas: 6 }, undefined],
    ['none where the autoscaler set it from the beginning', autoscaled, { replicas: 5 }, undefined],
  ])('is %s', (_what, deployment, live, want) => {
    expect(replicasOf(deployment, anAppsDeployment('1.0.0', {}, live))).toBe(want);
  });

  test('is none for pods that are still to be made', () => {
    expect(replicasOf(autoscaled, undefined)).toBeUndefined();
  });
});
