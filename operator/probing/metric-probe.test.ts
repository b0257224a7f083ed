import { describe, expect, test } from '@jest/globals';
import { systemClock, type Clock } from '../runtime/clock.ts';
import type { GuardedRequest } from './guarded-request.ts';
import { createMetricProbe } from './metric-probe.ts';
import { aProbe, describeMetricProbe, group, signals } from './testing/metric-probe-contract.ts';

const settle = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

/** Time that is set by hand; a jump changes the wall alone. */
const handClock = () => {
  let [passed, jumped] = [0, 1_000_000];
  const clock: Clock = {
    ...systemClock,
    now: () => passed + jumped,
    monotonic: () => passed,
  };
  return {
    clock,
    advance: (ms: number) => {
      passed += ms;
    },
    jump: (ms: number) => {
      jumped += ms;
    },
  };
};

describeMetricProbe('the metric probe', () => {
  const { clock, advance } = handClock();
  const answers = new Map<string, unknown>();
  const http: GuardedRequest = ({ url }) =>
    Promise.resolve({
      ...{ status: 200, body: JSON.stringify(answers.get(url.replace('http://kpi/', ''))) },
    });
  return {
    probe: createMetricProbe(clock, http),
    says: (id, reading) => void answers.set(id, reading),
    now: () => clock.now(),
    advance,
  };
});

/** Servers whose answers come when the test says so. */
const slowServers = () => {
  const asked: string[] = [];
  const ends = new Map<string, (body: string) => void>();
  const http: GuardedRequest = async ({ url }) => {
    asked.push(url);
    return { status: 200, body: await new Promise<string>((resolve) => ends.set(url, resolve)) };
  };
  return { asked, ends, http };
};

describe('the metric probe, besides', () => {
  const since = new Date(0);

  test('takes a failure for a measurement without an answer', async () => {
    const probe = createMetricProbe(systemClock, () => Promise.reject(new Error('no route')));
    await probe.measure(group, [aProbe('rate')], signals());
    expect(probe.measurements(group.id, 'rate', since)).toEqual([
      { at: expect.any(Number), reading: { is: 'error', words: 'no route' } },
    ]);
  });

  test('hears what was asked although nobody waits for it any more', async () => {
    const { asked, ends, http } = slowServers();
    const probe = createMetricProbe(systemClock, http);
    const { stop } = signals();
    const first = new AbortController();
    const waiting = probe.measure(group, [aProbe('rate')], { wait: first.signal, stop });
    await settle();
    first.abort(new Error('another turn'));
    await expect(waiting).rejects.toThrow('another turn');
    const next = probe.measure(group, [aProbe('rate')], signals());
    await settle();
    expect(asked).toEqual(['http://kpi/rate']);
    ends.get('http://kpi/rate')?.('{"is":"value","value":1}');
    await next;
    expect(probe.measurements(group.id, 'rate', since)).toMatchObject([
      { reading: { is: 'value', value: 1 } },
    ]);
  });

  test('lets one host that hangs hold up no other namespace and host', async () => {
    const { asked, http } = slowServers();
    const probe = createMetricProbe(systemClock, http);
    const slow = Array.from({ length: 9 }, (_, i) => aProbe(`slow-${i}`));
    void probe.measure(group, slow, signals());
    const request = { ...aProbe('quick').request, url: 'http://quick/' };
    const quick = aProbe('quick', { request });
    void probe.measure({ id: 'uid-of-other', namespace: 'other' }, [quick], signals());
    await settle();
    expect(asked.filter((url) => url.startsWith('http://kpi/'))).toHaveLength(4);
    expect(asked).toContain('http://quick/');
  });

  test('forgets a question that is not asked any more', async () => {
    const http = () => Promise.resolve({ status: 200, body: '{"is":"value","value":1}' });
    const probe = createMetricProbe(systemClock, http);
    await probe.measure(group, [aProbe('old')], signals());
    await probe.measure(group, [aProbe('new')], signals());
    expect(probe.measurements(group.id, 'old', since)).toEqual([]);
    expect(probe.measurements(group.id, 'new', since)).toHaveLength(1);
  });

  test('takes no answer for a group that was forgotten meanwhile', async () => {
    const { ends, http } = slowServers();
    const probe = createMetricProbe(systemClock, http);
    const measured = probe.measure(group, [aProbe('rate')], signals());
    await settle();
    probe.forget(group.id);
    ends.get('http://kpi/rate')?.('{"is":"value","value":1}');
    await measured;
    expect(probe.measurements(group.id, 'rate', since)).toEqual([]);
  });

  test('keeps measurements as long ago as they are when the clock is set', async () => {
    const { clock, jump } = handClock();
    const http = () => Promise.resolve({ status: 200, body: '{"is":"value","value":1}' });
    const probe = createMetricProbe(clock, http);
    await probe.measure(group, [aProbe('rate')], signals());
    jump(3_600_000);
    expect(probe.measurements(group.id, 'rate', since)).toMatchObject([{ at: clock.now() }]);
  });
});
