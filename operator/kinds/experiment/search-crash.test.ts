import { describe, expect, test } from '@jest/globals';
import { modelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Job } from '../kubernetes-objects.ts';
import { aRegister } from '../testing/an-experiment.ts';
import { conditionOf } from '../testing/builders.ts';
import { Crash } from '../testing/faults.ts';
import { key, keysOf } from '../testing/world.ts';
import { Mortal } from './testing/mortal.ts';
import { SearchWorld } from './testing/search-world.ts';

const MODEL_VERSION = ownType(modelVersion);

/** Trial 1 is evicted once; all others train and finish. */
const goOn = async (at: SearchWorld): Promise<void> => {
  const jobs = await at.world.list<Job>(JOB);
  const evicted = jobs.find(
    ({ metadata, status }) => metadata.name === 'digits-train-1' && status === undefined,
  );
  if (evicted !== undefined) {
    await at.pod('digits-train-1', { phase: 'Failed', reason: 'Evicted', message: 'low memory' });
    await at.end('digits-train-1', { type: 'Failed' });
  }
  await at.trainAll();
  for (const { metadata } of await at.world.list<ModelVersion>(MODEL_VERSION)) {
    await at.world.change(MODEL_VERSION, key(metadata.name), '/status', {
      conditions: [conditionOf('Ready', 'True', 'Ready')],
    });
  }
};

/** A whole search, killed at the k-th call; answers whether it lived so long. */
const live = async (k: number): Promise<{ readonly at: SearchWorld; readonly killed: boolean }> => {
  const mortal = new Mortal(k);
  const at = new SearchWorld(mortal);
  await at.create({ register: aRegister(), maxTrialCount: 4 });
  let killed = false;
  for (let round = 0; round < 12; round += 1) {
    at.world.advance(2_000);
    await at.pass().catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
    if (mortal.dead) {
      killed = true;
      mortal.restart();
      at.world.restart();
    }
    await goOn(at);
  }
  return { at, killed };
};

const STARTED = [
  ...['digits-train-0', 'digits-train-1', 'digits-train-1-r1'],
  ...['digits-train-2', 'digits-train-3'],
];

const expectWhole = async (at: SearchWorld, k: number): Promise<void> => {
  const rows = await at.rows();
  expect({ k, started: at.started.toSorted() }).toEqual({ k, started: STARTED });
  expect(rows.map(({ number, phase, told, attempt }) => [number, phase, told, attempt])).toEqual([
    [0, 'complete', true, 0],
    [1, 'complete', true, 1],
    [2, 'complete', true, 0],
    [3, 'complete', true, 0],
  ]);
  expect(at.search.outcomes()).toEqual(
    rows.map(({ values }) => ({ state: 'complete', values: [...values] })),
  );
  expect(at.search.draws).toBe(4);
  expect(await at.world.list(JOB)).toEqual([]);
  expect(await at.ready()).toMatch(/^True Registered/);
  expect(keysOf(await at.world.list(MODEL_VERSION))).toEqual(['digits-1.0.0']);
  expect(keysOf(await at.world.list(ownType(modelAlias)))).toEqual(['digits-champion']);
  expect((await at.runs.list()).map(({ status }) => status)).toEqual(
    Array.from({ length: 4 }, () => 'FINISHED'),
  );
};

describe('a search whose operator is killed at any call', () => {
  test('asks, starts, tells and registers everything once', async () => {
    const clean = await live(Number.POSITIVE_INFINITY);
    await expectWhole(clean.at, Number.POSITIVE_INFINITY);
    let k = 1;
    for (; ; k += 1) {
      const { at, killed } = await live(k);
      if (!killed) break;
      await expectWhole(at, k);
    }
    // As many calls as there are to die at.
    expect(k).toBeGreaterThan(120);
  }, 120_000);

  test('draws the same parameters as one that never was', async () => {
    const drawn = async (k: number) =>
      (await (await live(k)).at.rows()).map(({ assignments }) => assignments);
    const clean = await drawn(Number.POSITIVE_INFINITY);
    for (const k of [5, 17, 40, 77, 120]) expect(await drawn(k)).toEqual(clean);
  });
});
