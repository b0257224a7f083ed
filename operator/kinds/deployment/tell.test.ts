import { describe, expect, test } from '@jest/globals';

import type { StatusCondition } from '../kubernetes-objects.ts';
import {
  aBrokenPod,
  aDeployment,
  aReplicaSet,
  allServing,
  anAppsDeployment,
} from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias } from '../testing/builders.ts';
import { decide } from './decide.ts';
import { MEMORY } from './names.ts';
import type { Fleet } from './rollout.ts';
import { tell } from './tell.ts';

const NO_PODS = { apps: undefined, replicaSets: [], pods: [] };
const NOW = new Date('2026-03-01T12:00:00Z');

const told = (fleet: Partial<Fleet>, { champion = '1.0.0', deployment = aDeployment() } = {}) => {
  const whole = { apps: undefined, replicaSets: [], pods: [], ...fleet };
  const plan = decide(
    {
      deployment,
      fleet: whole,
      candidate: NO_PODS,
      trials: new Map(),
      test: undefined,
      traffic: { istio: false, route: undefined, budget: undefined },
      evidence: undefined,
      checks: [],
      aliases: [anAlias('champion', champion)],
      versions: [aReadyVersion('1.0.0'), aReadyVersion('1.1.0')],
    },
    NOW,
  );
  const outcome = tell(deployment, plan, {
    ...{ fleet: whole, candidate: NO_PODS, trials: new Map(), isRouted: false },
    ...{ hostTaken: undefined, lookAgainMs: undefined },
  });
  const ready = outcome.conditions.find(({ type }) => type === 'Ready');
  return { ...outcome, ready: `${ready?.status} ${ready?.reason}: ${ready?.message}` };
};

const rollingTo = (conditions: readonly StatusCondition[] = []) => ({
  apps: anAppsDeployment(
    '1.1.0',
    { replicas: 4, updatedReplicas: 1, availableReplicas: 3, conditions },
    {
      replicas: 3,
      annotations: { 'deployment.kubernetes.io/revision': '2', [MEMORY.lastGood]: 'digits-1.0.0' },
    },
  ),
  replicaSets: [aReplicaSet('1.0.0', 2, '1'), aReplicaSet('1.1.0', 1, '2')],
});

