import { describe, expect, test } from '@jest/globals';
import type { NewPrediction, PredictionStore } from '../predictions.ts';

const DIGITS = { namespace: 'demo', name: 'digits' };

export const aPrediction = (id: string, minute = 0): NewPrediction => {
  const at = `2026-02-01T12:${String(minute).padStart(2, '0')}:00.000Z`;
  return {
    ...{ id, at, unit: 'ada', variant: undefined, version: '1.0.0', status: 200, latencyMs: 1.5 },
    // A number beyond 2^53 and a character that jsonb refuses, both kept as they were sent.
    record: `{"id":"${id}","big":9007199254740993,"text":"\\u0000 \\"{,}\\" ü"}`,
  };
};

/** What every store of predictions does. */
export const describePredictionStore = (
  name: string,
  open: () => Promise<PredictionStore>,
): void => {
  describe(`predictions in ${name}`, () => {
    test('are kept as they were sent, and read newest first', async () => {
      const store = await open();
      const predictions = [aPrediction('a', 1), aPrediction('c', 3), aPrediction('b', 2)];
      expect(await store.append(DIGITS, { batchId: 'x', predictions, sketches: [] })).toBe(true);
      expect(await store.latest(DIGITS, 2)).toEqual([
        '{"id":"c","big":9007199254740993,"text":"\\u0000 \\"{,}\\" ü"}',
        '{"id":"b","big":9007199254740993,"text":"\\u0000 \\"{,}\\" ü"}',
      ]);
      expect(await store.latest({ namespace: 'other', name: 'digits' }, 2)).toEqual([]);
    });

    test('are written once, however often their batch comes; ids belong to a deployment', async () => {
      const store = await open();
      const batch = { batchId: 'x', predictions: [aPrediction('a')], sketches: [] };
      const answers = await Promise.all([1, 2, 3].map(() => store.append(DIGITS, batch)));
      expect(answers.filter((written) => written)).toEqual([true]);
      expect(await store.latest(DIGITS, 10)).toHaveLength(1);
      expect(await store.append({ ...DIGITS, name: 'other' }, batch)).toBe(true);
    });

    test('have sketches beside them, found by when their window began', async () => {
      const store = await open();
      const sketch = (minute: number) => ({
        ...{ version: '1.0.0', role: 'input' as const, feature: 'X[0]', windowMs: 60_000 },
        windowStart: `2026-02-01T12:0${String(minute)}:00.000Z`,
        sketch: `{"count":${String(minute)}}`,
      });
      const sketches = [sketch(2), sketch(1), sketch(3)];
      await store.append(DIGITS, { batchId: 'x', predictions: [], sketches });
      const range = { since: '2026-02-01T12:01:00Z', until: '2026-02-01T12:03:00Z' };
      expect(await store.sketches(DIGITS, range)).toEqual([sketch(1), sketch(2)]);
    });

    test('have sketches that are read on from where an earlier look ended', async () => {
      const store = await open();
      const sketch = (minute: number, version = '1.0.0') => ({
        ...{ version, role: 'output' as const, feature: 'Y', windowMs: 60_000 },
        windowStart: `2026-02-01T12:0${String(minute)}:00.000Z`,
        sketch: `{"count":${String(minute)}}`,
      });
      let batches = 0;
      const write = (...sketches: readonly ReturnType<typeof sketch>[]) =>
        store.append(DIGITS, { batchId: `b${String(batches++)}`, predictions: [], sketches });
      const asked = { versions: ['1.0.0', '1.1.0'], role: 'output' as const };
      const look = (after: string) =>
        store.sketchesAfter(DIGITS, { ...asked, since: '2026-02-01T12:02:00Z', after });

      await write(sketch(1), sketch(3), sketch(2, '1.1.0'), sketch(4, '0.9.0'));
      const first = await look('0');
      expect(first.sketches).toEqual([sketch(3), sketch(2, '1.1.0')]);
      expect((await look(first.last)).sketches).toEqual([]);
      await write(sketch(2));
      expect((await look(first.last)).sketches).toEqual([sketch(2)]);
      await write(...Array.from({ length: 1200 }, () => sketch(5)));
      let read = 0;
      for (let { sketches, last } = await look('0'); sketches.length > 0;) {
        read += sketches.length;
        ({ sketches, last } = await look(last));
      }
      expect(read).toBe(1203);
    });
  });
};
