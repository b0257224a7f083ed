import { describe, expect, test } from '@jest/globals';
import { readOutcomes } from './outcome-input.ts';

const NOW = Date.parse('2026-02-01T18:00:00Z');
const EXPECTED = { metrics: new Set(['conversion', 'revenue']), now: NOW };
const SENT = { id: 'order-1', unit: 'ada', metric: 'conversion', value: 1 };

const read = (...sent: readonly unknown[]) => readOutcomes(sent, EXPECTED);
const keyOf = (sent: object): string => read(sent).outcomes[0]?.key ?? 'refused';

describe('outcomes as they are sent', () => {
  test('have the time they say, in UTC, or that of the call', () => {
    const at = '2026-02-01T12:00:00.5+01:00';
    expect(read(SENT, { ...SENT, at })).toMatchObject({
      outcomes: [
        { of: { unit: 'ada' }, metric: 'conversion', value: 1, at: '2026-02-01T18:00:00.000Z' },
        { at: '2026-02-01T11:00:00.500Z' },
      ],
      refused: [],
    });
  });

  test('are the same when their id and metric are', () => {
    expect(keyOf(SENT)).toMatch(/^[0-9a-f]{32}$/);
    expect(keyOf({ ...SENT, value: 2, unit: 'bob' })).toBe(keyOf(SENT));
    expect(keyOf({ ...SENT, metric: 'revenue' })).not.toBe(keyOf(SENT));
    expect(keyOf({ ...SENT, id: 'order-2' })).not.toBe(keyOf(SENT));
  });

  test('are the same without an id when all else is, however the time is written', () => {
    const bare = { unit: 'ada', metric: 'conversion', value: 1, at: '2026-02-01T12:00:00Z' };
    expect(keyOf({ ...bare, at: '2026-02-01T13:00:00.000+01:00' })).toBe(keyOf(bare));
    for (const other of [
      { value: 2 },
      { unit: 'bob' },
      { unit: undefined, predictionId: 'ada' },
      { metric: 'revenue' },
      { at: '2026-02-01T12:00:01Z' },
    ]) {
      expect(keyOf({ ...bare, ...other })).not.toBe(keyOf(bare));
    }
  });

  test('take the nearest values to 0 as 0', () => {
    const [tiny, negative] = read({ ...SENT, value: 1e-320 }, { ...SENT, value: -0 }).outcomes;
    expect([tiny?.value, negative?.value]).toEqual([0, 0]);
  });

  test('may be 5 minutes ahead and 30 days late', () => {
    const sent = ['2026-02-01T18:05:00Z', '2026-01-02T18:00:00Z'].map((at) => ({ ...SENT, at }));
    expect(read(...sent).refused).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['no object', 7, 'is not an object'],
    ['a list', [], 'is not an object'],
    ['an unknown field', { ...SENT, valeu: 1 }, 'has the unknown field "valeu"'],
    ['no metric', { ...SENT, metric: undefined }, 'has no metric; this test takes conversion, rev'],
    ['another metric', { ...SENT, metric: 'x' }, 'has the metric "x"; this test takes conversion'],
    ['no value', { ...SENT, value: undefined }, 'value is not a finite number'],
    ['a text for a value', { ...SENT, value: '1' }, 'value is not a finite number'],
    ['NaN', { ...SENT, value: NaN }, 'value is not a finite number'],
    ['infinity', { ...SENT, value: JSON.parse('1e999') as number }, 'value is not a finite number'],
    ['a huge value', { ...SENT, value: -1.1e15 }, 'value is beyond ±1000000000000000'],
    ['no unit', { ...SENT, unit: undefined }, 'needs exactly one of unit and predictionId'],
    ['both', { ...SENT, predictionId: 'p' }, 'needs exactly one of unit and predictionId'],
    ['an empty unit', { ...SENT, unit: '' }, 'unit is not a text of 1 to 512 characters'],
    ['a long unit', { ...SENT, unit: 'u'.repeat(513) }, 'unit is not a text of 1 to 512'],
    ['NUL', { ...SENT, unit: 'a\0' }, 'unit is not a text of 1 to 512 characters, without NUL'],
    ['half a character', { ...SENT, id: '\ud800' }, 'id is not a text of 1 to 512 characters'],
    ['neither id nor time', { ...SENT, id: undefined }, 'has neither id nor at'],
    ['a day for a time', { ...SENT, at: '2026-02-01' }, 'at is not a time as RFC 3339 has it'],
    ['no such time', { ...SENT, at: '2026-02-01T25:00:00Z' }, 'at is not a time as RFC 3339'],
    ['the future', { ...SENT, at: '2026-02-01T18:05:01Z' }, 'at is more than 5 minutes ahead'],
    ['long ago', { ...SENT, at: '2026-01-02T17:59:59Z' }, 'at is more than 30 days ago'],
  ])('are refused one by one: %s', (_what, sent, reason) => {
    const { outcomes, refused } = read(SENT, sent, SENT);
    expect(outcomes).toHaveLength(2);
    expect(refused).toEqual([{ index: 1, reason: expect.stringContaining(reason) }]);
  });
});
