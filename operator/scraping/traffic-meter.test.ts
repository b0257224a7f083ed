import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { VirtualClock } from '../runtime/testing/virtual-clock.ts';
import type { PodAddress } from './pod-metrics.ts';
import { answering, metricsText, playPods, type PlayedPods } from './testing/played-pods.ts';
import { describeTrafficMeter } from './testing/traffic-meter-contract.ts';
import { createTrafficMeter, type TrafficMeter } from './traffic-meter.ts';

describeTrafficMeter('the meter that asks pods', async () => {
  const pods = await playPods();
  return {
    meter: createTrafficMeter(new VirtualClock(Date.parse('2026-01-01T00:00:10Z'))),
    pod: pods.address('iris-1'),
    answered: (requests, failed) => {
      // It began after the window: all of it counts.
      const startedAt = '2026-01-01T00:00:05Z';
      pods.answer(answering({ answered: requests - failed, failed, startedAt }));
    },
    fallsSilent: () => {
      pods.answer((request) => request.socket.destroy());
    },
    close: () => pods.close(),
  };
});

const START = '2026-01-01T00:00:00Z';
const at = (seconds: number): Date => new Date(Date.parse(START) + seconds * 1000);
const { signal } = new AbortController();

let clock: VirtualClock;
let meter: TrafficMeter;
let one: PlayedPods;
let two: PlayedPods;
beforeEach(async () => {
  clock = new VirtualClock(Date.parse(START));
  meter = createTrafficMeter(clock);
  [one, two] = [await playPods(), await playPods()];
});
afterEach(async () => {
  await Promise.all([one.close(), two.close()]);
});

const measure = (...pods: readonly PodAddress[]): Promise<void> =>
  meter.measure('candidate', pods, signal);
const window = (since: Date) => meter.window('candidate', since);
const requests = (since: Date): number => window(since).traffic.requests;

describe('a window over several pods', () => {
  test('has what all of them answered, with their durations', async () => {
    one.answer(answering({ answered: 100, fast: 90 }));
    two.answer(answering({ answered: 40 }));
    await measure(one.address('a'), two.address('b'));
    clock.freeze(30_000);
    one.answer(answering({ answered: 120, fast: 105, failed: 3 }));
    two.answer(answering({ answered: 50 }));
    await measure(one.address('a'), two.address('b'));
    expect(window(at(0))).toEqual({
      traffic: {
        requests: 33,
        failures: 3,
        durations: { bounds: [0.1, 1], counts: [25, 5, 0] },
      },
      from: at(0),
      to: at(30),
      silent: [],
    });
  });

  test('keeps what a pod answered that is gone, as long as the window reaches there', async () => {
    one.answer(answering({ answered: 10 }));
    two.answer(answering({ answered: 10 }));
    await measure(one.address('a'), two.address('b'));
    clock.freeze(10_000);
    two.answer(answering({ answered: 15 }));
    await measure(one.address('a'), two.address('b'));
    clock.freeze(10_000);
    one.answer(answering({ answered: 12 }));
    await measure(one.address('a'));
    expect(requests(at(0))).toBe(7);
    expect(requests(at(20))).toBe(0);
    clock.freeze(10_000);
    await measure(one.address('a'));
    expect(requests(at(0))).toBe(7);
  });

  test('counts on when a pod begins anew', async () => {
    one.answer(answering({ answered: 10 }));
    await measure(one.address('a'));
    clock.freeze(10_000);
    one.answer(answering({ answered: 4, failed: 1 }));
    await measure(one.address('a'));
    expect(window(at(0)).traffic).toMatchObject({ requests: 5, failures: 1 });
  });

  test('has the right traffic at once when the clock is set to another time', async () => {
    one.answer(answering({ answered: 10 }));
    await measure(one.address('a'));
    clock.jump(-3_600_000);
    clock.freeze(10_000);
    one.answer(answering({ answered: 12 }));
    await measure(one.address('a'));
    clock.freeze(10_000);
    one.answer(answering({ answered: 15 }));
    await measure(one.address('a'));
    expect(window(at(-3590))).toMatchObject({
      traffic: { requests: 3 },
      from: at(-3590),
      to: at(-3580),
    });
  });

  test('begins where it was asked to, however many measurements there are', async () => {
    one.answer(answering({ answered: 10 }));
    await measure(one.address('a'));
    for (let i = 1; i <= 300; i++) {
      clock.freeze(1_000);
      one.answer(answering({ answered: 10 + i }));
      expect(window(at(0)).from).toEqual(at(0));
      await measure(one.address('a'));
    }
    expect(requests(at(0))).toBe(300);
  });
});

