import { describe, expect, test } from '@jest/globals';
import { deliverDue } from './deliver.ts';
import type { Delivery } from './webhook-store.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const DELIVERY: Delivery = {
  id: 'd-1',
  event: 'registered_model.created',
  data: { name: 'digits' },
  happenedAt: 0,
  attempts: 1,
  webhook: {
    ...{ id: 'w-1', namespace: 'demo', name: 'ci', url: 'https://ci.example.com/hook' },
    ...{ events: ['registered_model.created'], active: true, createdAt: 0, updatedAt: 0 },
  },
};

/** One delivery that is due; what becomes of it in the outbox. */
const delivered = async (
  answer: () => Promise<number>,
  { attempts = 1, now = 0 } = {},
): Promise<readonly unknown[]> => {
  const fate: unknown[] = [];
  const due = [{ ...DELIVERY, attempts }];
  await deliverDue({
    outbox: {
      claim: async () => due.splice(0),
      done: async (id) => void fate.push(['done', id]),
      retry: async (...how) => void fate.push(['retry', ...how]),
    },
    request: async () => ({ status: await answer(), contentType: '', body: '' }),
    key: new Uint8Array(32),
    now: () => now,
    log: { warn: () => undefined },
    signal: new AbortController().signal,
  });
  return fate;
};

describe('an event that is due', () => {
  test.each([200, 204])('has been told where the answer is %d', async (status) => {
    expect(await delivered(async () => status)).toEqual([['done', 'd-1']]);
  });

  test.each([302, 404, 500])('is told again 5 s later where the answer is %d', async (status) => {
    const fate = await delivered(async () => status);
    expect(fate).toEqual([['retry', 'd-1', 5_000, `it answered status ${status}`]]);
  });

  test.each([
    [2, 10_000],
    [5, 80_000],
    [20, 60 * MINUTE],
  ])('after attempt %d it waits for %d ms', async (attempts, waits) => {
    const refused = async () => Promise.reject(new Error('connection refused'));
    const fate = await delivered(refused, { attempts });
    expect(fate).toEqual([['retry', 'd-1', waits, 'connection refused']]);
  });

  test('is dropped after a day', async () => {
    expect(await delivered(async () => 503, { attempts: 30, now: DAY })).toEqual([['done', 'd-1']]);
  });
});
