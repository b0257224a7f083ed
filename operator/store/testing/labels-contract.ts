import { describe, expect, test } from '@jest/globals';
import type { LabelStore, NewLabel, Truth } from '../labels.ts';
import type { NewPrediction, PredictionStore } from '../predictions.ts';

const DIGITS = { namespace: 'demo', name: 'digits' };
const NOW = Date.parse('2026-02-01T12:00:00Z');

const aPrediction = (id: string, value: number, more: Partial<NewPrediction> = {}) => ({
  ...{ id, at: '2026-02-01T12:00:05.000Z', unit: undefined, variant: undefined, version: '1.0.0' },
  ...{ status: 200, latencyMs: 1 },
  // With a character that PostgreSQL refuses to read out of json.
  record: `{"id":"${id}","text":"\\u0000","outputs":[{"name":"Y","shape":[1],"data":[${value}]}]}`,
  ...more,
});

const aLabel = (predictionId: string, truth: Truth, output?: string): NewLabel => ({
  ...{ predictionId, output, truths: [truth] },
});

export type LabelStores = { readonly labels: LabelStore; readonly predictions: PredictionStore };

/** What every store of labels does, with the predictions they are about. */
export const describeLabelStore = (name: string, open: () => Promise<LabelStores>): void => {
  const opened = async () => {
    const { labels, predictions } = await open();
    let batches = 0;
    return {
      send: (...sent: readonly NewLabel[]) => labels.append(DIGITS, sent, NOW),
      log: (...logged: readonly NewPrediction[]) =>
        predictions.append(DIGITS, {
          ...{ batchId: `batch-${String(batches++)}`, predictions: logged, sketches: [] },
        }),
      errors: async (since = '2026-02-01T12:00:00Z', output?: string) => {
        const asked = { versions: ['1.0.0', '1.1.0'], since, output };
        const { byVersion, waiting } = await labels.errors(DIGITS, asked);
        return { of: Object.fromEntries(byVersion), waiting };
      },
    };
  };
  const tally = (answers: number, wrong: number, mean: number, m2: number) => ({
    ...{ answers, wrong, incomparable: 0, distances: { count: answers, mean, m2 } },
  });

  describe(`labels in ${name}`, () => {
    test('are compared with what was logged, version by version', async () => {
      const { send, log, errors } = await opened();
      await log(
        aPrediction('a', 1),
        aPrediction('b', 5),
        aPrediction('c', 9, { version: '1.1.0' }),
      );
      expect(await send(aLabel('a', 1), aLabel('b', 2), aLabel('c', 9))).toEqual({
        ...{ taken: 3, duplicates: 0, conflicting: [], waiting: 0, incomparable: 0 },
      });
      // Distances 0 and 3: mean 1.5, and twice 1.5 squared.
      expect(await errors()).toEqual({
        of: { '1.0.0': tally(2, 1, 1.5, 4.5), '1.1.0': tally(1, 0, 0, 0) },
        waiting: 0,
      });
    });

    test('count once, however often they are sent, and the first truth holds', async () => {
      const { send, log, errors } = await opened();
      await log(aPrediction('a', 1), aPrediction('a', 7));
      await send(aLabel('a', 1));
      expect(await send(aLabel('a', 1), aLabel('a', 2), aLabel('b', 1), aLabel('b', 2))).toEqual({
        ...{ taken: 1, duplicates: 1, conflicting: [1, 3], waiting: 2, incomparable: 0 },
      });
      expect((await errors()).of).toEqual({ '1.0.0': tally(1, 0, 0, 0) });
    });

    test('that come before their request wait for it', async () => {
      const { send, log, errors } = await opened();
      expect(await send(aLabel('a', 1), aLabel('never', 1))).toMatchObject({ waiting: 2 });
      expect(await errors()).toEqual({ of: {}, waiting: 2 });
      await log(aPrediction('a', 4));
      expect(await errors()).toEqual({ of: { '1.0.0': tally(1, 1, 3, 0) }, waiting: 1 });
      expect(await send(aLabel('a', 1))).toMatchObject({ duplicates: 1, waiting: 0 });
      expect((await errors()).of).toEqual({ '1.0.0': tally(1, 1, 3, 0) });
    });

    test('count for each version that answered: of a mirrored request, and whoever logs later', async () => {
      const { send, log, errors } = await opened();
      await log(aPrediction('a', 1));
      await send(aLabel('a', 1));
      await log(aPrediction('a', 3, { version: '1.1.0' }));
      expect((await errors()).of).toEqual({
        '1.0.0': tally(1, 0, 0, 0),
        '1.1.0': tally(1, 1, 2, 0),
      });
    });

    test('that have nothing to be compared with are counted, and a failed request says nothing', async () => {
      const { send, log, errors } = await opened();
      await log(aPrediction('a', 1), aPrediction('b', 1, { status: 503, record: '{}' }));
      expect(await send(aLabel('a', 1, 'Z'), aLabel('b', 1))).toMatchObject({ incomparable: 1 });
      expect((await errors()).of).toMatchObject({ '1.0.0': { answers: 0, incomparable: 1 } });
    });

    test('are of one output, where one is asked for, and of predictions since then', async () => {
      const { send, log, errors } = await opened();
      await log(aPrediction('a', 1), aPrediction('b', 2, { at: '2026-02-01T12:00:15Z' }));
      await send(aLabel('a', 1), aLabel('b', 1, 'Y'));
      expect((await errors('2026-02-01T12:00:00Z', 'Y')).of).toEqual({
        '1.0.0': tally(2, 1, 0.5, 0.5),
      });
      expect((await errors('2026-02-01T12:00:10Z')).of).toEqual({ '1.0.0': tally(1, 1, 1, 0) });
      expect((await errors('2026-02-01T12:00:00Z', 'Z')).of).toEqual({});
    });

    test('lose nothing when labels and requests come at the same time', async () => {
      const { send, log, errors } = await opened();
      const ids = Array.from({ length: 40 }, (_, i) => `p${String(i)}`);
      await Promise.all(
        ids.flatMap((id) => [log(aPrediction(id, 1)), send(aLabel(id, 2), aLabel('p0', 2))]),
      );
      expect(await errors()).toEqual({ of: { '1.0.0': tally(40, 40, 1, 0) }, waiting: 0 });
    });
  });
};
