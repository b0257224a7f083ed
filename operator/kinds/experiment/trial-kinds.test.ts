import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { KubernetesObject, ResourceType } from '../../runtime/resource-type.ts';
import { anExperiment } from '../testing/an-experiment.ts';
import { key, keysOf } from '../testing/world.ts';
import { EXPERIMENT, SearchWorld } from './testing/search-world.ts';
import { JOB_SET, TRAIN_JOB } from './trial-kinds.ts';

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const podTemplate = (container: object) => ({
  template: { spec: { template: { spec: { containers: [container] } } } },
});
const jobSet = (leader: object = {}): object => ({
  replicatedJobs: [
    { name: 'data', replicas: 1, ...podTemplate({ name: 'serve', image: 'data:1' }) },
    { name: 'leader', replicas: 1, ...podTemplate({ name: 'train', image: 't:1', ...leader }) },
  ],
});
const trainJob = (more: object = {}): object => ({
  runtimeRef: { name: 'torch-distributed' },
  trainer: { numNodes: 2, args: ['${trialSpec.Name}'], env: [{ name: 'MINE', value: '1' }] },
  ...more,
});
const templateOf = (type: ResourceType, spec: object): Experiment['spec']['trialTemplate'] => ({
  retain: false,
  ...(type === JOB_SET ? { primaryContainerName: 'train' } : {}),
  trialSpec: {
    apiVersion: `${type.group}/${type.version}`,
    kind: type.kind,
    spec,
  } as Experiment['spec']['trialTemplate']['trialSpec'],
});
const single = async (type: ResourceType, spec: object): Promise<void> => {
  const trialTemplate = templateOf(type, spec);
  await at.world.put<Experiment>(EXPERIMENT, anExperiment({ trialTemplate }));
  await at.pass();
};
type Made = KubernetesObject & { readonly spec: Readonly<Record<string, never>> };
const made = async (type: ResourceType, name = 'digits-train-0'): Promise<Made> => {
  const found = await at.world.get<Made>(type, key(name));
  if (found === undefined) throw new Error(`There is no ${type.kind} ${name}.`);
  return found;
};
const ends = (type: ResourceType, name: string, condition: string, message = '') =>
  at.world.change(type, key(name), '/status', {
    conditions: [{ type: condition, status: 'True', message }],
  });

describe('a trial that is a JobSet', () => {
  test('is a JobSet whose primary container alone has the token and the run', async () => {
    await single(JOB_SET, jobSet());
    expect(await at.world.list(JOB)).toEqual([]);
    const { spec, metadata } = await made(JOB_SET);
    expect(Object.keys(spec)).toEqual(['replicatedJobs']);
    const [data, leader] = spec['replicatedJobs'] as unknown as [object, object];
    expect(JSON.stringify(leader)).toContain('MLFLOW_RUN_ID');
    expect(JSON.stringify(leader)).toContain('mlops-token');
    expect(JSON.stringify(data)).not.toMatch(/MLFLOW|mlops-token/);
    const labels = {
      [LABELS.experiment]: 'digits-train',
      [LABELS.runId]: metadata.labels?.[LABELS.runId],
    };
    for (const each of [data, leader]) {
      expect(each).toMatchObject({
        template: {
          spec: {
            backoffLimit: 0,
            template: {
              metadata: { labels },
              spec: { restartPolicy: 'Never', automountServiceAccountToken: false },
            },
          },
        },
      });
    }
  });

  test('has finished when it says Completed', async () => {
    await single(JOB_SET, jobSet());
    await ends(JOB_SET, 'digits-train-0', 'Completed');
    await at.passes(1);
    expect(await at.ready()).toMatch(/^True Complete/);
  });

  test('fails in the words of its pod', async () => {
    await single(JOB_SET, jobSet());
    const terminated = { exitCode: 3, reason: 'Error', message: 'ValueError: no data' };
    await at.world.put(POD, {
      metadata: {
        ...{ name: 'p', namespace: 'demo' },
        labels: { 'jobset.sigs.k8s.io/jobset-name': 'digits-train-0' },
      },
      status: {
        phase: 'Failed',
        containerStatuses: [{ name: 'train', state: { terminated } }],
      },
    });
    await ends(JOB_SET, 'digits-train-0', 'Failed', 'jobset failed');
    await at.passes(1);
    expect(await at.ready()).toMatch(/^False TrialFailed: .*exit code 3: ValueError: no data/);
  });

  test('waits while it is suspended', async () => {
    await single(JOB_SET, { ...jobSet(), suspend: true });
    expect(await at.ready()).toMatch(/^Unknown Queued/);
  });

  test.each([
    ['a hostPath', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }],
    ['hostNetwork', { hostNetwork: true }],
  ])('gets no %s in any of its pods', async (words, pod) => {
    const containers = [{ name: 'serve', image: 'data:1' }];
    const evil = { name: 'x', template: { spec: { template: { spec: { containers, ...pod } } } } };
    const { replicatedJobs } = jobSet() as { replicatedJobs: readonly object[] };
    await single(JOB_SET, { replicatedJobs: [...replicatedJobs, evil] });
    expect(await at.ready()).toMatch(new RegExp(`^False InvalidTemplate: .*asks for ${words}`));
    expect(await at.world.list(JOB_SET)).toEqual([]);
  });

  test('without pods is no trial', async () => {
    await single(JOB_SET, { replicatedJobs: [{ name: 'x', template: {} }] });
    expect(await at.ready()).toMatch(
      /^False InvalidTemplate: .*replicatedJobs is missing or empty/,
    );
  });

  test('runs in a search, whose JobSets go with their results', async () => {
    const trialTemplate = templateOf(JOB_SET, jobSet());
    await at.create({ trialTemplate, parallelTrialCount: 1, maxTrialCount: 2 });
    for (const [number, accuracy] of [0.7, 0.9].entries()) {
      await at.passes(1);
      const name = `digits-train-${number}`;
      const { metadata } = await made(JOB_SET, name);
      await at.runs.log(metadata.labels?.[LABELS.runId] ?? '', { accuracy });
      await ends(JOB_SET, name, 'Completed');
    }
    await at.passes(2);
    expect(await at.ready()).toMatch(/^True MaxTrialsReached: .*2 of 2 trials started.*0\.9/);
    expect(keysOf(await at.world.list(JOB_SET))).toEqual([]);
  });
});

