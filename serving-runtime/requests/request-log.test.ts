import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { PredictionRecord } from '../protocol/prediction-record.ts';
import type { Batch } from './ingest-client.ts';
import type { RequestLogOptions } from './request-log.ts';
import { RequestLog } from './request-log.ts';

let batches: Batch[];
let counts: Record<string, number>;

beforeEach(() => {
  batches = [];
  counts = { taken: 0 };
});

const open = (options: Partial<RequestLogOptions> = {}) =>
  new RequestLog(
    { logMode: 'all', sampleRate: 1, redact: new Set(), ...options },
    {
      offer: (batch) => batches.push(batch),
      metrics: {
        taken: () => {
          counts['taken'] = (counts['taken'] ?? 0) + 1;
        },
        dropped: (reason, records) => {
          counts[reason] = (counts[reason] ?? 0) + records;
        },
        shipped: () => undefined,
        deliveryFailed: () => undefined,
        onDisk: () => undefined,
      },
      wallClock: () => Date.UTC(2026, 1, 1),
      newId: () => `batch-${String(batches.length)}`,
      yieldTurn: () => Promise.resolve(),
    },
  );

const of = { model: 'm', version: '1.0.0' };
const by = (id: string, headers = {}) => ({ id, headers, of });

const answered = (floats: number) => ({
  status: 200,
  exchange: {
    of,
    inputs: new Map([
      ['X', { datatype: 'FP32' as const, shape: [floats], data: new Float32Array(floats) }],
    ]),
    outputNames: [],
    outputs: [],
  },
});
const recordsOf = ({ body }: Batch) =>
  gunzipSync(body)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PredictionRecord);

describe('the request log', () => {
  test('gathers requests into batches of at most 1000, in order', async () => {
    const log = open();
    for (let i = 0; i < 2500; i++) log.record(by(`r${String(i)}`), answered(2), 1);
    await log.flush();
    await log.flush();
    expect(batches.map(({ records }) => records)).toEqual([1000, 1000, 500]);
    expect(batches.flatMap(recordsOf).map(({ id }) => id)).toEqual(
      Array.from({ length: 2500 }, (_, i) => `r${String(i)}`),
    );
  });

  test('knows whom a prediction was for, and its variant', async () => {
    const log = open();
    const headers = { 'x-mlops-unit': 'ada', 'x-mlops-variant': 'bigger' };
    log.record(by('r', headers), { status: 400 }, 1);
    await log.flush();
    expect(batches.flatMap(recordsOf)).toEqual([
      {
        ...{ type: 'prediction', id: 'r', time: '2026-02-01T00:00:00.000Z', unit: 'ada' },
        ...{ variant: 'bigger', model: 'm', version: '1.0.0', status: 400, latencyMs: 1 },
      },
    ]);
  });

  test('keeps its memory bounded, and counts what it cannot keep', async () => {
    const log = open();
    // 250 000 floats are 1 MB; 33 of them fit into 32 MiB, the last one does not fit into a record.
    for (let i = 0; i < 40; i++) log.record(by('r'), answered(250_000), 1);
    log.record(by('r'), answered(300_000), 1);
    expect(counts).toEqual({ taken: 41, memory_full: 7, too_large: 1 });
    await log.flush();
    for (let i = 0; i < 33; i++) log.record(by('r'), answered(250_000), 1);
    expect(counts).toEqual({ taken: 74, memory_full: 7, too_large: 1 });
  });

  test('takes the sample only', async () => {
    const log = open({ sampleRate: 0 });
    log.record(by('r'), answered(1), 1);
    await log.flush();
    expect([batches, counts]).toEqual([[], { taken: 0 }]);
  });
});
