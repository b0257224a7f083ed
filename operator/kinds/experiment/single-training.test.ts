import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { inputTags } from '../../api/tracking/run-inputs.ts';
import { ownType } from '../../runtime/own-type.ts';
import { aRegister, anExperiment } from '../testing/an-experiment.ts';
import { EXPERIMENT, SearchWorld } from './testing/search-world.ts';

const JOB_NAME = 'digits-train-0';
const IMAGE = `docker.io/library/trainer@sha256:${'b'.repeat(64)}`;

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const one = async (spec: Partial<Experiment['spec']> = {}): Promise<void> => {
  const objective = { type: 'maximize', objectiveMetricName: 'accuracy' } as const;
  await at.world.put<Experiment>(EXPERIMENT, anExperiment({ objective, ...spec }));
  await at.pass();
};
const line = (second: number, words: string) => `2026-03-01T12:00:0${second}.000000001Z ${words}`;
const write = (...lines: readonly string[]) => at.logs.write(`${JOB_NAME}-x`, ...lines);
const history = async () => {
  const [run] = await at.runs.list();
  return (await at.runs.metricHistory(run?.runId ?? '', 'accuracy')).metrics.map(
    ({ step, value }) => [step, value],
  );
};
const running = { phase: 'Running', containerStatuses: [{ name: 'train', imageID: IMAGE }] };

describe('a single training', () => {
  test('reports by lines of its log, which are read while it runs and at its end', async () => {
    await one();
    await at.pod(JOB_NAME, running);
    write(line(1, 'epoch=1 accuracy=0.5'), line(2, 'hello'));
    expect(await at.pass()).toEqual({ requeueAfterMs: 30_000 });
    at.world.restart();
    write(line(3, 'epoch=2 accuracy=0.75'));
    await at.end(JOB_NAME, { type: 'Complete' });
    await at.passes(1);
    expect(await history()).toEqual([
      [1, 0.5],
      [2, 0.75],
    ]);
    expect(await at.ready()).toMatch(/^True Complete: The training finished with accuracy = 0.75/);
    expect(await at.rows()).toMatchObject([{ number: 0, phase: 'complete', values: [0.75] }]);
    expect(at.logs.reads.map(({ since }) => since)).toEqual([undefined, '2026-03-01T12:00:02Z']);
  });

  test.each([
    ['with kind None', { metricsCollectorSpec: { collector: { kind: 'None' } } } as const],
    ['that names no metric', { objective: undefined }],
  ])('%s has its log left alone', async (_what, spec) => {
    await one(spec);
    await at.pod(JOB_NAME, running);
    expect(await at.pass()).toEqual({});
    await at.end(JOB_NAME, { type: 'Complete' });
    await at.passes(1);
    expect(at.logs.reads).toEqual([]);
  });

  test('that fails leaves reason and last lines in its row and an Event', async () => {
    await one();
    const state = { terminated: { exitCode: 137, reason: 'OOMKilled' } };
    await at.pod(JOB_NAME, { phase: 'Failed', containerStatuses: [{ name: 'train', state }] });
    write(...Array.from({ length: 9 }, (_, n) => line(n, `batch ${n}`)));
    await at.end(JOB_NAME, { type: 'Failed' });
    await at.passes(1);
    const [row] = await at.rows();
    expect(row).toMatchObject({ phase: 'failed', told: true, reason: 'OutOfMemory' });
    expect(row?.message).toMatch(/exit code 137.*\nbatch 0\n.*\nbatch 8$/s);
    const told = at.world.events.filter(({ message }) => message.includes('batch 8'));
    expect(told).toMatchObject([{ type: 'Warning', reason: 'TrialFailed' }]);
    expect((await at.runs.list())[0]?.status).toBe('FAILED');
  });

  test('hands its image, data, parameters and seed on to its version', async () => {
    await one({ register: aRegister() });
    await at.pod(JOB_NAME, running);
    await at.passes(1);
    const [run] = await at.runs.list();
    const tags = inputTags({ dataset: { dataset: { name: 'digits', digest: 'e0a1' } } });
    const params = { lr: '0.1', seed: '3' };
    await at.runs.logBatch(run?.runId ?? '', { tags, params });
    await at.trainAll();
    await at.passes(2);
    const [version] = await at.world.list<ModelVersion>(ownType(modelVersion));
    expect(version?.spec.source).toEqual({
      experimentRef: { name: 'digits-train' },
      runId: run?.runId,
      parameters: [
        { name: 'lr', value: '0.1' },
        { name: 'seed', value: '3' },
      ],
      seed: '3',
      image: IMAGE,
      datasets: [{ name: 'digits', digest: 'e0a1' }],
    });
  });
});