describe('pods that cannot be believed or asked', () => {
  const measuredBeside = async (bad: PlayedPods, good: PlayedPods): Promise<readonly string[]> => {
    good.answer(answering({ answered: 5, startedAt: START }));
    await measure(bad.address('bad'), good.address('good'));
    expect(requests(at(-1))).toBe(5);
    return window(at(-1)).silent;
  };

  test('one that hangs is left after 2 s', async () => {
    one.answer(() => undefined);
    const asked = one.asked();
    const silent = measuredBeside(one, two);
    await asked;
    await clock.advance(2_000);
    expect(await silent).toEqual(['pod bad: no answer within 2 s']);
  });

  test('one that hangs within its answer, too', async () => {
    one.answer((_, response) => response.write('# TYPE'));
    const asked = one.asked();
    const silent = measuredBeside(one, two);
    await asked;
    await clock.advance(2_000);
    expect(await silent).toEqual(['pod bad: no answer within 2 s']);
  });

  test('one that sends garbage', async () => {
    one.answer((_, response) => response.end(Buffer.alloc(1000, 0xff)));
    const [reason, ...others] = await measuredBeside(one, two);
    expect(reason).toMatch(/^pod bad: no counter mlops_inference_requests_total in its answer/);
    expect(others).toEqual([]);
  });

  test('one that never stops sending', async () => {
    one.answer((_, response) => {
      const flood = (): void => {
        while (response.write(Buffer.alloc(65_536, 'a')));
      };
      response.on('drain', flood);
      flood();
    });
    expect(await measuredBeside(one, two)).toEqual(['pod bad: its answer is over 1 MiB']);
  });

  test('one that answers with another status or sends elsewhere', async () => {
    one.answer((_, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end(metricsText({ answered: 9 }));
    });
    expect(await measuredBeside(one, two)).toEqual(['pod bad: it answered status 302, not 200']);
  });

  test('one where nobody listens', async () => {
    const { port } = one.address('bad');
    await one.close();
    const silent = await measuredBeside(one, two);
    expect(silent).toEqual([
      expect.stringMatching(`^pod bad: .*connect ECONNREFUSED 127.0.0.1:${port}$`),
    ]);
    one = await playPods();
  });

  test('one with an address that is none', async () => {
    await measure({ ...one.address('bad'), ip: 'example.com' });
    expect(window(at(0)).silent).toEqual(['pod bad: its address must be an IP, not "example.com"']);
  });

  test('one with other buckets than those before it', async () => {
    one.answer((_, response) => {
      response.end(metricsText({ answered: 5 }).replace('le="0.1"', 'le="0.2"'));
    });
    two.answer(answering({ answered: 5 }));
    await measure(two.address('good'), one.address('bad'));
    expect(window(at(0)).silent).toEqual([
      'pod bad: mlops_inference_duration_seconds has the buckets 0.2 1, ' +
        "but those of the group's other pods are 0.1 1",
    ]);
  });

  test('what they answered before still counts, and they are heard again', async () => {
    one.answer(answering({ answered: 10 }));
    await measure(one.address('a'));
    one.answer((_, response) => response.writeHead(500).end());
    clock.freeze(10_000);
    await measure(one.address('a'));
    expect(window(at(0))).toMatchObject({ to: at(0), silent: [expect.stringContaining('500')] });
    one.answer(answering({ answered: 13 }));
    clock.freeze(10_000);
    await measure(one.address('a'));
    expect(window(at(0))).toMatchObject({ traffic: { requests: 3 }, to: at(20), silent: [] });
  });
});

describe('a measurement', () => {
  test('asks at most 8 pods at once, and all of them', async () => {
    const waiting: ServerResponse[] = [];
    let arrived = 0;
    let open = 0;
    let most = 0;
    one.answer((_, response) => {
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      waiting.push(response);
      if (![8, 16, 20].includes(++arrived)) return;
      for (const each of waiting.splice(0)) each.end(metricsText({ answered: 1 }));
    });
    await measure(...Array.from({ length: 20 }, (_, i) => one.address(`pod-${i}`)));
    expect([arrived, most]).toEqual([20, 8]);
    expect(window(at(0)).silent).toEqual([]);
  });

  test('that is called off underway is not taken', async () => {
    one.answer(() => undefined);
    const pass = new AbortController();
    const asked = one.asked();
    const measured = meter.measure('candidate', [one.address('a')], pass.signal);
    await asked;
    pass.abort(new Error('the pass has ended'));
    await expect(measured).rejects.toThrow('the pass has ended');
    expect(window(at(0)).silent).toEqual([]);
  });

  test('waits for the one before, so that no older answer is taken after a newer one', async () => {
    const waiting: ServerResponse[] = [];
    one.answer((_, response) => waiting.push(response));
    const asked = one.asked();
    const first = measure(one.address('a'));
    const second = measure(one.address('a'));
    await asked;
    one.answer(answering({ answered: 12 }));
    clock.freeze(1_000);
    waiting[0]?.end(metricsText({ answered: 10 }));
    await Promise.all([first, second]);
    expect(requests(at(0))).toBe(2);
  });

  test('of a group that is forgotten underway does not bring it back', async () => {
    one.answer((_, response) => {
      meter.forget('candidate');
      response.end(metricsText({ answered: 10 }));
    });
    await measure(one.address('a'));
    expect(window(at(-1)).from).toBeUndefined();
  });
});