describe('a trial that is a TrainJob', () => {
  test('has the run in the environment of its trainer, and nothing that needs a token', async () => {
    await single(TRAIN_JOB, trainJob());
    const { spec } = await made(TRAIN_JOB);
    expect(Object.keys(spec).toSorted()).toEqual(['runtimeRef', 'trainer']);
    const trainer = spec['trainer'] as unknown as { args: unknown; env: { name: string }[] };
    expect(trainer.args).toEqual(['digits-train-0']);
    expect(trainer.env.map(({ name }) => name)).toEqual([
      'MINE',
      'MLFLOW_TRACKING_URI',
      'MLFLOW_EXPERIMENT_ID',
      'MLFLOW_RUN_ID',
      'MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT',
      'MLFLOW_DISABLE_TELEMETRY',
    ]);
  });

  test('has finished when it says Complete', async () => {
    await single(TRAIN_JOB, trainJob());
    await ends(TRAIN_JOB, 'digits-train-0', 'Complete');
    await at.passes(1);
    expect(await at.ready()).toMatch(/^True Complete/);
  });

  test('gives metrics by the log of its pods', async () => {
    const trialTemplate = templateOf(TRAIN_JOB, trainJob());
    await at.create({ trialTemplate, parallelTrialCount: 1, maxTrialCount: 1 });
    await at.pass();
    await at.world.put(POD, {
      metadata: {
        ...{ name: 'dataset-0', namespace: 'demo' },
        labels: {
          'jobset.sigs.k8s.io/jobset-name': 'digits-train-0',
          'jobset.sigs.k8s.io/replicatedjob-name': 'dataset-initializer',
          'batch.kubernetes.io/job-completion-index': '0',
        },
      },
      status: { phase: 'Succeeded' },
    });
    at.logs.write('dataset-0', '2026-03-01T12:00:01.1Z accuracy=0.1');
    await at.world.put(POD, {
      metadata: {
        ...{ name: 'node-0', namespace: 'demo' },
        labels: {
          'jobset.sigs.k8s.io/jobset-name': 'digits-train-0',
          'jobset.sigs.k8s.io/replicatedjob-name': 'node',
          'batch.kubernetes.io/job-completion-index': '0',
        },
      },
      status: { phase: 'Running' },
    });
    at.logs.write('node-0', '2026-03-01T12:00:01.1Z accuracy=0.9');
    await ends(TRAIN_JOB, 'digits-train-0', 'Complete');
    await at.passes(1);
    expect((await at.rows())[0]).toMatchObject({ phase: 'complete', values: [0.9] });
  });

  test.each([
    [{ podTemplateOverrides: [{ spec: { volumes: [{ name: 'v', hostPath: {} }] } }] }],
    [{ later: { deep: [{ containers: [{ name: 'c', securityContext: { privileged: true } }] }] } }],
  ])('gets no privilege by %j', async (more) => {
    await single(TRAIN_JOB, trainJob(more));
    expect(await at.ready()).toMatch(/^False InvalidTemplate: .*which no trial gets/);
  });
});

describe('on a cluster without the kind of the trials', () => {
  test.each([JOB_SET, TRAIN_JOB])('nothing starts until it is installed: $kind', async (type) => {
    at.world.missing.add(type.plural);
    const trialTemplate = templateOf(type, type === JOB_SET ? jobSet() : trainJob());
    await at.world.put<Experiment>(EXPERIMENT, anExperiment({ trialTemplate }));
    expect(await at.pass()).toEqual({ requeueAfterMs: 30_000 });
    expect(await at.ready()).toBe(
      `False KindNotInstalled: spec.trialTemplate.trialSpec is a ${type.kind}, but this cluster has no ${type.plural}.${type.group} (${type.version}); install it, or use a Job. It is looked for again every 30 seconds.`,
    );
    expect(await at.runs.list()).toEqual([]);
    at.world.missing.clear();
    await at.pass();
    expect(keysOf(await at.world.list(type))).toEqual(['digits-train-0']);
  });
});
