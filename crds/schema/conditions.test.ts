import { describe, expect, test } from '@jest/globals';
import {
  REASONS,
  findCondition,
  isConditionTrue,
  ready,
  reconciling,
  removeCondition,
  setCondition,
  setConditions,
  stalled,
  timestamp,
} from './conditions.ts';

const before = new Date('2026-01-01T00:00:00.999Z');
const later = new Date('2026-01-01T00:01:00.000Z');

describe('setCondition', () => {
  test('adds a condition with the time it is set', () => {
    expect(setCondition([], ready('True', 'Ready', 'It serves.', 3), before)).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'Ready',
        message: 'It serves.',
        observedGeneration: 3,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  test('keeps the time while the status stays, though all else changes', () => {
    const list = setCondition([], ready('False', 'WaitingForVersion', 'Waiting.', 1), before);
    const [next] = setCondition(list, ready('False', 'LoadFailed', 'Broken.', 2), later);
    expect(next).toMatchObject({
      reason: 'LoadFailed',
      observedGeneration: 2,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
  });

  test('moves the time when the status changes', () => {
    const list = setCondition([], ready('False', 'LoadFailed', 'Broken.'), before);
    const [next] = setCondition(list, ready('True', 'Ready', 'It serves.'), later);
    expect(next?.lastTransitionTime).toBe('2026-01-01T00:01:00Z');
  });

  test('keeps the order and leaves the list it was given alone', () => {
    const list = setConditions(
      [],
      [ready('True', 'Ready', ''), reconciling('Reconciling', 'Busy.')],
      before,
    );
    const next = setCondition(list, ready('False', 'LoadFailed', 'Broken.'), later);
    expect(next.map(({ type, status }) => [type, status])).toEqual([
      ['Ready', 'False'],
      ['Reconciling', 'True'],
    ]);
    expect(list[0]?.status).toBe('True');
  });

  test('cuts a message the apiserver would refuse', () => {
    const [condition] = setCondition(
      [],
      ready('False', 'InternalError', 'x'.repeat(40_000)),
      before,
    );
    expect(condition?.message).toHaveLength(32_768);
  });
});

describe('reading a list', () => {
  const list = setCondition([], stalled('QuotaExceeded', 'exceeded quota'), before);

  test('finds a condition by its type', () => {
    expect(findCondition(list, 'Stalled')?.reason).toBe('QuotaExceeded');
  });

  test('says nothing of a condition that is not there, nor of no list', () => {
    expect(isConditionTrue(list, 'Ready')).toBe(false);
    expect(isConditionTrue(undefined, 'Ready')).toBe(false);
  });

  test('removes a condition', () => {
    expect(removeCondition(list, 'Stalled')).toEqual([]);
  });
});

test('a timestamp has no fractions of a second, as metav1.Time has none', () => {
  expect(timestamp(before)).toBe('2026-01-01T00:00:00Z');
});

test('every reason is one word of CamelCase and its meaning a sentence', () => {
  for (const [reason, meaning] of Object.entries(REASONS)) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]*$/);
    expect(meaning).toMatch(/^.+\.$/);
  }
});
