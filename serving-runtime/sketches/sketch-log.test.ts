import { expect, test } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import type { Batch } from '../requests/ingest-client.ts';
import { splitLines } from '../requests/seal-batch.ts';
import { SketchLog } from './sketch-log.ts';

const of = { model: 'm', version: '1' };

test('each window is handed over once, with its own times, and an empty one not at all', async () => {
  const batches: Batch[] = [];
  let [now, taken, ids] = [0, 0, 0];
  const log = new SketchLog(
    { redact: new Set(), random: () => 0 },
    {
      offer: (batch) => batches.push(batch),
      metrics: { taken: () => taken++ },
      wallClock: () => now,
      newId: () => `batch-${String(++ids)}`,
    },
  );
  const add = (value: number) => {
    const tensor = { datatype: 'FP64' as const, shape: [1], data: Float64Array.of(value) };
    log.add({ of, inputs: new Map([['x', tensor]]), outputNames: [], outputs: [] });
  };
  add(1);
  now = 60_000;
  await log.flush();
  add(5);
  now = 90_000;
  await log.flush();
  await log.flush();
  const records = batches.map(({ body }) => JSON.parse(gunzipSync(body).toString()) as unknown);
  expect(batches.map(({ id, records: count }) => [id, count])).toEqual([
    ['batch-1', 1],
    ['batch-2', 1],
  ]);
  expect(records).toMatchObject([
    { windowStart: '1970-01-01T00:00:00.000Z', windowMs: 60_000, numbers: { mean: 1 } },
    { windowStart: '1970-01-01T00:01:00.000Z', windowMs: 30_000, numbers: { mean: 5 } },
  ]);
  expect(taken).toBe(2);
});

test('lines are split where the endpoint would refuse more', () => {
  const long = 'x'.repeat(600_000);
  expect(splitLines([long, long, 'y']).map((part) => part.length)).toEqual([1, 2]);
  const many = Array.from({ length: 2001 }, () => 'z');
  expect(splitLines(many).map((part) => part.length)).toEqual([1000, 1000, 1]);
  expect(splitLines([])).toEqual([]);
});
