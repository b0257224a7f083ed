import { describe, expect, test } from '@jest/globals';

import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import {
  aBrokenPod,
  aDeployment,
  aReplicaSet,
  allServing,
  anAppsDeployment,
} from '../testing/a-deployment.ts';
import {
  aReadyVersion,
  aVersion,
  anAlias,
  conditionOf,
  DIGEST_A,
  DIGEST_B,
} from '../testing/builders.ts';
import { decide } from './decide.ts';
import { MEMORY } from './names.ts';
import type { Observation, Plan } from './plan.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const NO_PODS = { apps: undefined, replicaSets: [], pods: [] };
const MISMATCH = {
  reason: 'DigestMismatch',
  message: 'the bytes are not the registered ones',
  expected: DIGEST_A,
  actual: DIGEST_B,
};

const decided = (observation: Partial<Observation>): Plan =>
  decide(
    {
      deployment: aDeployment(),
      aliases: [anAlias('champion', '1.0.0')],
      versions: [aReadyVersion('1.0.0'), aReadyVersion('1.1.0')],
      fleet: NO_PODS,
      candidate: NO_PODS,
      trials: new Map(),
      test: undefined,
      traffic: { istio: false, route: undefined, budget: undefined },
      evidence: undefined,
      checks: [],
      ...observation,
    },
    NOW,
  );

const targetOf = (plan: Plan): string | undefined => plan.target?.metadata.name;
const faultOf = ({ situation }: Plan) =>
  situation.is === 'unresolved' ? situation.fault.reason : situation.is;

/** 1.0.0 served, then 1.1.0 was rolled out and its pod broke. */
const brokenRollout = (annotations: Record<string, string> = {}): Partial<Observation> => ({
  aliases: [anAlias('champion', '1.1.0')],
  fleet: {
    apps: anAppsDeployment(
      '1.1.0',
      { replicas: 2, updatedReplicas: 1, availableReplicas: 1 },
      {
        annotations: {
          'deployment.kubernetes.io/revision': '2',
          [MEMORY.lastGood]: 'digits-1.0.0',
          ...annotations,
        },
      },
    ),
    replicaSets: [aReplicaSet('1.0.0', 1, '1'), aReplicaSet('1.1.0', 0, '2')],
    pods: [aBrokenPod(MISMATCH, '2')],
  },
});

describe('the version that is served', () => {
  test('is the one the alias names', () => {
    const plan = decided({});
    expect(targetOf(plan)).toBe('digits-1.0.0');
    expect(plan.situation).toEqual({ is: 'following' });
  });

  test('is the one the spec names', () => {
    const model = { modelRef: { name: 'digits' }, version: '1.1.0' };
    expect(targetOf(decided({ deployment: aDeployment({ predictor: { model } }) }))).toBe(
      'digits-1.1.0',
    );
  });

  test('changes when the alias moves', () => {
    const apps = anAppsDeployment('1.0.0', allServing());
    const plan = decided({
      aliases: [anAlias('champion', '1.1.0')],
      fleet: { apps, replicaSets: [], pods: [] },
    });
    expect(targetOf(plan)).toBe('digits-1.1.0');
    expect(plan.lastGood).toBe('digits-1.0.0');
  });

  test.each([
    ['AliasNotFound', { aliases: [] }],
    ['VersionNotFound', { aliases: [anAlias('champion', '9.0.0')] }],
    ['WaitingForVersion', { versions: [aVersion('1.0.0')] }],
    [
      'FormatNotServable',
      { versions: [aReadyVersion('1.0.0', { spec: { modelFormat: { name: 'mlflow' } } })] },
    ],
    [
      'FormatNotServable',
      { versions: [aReadyVersion('1.0.0', { spec: { storageUri: 's3://mlops/demo/m/' } })] },
    ],
    [
      'VersionNotFound',
      {
        versions: [
          aReadyVersion('1.0.0', { metadata: { deletionTimestamp: '2026-03-01T11:00:00Z' } }),
        ],
      },
    ],
  ])('is none yet: %s', (want, observation) => {
    expect(faultOf(decided(observation))).toBe(want);
  });

  test('is refused when the Model lives in another namespace', () => {
    const model = { modelRef: { name: 'digits', namespace: 'team-b' }, alias: 'champion' };
    expect(faultOf(decided({ deployment: aDeployment({ predictor: { model } }) }))).toBe(
      'NotShared',
    );
  });

  test('stays when the wanted one cannot be found', () => {
    const apps = anAppsDeployment('1.0.0', allServing());
    const plan = decided({
      aliases: [anAlias('champion', '9.0.0')],
      fleet: { apps, replicaSets: [], pods: [] },
    });
    expect(targetOf(plan)).toBe('digits-1.0.0');
    expect(faultOf(plan)).toBe('VersionNotFound');
  });

  test('stays served when its file turns out damaged after it was loaded', () => {
    const damaged = aVersion('1.0.0', {
      status: { conditions: [conditionOf('Ready', 'False', 'DigestMismatch')] },
    });
    const plan = decided({
      versions: [damaged],
      fleet: { apps: anAppsDeployment('1.0.0', allServing()), replicaSets: [], pods: [] },
    });
    expect(plan.situation).toEqual({ is: 'following' });
    expect(targetOf(plan)).toBe('digits-1.0.0');
  });
});

