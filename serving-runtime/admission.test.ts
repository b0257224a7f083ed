import { describe, expect, test } from '@jest/globals';
import { Admission } from './admission.ts';

const patient = () => ({
  deadline: 60_000,
  isGone: () => false,
  onGone: (_listener: () => void) => () => undefined,
});

describe('admission', () => {
  test('lets as many in as may work at once, then in order of arrival', async () => {
    const admission = new Admission(1, 2, () => 0);
    const order: string[] = [];
    await admission.enter(patient());
    const first = admission.enter(patient()).then(() => order.push('first'));
    const second = admission.enter(patient()).then(() => order.push('second'));
    expect([admission.active, admission.waiting]).toEqual([1, 2]);
    admission.release();
    await first;
    admission.release();
    await second;
    expect(order).toEqual(['first', 'second']);
    admission.release();
    expect([admission.active, admission.waiting]).toEqual([0, 0]);
  });

  test('refuses at once, saying when to come back, when the queue is full', async () => {
    const admission = new Admission(1, 0, () => 0);
    await admission.enter(patient());
    await expect(admission.enter(patient())).rejects.toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
    });
  });

  test('gives up a place whose deadline passes', async () => {
    const admission = new Admission(1, 1, () => 59_999);
    await admission.enter(patient());
    await expect(admission.enter(patient())).rejects.toMatchObject({ status: 504 });
    expect(admission.waiting).toBe(0);
  });

  test('gives up a place whose client has gone', async () => {
    const admission = new Admission(1, 1, () => 0);
    await admission.enter(patient());
    let leave = () => undefined as void;
    const waiting = admission.enter({
      ...patient(),
      onGone: (listener) => {
        leave = listener;
        return () => undefined;
      },
    });
    leave();
    await expect(waiting).rejects.toMatchObject({ code: 'RequestTimeout' });
    admission.release();
    expect([admission.active, admission.waiting]).toEqual([0, 0]);
  });
});
