import { describe, expect, test } from '@jest/globals';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { MemoryPodLogs } from '../../runtime/memory-pod-logs.ts';
import { MemoryRunStore } from './memory-run-store.ts';
import { MemoryTrialStore } from './memory-trial-store.ts';
import { aSearch } from './testing/search-world.ts';
import { followLog } from './trial-log.ts';

const job = {
  metadata: { name: 'j' },
  spec: { template: { spec: { containers: [{ name: 'train' }] } } },
} as unknown as Job;
const pods = [{ metadata: { name: 'p', namespace: 'demo' } }] as unknown as readonly Pod[];

const setUp = async () => {
  const runs = new MemoryRunStore();
  const trials = new MemoryTrialStore(runs);
  const logs = new MemoryPodLogs();
  const experiment = { uid: 'u', namespace: 'demo', name: 'a' };
  const { runId } = await runs.createTrial({ experiment, number: 0, parameters: {}, name: 't' });
  await trials.open({ experimentUid: 'u', runId, number: 0, assignments: [] });
  const follow = async (): Promise<void> => {
    const [trial] = await trials.unsettled('u');
    if (trial === undefined) throw new Error('no trial');
    await followLog(aSearch(), trial, { job, pods, ended: false }, { runs, trials, logs });
  };
  const values = async () =>
    (await runs.metricHistory(runId, 'accuracy')).metrics.map(({ value }) => value);
  return { logs, follow, values };
};

const line = (second: string, words: string): string => `2026-03-01T12:00:${second}Z ${words}`;
/** 100 kB of what is no metric. */
const NOISE = 'x'.repeat(100_000);

describe('a log longer than a page', () => {
  test('is read page by page', async () => {
    const { logs, follow, values } = await setUp();
    for (let second = 10; second < 40; second += 1)
      logs.write('p', line(`${second}.1`, NOISE), line(`${second}.2`, `accuracy=${second}`));
    await follow();
    expect(await values()).toEqual(Array.from({ length: 30 }, (_, index) => index + 10));
  });

  test('within one second is not read for ever', async () => {
    const { logs, follow, values } = await setUp();
    logs.write('p', line('10.1', 'accuracy=1'));
    for (let index = 0; index < 30; index += 1) logs.write('p', line('10.2', NOISE));
    logs.write('p', line('12.1', 'accuracy=2'));
    await follow();
    expect(await values()).toEqual([1, 2]);
  });

  test('in one endless line neither', async () => {
    const { logs, follow, values } = await setUp();
    logs.write('p', line('10.1', NOISE.repeat(20)), line('12.1', 'accuracy=2'));
    await follow();
    expect(await values()).toEqual([2]);
    expect(logs.reads.length).toBeLessThan(5);
  });

  test('of a pod that is gone is none', async () => {
    const { follow, values } = await setUp();
    await follow();
    expect(await values()).toEqual([]);
  });
});