describe('a version that cannot load', () => {
  test('is rolled back to the last good one, with both digests', () => {
    const plan = decided(brokenRollout());
    expect(targetOf(plan)).toBe('digits-1.0.0');
    expect(plan.situation).toEqual({ is: 'rolled-back', justNow: true });
    expect(plan.failed).toMatchObject({
      modelVersion: 'digits-1.1.0',
      version: '1.1.0',
      reason: 'DigestMismatch',
      time: '2026-03-01T12:00:00Z',
    });
    expect(plan.failed?.message).toContain(DIGEST_A);
    expect(plan.failed?.message).toContain(DIGEST_B);
  });

  /** After the rollback: 1.0.0 is back in the template, the failure is remembered. */
  const after = (more: Partial<Observation> = {}): Partial<Observation> => {
    const failed = decided(brokenRollout()).failed;
    const annotations = { [MEMORY.failed]: JSON.stringify(failed) };
    return {
      aliases: [anAlias('champion', '1.1.0')],
      fleet: {
        apps: anAppsDeployment('1.0.0', allServing(), { annotations }),
        replicaSets: [],
        pods: [],
      },
      ...more,
    };
  };

  test('is not tried again as long as nothing changes', () => {
    const plan = decided(after());
    expect(targetOf(plan)).toBe('digits-1.0.0');
    expect(plan.situation).toEqual({ is: 'rolled-back', justNow: false });
  });

  test('stays rolled back when it is known to be damaged by then', () => {
    const damaged = aVersion('1.1.0', {
      status: { conditions: [conditionOf('Ready', 'False', 'DigestMismatch')] },
    });
    const plan = decided(after({ versions: [aReadyVersion('1.0.0'), damaged] }));
    expect(plan.situation).toEqual({ is: 'rolled-back', justNow: false });
  });

  test('is tried again when the spec changes', () => {
    const plan = decided(after({ deployment: aDeployment({ progressDeadlineSeconds: 900 }) }));
    expect(targetOf(plan)).toBe('digits-1.1.0');
    expect(plan.failed).toBeUndefined();
  });

  test('is not tried again when only the number of pods changes', () => {
    const deployment = aDeployment({ predictor: { replicas: 3 } });
    expect(targetOf(decided(after({ deployment })))).toBe('digits-1.0.0');
  });

  test('is tried again when the annotation retry names the attempt', () => {
    const attempt = decided(after()).failed?.attempt ?? '';
    const deployment = aDeployment({}, { annotations: { [ANNOTATIONS.retry]: attempt } });
    expect(targetOf(decided(after({ deployment })))).toBe('digits-1.1.0');
  });

  test('is tried once for each retry', () => {
    const attempt = decided(after()).failed?.attempt ?? '';
    const deployment = aDeployment({}, { annotations: { [ANNOTATIONS.retry]: attempt } });
    const second = decided({ ...brokenRollout(), deployment }).failed;
    expect(second?.attempt).not.toBe(attempt);
    const annotations = { [MEMORY.failed]: JSON.stringify(second) };
    const apps = anAppsDeployment('1.0.0', allServing(), { annotations });
    const plan = decided(after({ deployment, fleet: { apps, replicaSets: [], pods: [] } }));
    expect(targetOf(plan)).toBe('digits-1.0.0');
  });

  test('ignores a retry that names no attempt', () => {
    const deployment = aDeployment({}, { annotations: { [ANNOTATIONS.retry]: 'please' } });
    expect(targetOf(decided(after({ deployment })))).toBe('digits-1.0.0');
  });

  test('is forgotten when the alias names another version', () => {
    const plan = decided(after({ aliases: [anAlias('champion', '1.0.0')] }));
    expect(plan.situation).toEqual({ is: 'following' });
    expect(plan.failed).toBeUndefined();
  });

  test('stays in place when nothing served before', () => {
    const observation = brokenRollout();
    const plan = decided({ ...observation, versions: [aReadyVersion('1.1.0')] });
    expect(plan.situation).toEqual({ is: 'failed' });
    expect(targetOf(plan)).toBe('digits-1.1.0');
  });

  test('is good after all when its pods come up in the end', () => {
    const failed = decided(brokenRollout()).failed;
    const annotations = { [MEMORY.failed]: JSON.stringify(failed) };
    const plan = decided({
      aliases: [anAlias('champion', '1.1.0')],
      fleet: {
        apps: anAppsDeployment('1.1.0', allServing(), { annotations }),
        replicaSets: [],
        pods: [],
      },
    });
    expect(plan.situation).toEqual({ is: 'following' });
    expect(plan.lastGood).toBe('digits-1.1.0');
    expect(plan.failed).toBeUndefined();
  });

  test('is told apart from one whose pods are only slow', () => {
    const observation = brokenRollout();
    const pods = [aBrokenPod({ reason: 'ArtifactUnavailable', message: 'no route' }, '2')];
    const plan = decided({
      ...observation,
      fleet: { apps: undefined, replicaSets: [], ...observation.fleet, pods },
    });
    expect(plan.situation).toEqual({ is: 'following' });
  });

  test('is given up after the deadline, with what its pods said', () => {
    const observation = brokenRollout();
    const { apps } = observation.fleet ?? {};
    if (apps === undefined) throw new Error('no Deployment');
    const plan = decided({
      ...observation,
      fleet: {
        replicaSets: observation.fleet?.replicaSets ?? [],
        pods: [aBrokenPod({ reason: 'ArtifactUnavailable', message: 'no route' }, '2')],
        apps: {
          ...apps,
          status: {
            ...apps.status,
            conditions: [
              { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
            ],
          },
        },
      },
    });
    expect(plan.situation).toEqual({ is: 'rolled-back', justNow: true });
    expect(plan.failed?.reason).toBe('ProgressDeadlineExceeded');
    expect(plan.failed?.message).toContain('ArtifactUnavailable: no route');
  });

  test('is not judged by the pods of an older revision', () => {
    const observation = brokenRollout();
    const plan = decided({
      ...observation,
      fleet: {
        apps: observation.fleet?.apps,
        replicaSets: observation.fleet?.replicaSets ?? [],
        pods: [aBrokenPod(MISMATCH, '1')],
      },
    });
    expect(plan.situation).toEqual({ is: 'following' });
  });

  test('is not judged before the cluster has seen the rollout', () => {
    const observation = brokenRollout();
    const { apps } = observation.fleet ?? {};
    if (apps === undefined) throw new Error('no Deployment');
    const plan = decided({
      ...observation,
      fleet: {
        replicaSets: [],
        pods: [],
        ...observation.fleet,
        apps: { ...apps, metadata: { ...apps.metadata, generation: 2 } },
      },
    });
    expect(plan.situation).toEqual({ is: 'following' });
  });

  test('survives an annotation that somebody broke', () => {
    const plan = decided({ ...brokenRollout({ [MEMORY.failed]: 'not json' }) });
    expect(plan.situation).toEqual({ is: 'rolled-back', justNow: true });
  });
});
