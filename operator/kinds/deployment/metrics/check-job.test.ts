import { describe, expect, test } from '@jest/globals';
import type { Job, Pod } from '../../kubernetes-objects.ts';
import { aDeployment } from '../../testing/a-deployment.ts';
import { aReadyVersion, meta, someDefaults } from '../../testing/builders.ts';
import { checkJob, nameOfCheck } from './check-job.ts';
import { checkState } from './check-state.ts';
import { placeholdersOf } from './placeholders.ts';

const MEMORY = { attempt: 'a1', step: 1, since: '', judgedFrom: '2026-03-01T12:00:00Z' };
const placeholders = placeholdersOf(aDeployment(), aReadyVersion('1.1.0'), undefined);

const job = (spec: object): Job =>
  checkJob(
    aDeployment(),
    { metric: { name: 'smoke', job: { spec } } as never, name: 'digits-check-x-0', attempt: 'a1' },
    placeholders,
    someDefaults(),
  );

describe('the name of a check', () => {
  test('is the same for the same run at the same share, and another otherwise', () => {
    const of = (more: object, metric = 'smoke', run = 0) =>
      nameOfCheck(aDeployment(), metric, { ...MEMORY, ...more }, run);
    expect(of({})).toBe(of({ step: 2, since: 'later' }));
    expect(of({})).toMatch(/^digits-check-[0-9a-f]{8}-0$/);
    const others = [
      of({}, 'load'),
      of({ attempt: 'a2' }),
      of({ judgedFrom: 'x' }),
      of({}, 'smoke', 1),
    ];
    expect(new Set([of({}), ...others]).size).toBe(5);
  });
});

describe('the Job of a metric', () => {
  test('is what the user wrote, restricted, with its placeholders filled in', () => {
    const { metadata, spec } = job({
      ttlSecondsAfterFinished: 1,
      backoffLimit: 2,
      template: { spec: { containers: [{ name: 'ask', image: 'a', args: ['${candidate.url}'] }] } },
    });
    expect(metadata).toMatchObject({ name: 'digits-check-x-0', namespace: 'demo' });
    expect(spec).not.toHaveProperty('ttlSecondsAfterFinished');
    expect(spec).toMatchObject({
      ...{ backoffLimit: 2, activeDeadlineSeconds: 3600 },
      template: {
        spec: {
          ...{ restartPolicy: 'Never', automountServiceAccountToken: false },
          securityContext: { runAsNonRoot: true },
          containers: [
            {
              args: ['http://digits-candidate.demo.svc/v2/models/digits'],
              terminationMessagePolicy: 'FallbackToLogsOnError',
              securityContext: { allowPrivilegeEscalation: false },
            },
          ],
        },
      },
    });
  });

  test('has no label by which it could be taken for a pod that serves', () => {
    const theirs = { 'mlops.pynomaly.io/deployment': 'digits', team: 'a' };
    const { metadata, spec } = job({ template: { metadata: { labels: theirs } } });
    const ours = {
      'mlops.pynomaly.io/check-of': 'digits',
      'mlops.pynomaly.io/metric': 'smoke',
      'mlops.pynomaly.io/attempt': 'a1',
    };
    expect(metadata.labels).toEqual(ours);
    expect(spec.template.metadata?.labels).toEqual({ team: 'a', ...ours });
  });

  test('is left to the API server to refuse where it makes no sense', () => {
    expect(job({}).spec.template.spec.containers).toEqual([]);
    expect(job({ template: { spec: { containers: 7 } } }).spec.template.spec.containers).toEqual(
      [],
    );
  });
});

const aJob = (type?: string, more: object = {}): Job =>
  ({
    metadata: meta('digits-check-x-0'),
    spec: { template: { spec: { containers: [] } } },
    status: { conditions: type === undefined ? [] : [{ type, status: 'True', ...more }] },
  }) as unknown as Job;
const aPod = (state: object): Pod =>
  ({
    metadata: meta('p'),
    status: { containerStatuses: [{ name: 'ask', state }] },
  }) as unknown as Pod;
const stateOf = (job_: Job, pods: Pod[] = [], events: object[] = []) =>
  checkState({ job: job_, pods, events: events as never });

describe('a check', () => {
  test('is good when its Job succeeded', () => {
    expect(stateOf(aJob('Complete'))).toEqual({
      isOver: true,
      reading: { is: 'value', value: true, words: 'Job digits-check-x-0 succeeded' },
    });
  });

  test("is bad when a container ended badly, with the pod's last words", () => {
    const ended = aPod({
      terminated: { exitCode: 3, reason: 'Error', message: 'a\nerror 0.4 > 0.1\n' },
    });
    expect(stateOf(aJob('Failed', { reason: 'BackoffLimitExceeded' }), [ended])).toEqual({
      isOver: true,
      reading: {
        ...{ is: 'value', value: false },
        words:
          'Job digits-check-x-0 failed: container ask ended with Error, exit code 3: error 0.4 > 0.1 (kubectl logs job/digits-check-x-0 -n demo)',
      },
    });
  });

  test('has found out nothing when no container ended, or when its time was up', () => {
    const waits = aPod({ waiting: { reason: 'ImagePullBackOff' } });
    expect(stateOf(aJob('Failed', { reason: 'BackoffLimitExceeded' }), [waits])).toMatchObject({
      reading: { is: 'error', words: expect.stringContaining('ImagePullBackOff') },
    });
    const late = { reason: 'DeadlineExceeded', message: 'Job was active longer than specified' };
    expect(stateOf(aJob('Failed', late))).toMatchObject({
      reading: { is: 'error', words: expect.stringContaining('active longer than specified') },
    });
  });

  test('says what it waits for', () => {
    expect(stateOf(aJob())).toEqual({ isOver: false, words: 'Job digits-check-x-0 is under way' });
    expect(stateOf(aJob(), [aPod({ waiting: { reason: 'ErrImagePull' } })])).toMatchObject({
      words: 'Job digits-check-x-0: container ask waits: ErrImagePull',
    });
    const refused = { reason: 'FailedCreate', message: 'violates PodSecurity "restricted"' };
    expect(stateOf(aJob(), [], [refused])).toMatchObject({
      words:
        'the cluster refuses the pod of Job digits-check-x-0: violates PodSecurity "restricted"',
    });
  });
});
