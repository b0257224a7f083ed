import { describe, expect, test } from '@jest/globals';
import type { NewPrediction, PredictionStore } from '../../../store/predictions.ts';
import { reportOf } from '../shadow.ts';
import type { ShadowStore } from '../shadow-store.ts';

export type ShadowStores = { readonly predictions: PredictionStore; readonly shadow: ShadowStore };

const KEY = { namespace: 'demo', name: 'digits' };

type Logged = readonly [id: string, version: string, value: number, more?: Partial<NewPrediction>];

const logged = ([id, version, value, more = {}]: Logged): NewPrediction => {
  const status = more.status ?? 200;
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [value] }];
  return {
    ...{ id, version, status, at: '2026-02-01T12:00:00.000Z', unit: undefined },
    ...{ variant: 'stable', latencyMs: 10 },
    record: JSON.stringify({ id, status, version, ...(status < 400 ? { outputs } : {}) }),
    ...more,
  };
};

/** What every store of pairs does. */
export const describeShadowStore = (name: string, open: () => Promise<ShadowStores>): void => {
  describe(`pairs of answers in ${name}`, () => {
    const pairing = async (...requests: readonly Logged[]) => {
      const { predictions, shadow } = await open();
      const batch = { batchId: 'x', predictions: requests.map(logged), sketches: [] };
      await predictions.append(KEY, batch);
      return shadow.pairing({
        ...{ namespace: 'demo', deployment: 'digits', stable: '1.0.0', candidate: '1.1.0' },
        since: '2026-02-01T11:00:00Z',
      });
    };

    test('are found by the id of the request; both sides have latencies and errors of their own', async () => {
      const found = await pairing(
        ['a', '1.0.0', 1, { latencyMs: 10 }],
        ['a', '1.1.0', 1, { latencyMs: 20 }],
        ['b', '1.1.0', 3, { latencyMs: 40 }],
        ['b', '1.0.0', 2, { latencyMs: 30 }],
        ['c', '1.0.0', 2, { latencyMs: 20 }],
        ['c', '1.1.0', 2, { status: 500, latencyMs: 0 }],
      );
      expect(found).toMatchObject({
        ...{ pairs: 3, stableOnly: 0, candidateOnly: 0, ambiguous: 0, truncated: false },
        stable: { version: '1.0.0', errors: 0, p50Ms: 20, meanMs: 20 },
        candidate: { version: '1.1.0', errors: 1, p50Ms: 20, meanMs: 20 },
      });
      expect(found.stable.p99Ms).toBeCloseTo(29.8, 9);
      expect(found.candidate.p99Ms).toBeCloseTo(39.6, 9);
      expect(reportOf(found, '2026-02-01T11:00:00Z')).toMatchObject({
        ...{ compared: 2, agreeing: 1, incomparable: 1, agreement: 0.5 },
        outputs: [{ name: 'y', values: 2, equal: 1, maxAbsolute: 1, meanAbsolute: 0.5 }],
      });
    });

    test('leave out ids that are alone, and those that a side answered twice', async () => {
      const found = await pairing(
        ['a', '1.0.0', 1],
        ['b', '1.1.0', 1],
        ...(['1.0.0', '1.1.0', '1.1.0'] as const).map((version): Logged => ['c', version, 1]),
      );
      expect(found).toMatchObject({ pairs: 0, stableOnly: 1, candidateOnly: 1, ambiguous: 1 });
      expect(found.latest).toEqual([]);
      expect(found.stable).toEqual({ version: '1.0.0', errors: 0 });
    });

    test('leave out other versions, older requests, and records that are too long to compare', async () => {
      const at = '2026-02-01T10:59:59.000Z';
      const long = JSON.stringify({ text: 'x'.repeat(70_000) });
      const found = await pairing(
        ['a', '1.0.0', 1],
        ['a', '1.2.0', 1],
        ['b', '1.0.0', 1, { at }],
        ['b', '1.1.0', 1, { at }],
        ['c', '1.0.0', 1, { record: long }],
        ['c', '1.1.0', 1],
      );
      expect(found).toMatchObject({ pairs: 1, stableOnly: 1, candidateOnly: 0, latest: [] });
    });
  });
};
