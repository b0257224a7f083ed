import { describe, expect, test } from '@jest/globals';
import type { Outcome } from './reconciler.ts';
import { statusOf } from './status.ts';
import { widget } from './testing/objects.ts';

const now = new Date('2026-05-01T10:00:00.123Z');
const outcome = (
  status: 'True' | 'False',
  progress: Outcome['progress'],
  extra: Outcome['conditions'] = [],
): Outcome => ({
  status: { replicas: 2 },
  conditions: [{ type: 'Ready', status, reason: 'Accepted', message: 'so' }, ...extra],
  progress,
});
const before = (...conditions: readonly { type: string; status: string }[]) => ({
  ...widget('w', { generation: 4 }),
  status: {
    conditions: conditions.map((each) => ({
      ...each,
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Old',
      message: '',
    })),
  },
});
const types = (status: ReturnType<typeof statusOf>): string[] =>
  status.conditions.map(({ type }) => type);

describe('the status of an outcome', () => {
  test('holds what the reconciler found, the generation it saw and complete conditions', () => {
    expect(statusOf(widget('w', { generation: 3 }), outcome('True', 'settled'), now)).toEqual({
      replicas: 2,
      observedGeneration: 3,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          observedGeneration: 3,
          lastTransitionTime: '2026-05-01T10:00:00Z',
          reason: 'Accepted',
          message: 'so',
        },
      ],
    });
  });

  test('keeps the transition time while the status stays, whatever the reason', () => {
    const [ready] = statusOf(
      before({ type: 'Ready', status: 'False' }),
      outcome('False', 'settled'),
      now,
    ).conditions;
    expect(ready).toMatchObject({
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Accepted',
    });
  });

  test('moves the transition time when the status changes', () => {
    const [ready] = statusOf(
      before({ type: 'Ready', status: 'False' }),
      outcome('True', 'settled'),
      now,
    ).conditions;
    expect(ready?.lastTransitionTime).toBe('2026-05-01T10:00:00Z');
  });

  test('says Reconciling while work is under way and Stalled when only a user helps', () => {
    expect(types(statusOf(widget('w'), outcome('False', 'working'), now))).toEqual([
      'Ready',
      'Reconciling',
    ]);
    const stalled = statusOf(widget('w'), outcome('False', 'stalled'), now);
    expect(stalled.conditions[1]).toMatchObject({
      type: 'Stalled',
      status: 'True',
      reason: 'Accepted',
      message: 'so',
    });
    const was = before({ type: 'Ready', status: 'False' }, { type: 'Stalled', status: 'True' });
    expect(types(statusOf(was, outcome('True', 'settled'), now))).toEqual(['Ready']);
  });

  test('leaves known conditions where they stood and puts new ones behind', () => {
    const was = before({ type: 'B', status: 'True' }, { type: 'Ready', status: 'True' });
    const b = { type: 'B', status: 'True', reason: 'Ready', message: '' } as const;
    const c = { type: 'C', status: 'True', reason: 'Ready', message: '' } as const;
    expect(types(statusOf(was, outcome('True', 'settled', [c, b]), now))).toEqual([
      'B',
      'Ready',
      'C',
    ]);
  });

  test('states no type twice, and cuts a message the API server would refuse', () => {
    const twice = { type: 'Stalled', status: 'False', reason: 'Ready', message: '' } as const;
    const long = {
      type: 'Long',
      status: 'True',
      reason: 'Ready',
      message: 'x'.repeat(40_000),
    } as const;
    const status = statusOf(widget('w'), outcome('False', 'stalled', [twice, long]), now);
    expect(types(status).toSorted()).toEqual(['Long', 'Ready', 'Stalled']);
    expect(status.conditions.find(({ type }) => type === 'Stalled')?.status).toBe('True');
    expect(status.conditions.find(({ type }) => type === 'Long')?.message).toHaveLength(32_768);
  });
});