describe('a Deployment says', () => {
  test('that the wanted version serves everything', () => {
    const { ready, status, progress } = told({
      apps: anAppsDeployment('1.0.0', allServing(2), { replicas: 2 }),
      replicaSets: [aReplicaSet('1.0.0', 2)],
    });
    expect(ready).toBe('True Ready: Version 1.0.0 serves all requests on 2 pod(s).');
    expect(progress).toBe('settled');
    expect(status).toMatchObject({
      servedVersion: '1.0.0',
      weights: [{ name: 'stable', version: '1.0.0', weight: 100 }],
      replicas: 2,
      readyReplicas: 2,
      selector: 'mlops.pynomaly.io/deployment=digits,mlops.pynomaly.io/variant=stable',
      url: 'http://digits.demo.svc.cluster.local/v2/models/digits',
    });
    expect(status).not.toHaveProperty('candidateVersion');
  });

  test('who gets how much while a version comes up, the wanted one first', () => {
    const { ready, status, progress } = told(rollingTo(), { champion: '1.1.0' });
    expect(ready).toBe(
      'False RolloutProgressing: Version 1.1.0 is coming up: 1 pod(s) of it made, 3 pod(s) ready in all. Version 1.0.0 goes on serving.',
    );
    expect(progress).toBe('working');
    expect(status).toMatchObject({
      servedVersion: '1.0.0',
      candidateVersion: '1.1.0',
      weights: [
        { name: 'candidate', version: '1.1.0', weight: 33 },
        { name: 'stable', version: '1.0.0', weight: 67 },
      ],
    });
  });

  test('one name for each of three versions that are ready at once', () => {
    const { apps, replicaSets } = rollingTo();
    const third = [aReplicaSet('1.0.1', 1, '0'), ...replicaSets];
    const { weights } = told({ apps, replicaSets: third }, { champion: '1.1.0' }).status as {
      readonly weights: readonly { readonly name: string; readonly weight: number }[];
    };
    expect(weights).toEqual([
      { name: 'candidate', version: '1.1.0', weight: 25 },
      { name: 'stable', version: '1.0.0', weight: 50 },
      { name: 'leaving-c7d5b077', version: '1.0.1', weight: 25 },
    ]);
  });

  test("in the quota's own words that pods are refused", () => {
    const words = 'pods "digits-x" is forbidden: exceeded quota: compute';
    const refused = [{ type: 'ReplicaFailure', status: 'True', message: words }];
    const { ready, progress, requeueAfterMs } = told(rollingTo(refused), { champion: '1.1.0' });
    expect(ready).toMatch(/^False QuotaExceeded/);
    expect(ready).toContain(words);
    expect(progress).toBe('stalled');
    expect(requeueAfterMs).toBe(30_000);
  });

  test('that something else refuses the pods', () => {
    const refused = [{ type: 'ReplicaFailure', status: 'True', message: 'webhook denied' }];
    expect(told(rollingTo(refused), { champion: '1.1.0' }).ready).toMatch(/^False Forbidden/);
  });

  test('that it rolled back, why, and how to try again', () => {
    const fleet = rollingTo();
    const pods = [aBrokenPod({ reason: 'InvalidModel', message: 'unknown operator' }, '2')];
    const { ready, status, progress } = told({ ...fleet, pods }, { champion: '1.1.0' });
    expect(ready).toMatch(/^False RolledBack: Version 1.1.0 could not be served \(InvalidModel/);
    expect(ready).toContain('Version 1.0.0, the last good one, serves instead.');
    const { revision } = status as { revision: string };
    expect(ready).toContain(`mlops.pynomaly.io/retry=${revision}`);
    expect(progress).toBe('stalled');
    expect(status).toMatchObject({
      servedVersion: '1.0.0',
      lastFailureInfo: {
        reason: 'InvalidModel',
        version: '1.1.0',
        message: 'pod digits-2-x: unknown operator',
        time: '2026-03-01T12:00:00Z',
      },
    });
  });

  test('that there is nothing to roll back to', () => {
    const pods = [aBrokenPod({ reason: 'InvalidModel', message: 'unknown operator' })];
    const { ready } = told({
      apps: anAppsDeployment('1.0.0', { replicas: 1, updatedReplicas: 1 }),
      replicaSets: [aReplicaSet('1.0.0', 0)],
      pods,
    });
    expect(ready).toMatch(/^False LoadFailed: .*There is no other version that served before/);
  });

  test('what it waits for, and who serves meanwhile', () => {
    const fleet = {
      apps: anAppsDeployment('1.0.0', allServing()),
      replicaSets: [aReplicaSet('1.0.0', 1)],
    };
    const { ready, progress } = told(fleet, { champion: '9.0.0' });
    expect(ready).toMatch(/^False VersionNotFound: .*9.0.0.*Version 1.0.0 goes on serving\.$/);
    expect(progress).toBe('working');
  });

  test('that nothing serves on no pods', () => {
    const deployment = aDeployment({ predictor: { replicas: 0 } });
    const apps = anAppsDeployment('1.0.0', allServing(0), { replicas: 0 });
    expect(told({ apps }, { deployment }).ready).toMatch(/^True Ready: .*on no pods/);
  });

  test('that requests are split by pods where no route is asked for', () => {
    const canary = { steps: [{ setWeight: 10 }], scaleDownDelaySeconds: 30 };
    expect(
      told({}, { deployment: aDeployment({ strategy: { canary } }) }).conditions,
    ).toContainEqual(
      expect.objectContaining({ type: 'TrafficRouting', reason: 'ReplicaWeighted' }),
    );
  });
});
