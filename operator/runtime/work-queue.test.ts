import { describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { memoryMetrics } from './testing/recorders.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { WorkQueue, type Handled } from './work-queue.ts';

const newQueue = ({ concurrency = 1, random = 0, backoffMs = 100 } = {}) => {
  const clock = new VirtualClock();
  const errors: { key: string; attempt: number; retryInMs: number }[] = [];
  const { measured, controller } = memoryMetrics();
  const queue = new WorkQueue({
    concurrency,
    backoff: { baseMs: backoffMs, maxMs: 600 * backoffMs },
    clock,
    random: () => random,
    metrics: controller,
    onError: (key, _error, attempt, retryInMs) => void errors.push({ key, attempt, retryInMs }),
  });
  return { clock, queue, errors, measured };
};

/** A handler whose passes end when they are told to. */
const heldHandler = () => {
  const started: string[] = [];
  const release: ((handled?: Handled) => void)[] = [];
  const handle = (key: string): Promise<Handled> => {
    started.push(key);
    return new Promise((resolve) => release.push((handled = {}) => resolve(handled)));
  };
  return { started, handle, endNext: (handled?: Handled) => release.shift()?.(handled) };
};

describe('work queue', () => {
  test('hands out a key once, however often it was added', async () => {
    const { clock, queue } = newQueue();
    const handled: string[] = [];
    for (const key of ['a/x', 'a/x', 'a/x']) queue.add(key);
    queue.start(async (key) => (handled.push(key), {}));
    await clock.settle();
    expect(handled).toEqual(['a/x']);
  });

  test('never handles one key twice at the same time, but once more when it was added meanwhile', async () => {
    const { clock, queue } = newQueue({ concurrency: 4 });
    const { started, handle, endNext } = heldHandler();
    queue.start(handle);
    queue.add('a/x');
    await clock.settle();
    queue.add('a/x');
    queue.add('a/x');
    await clock.settle();
    expect(started).toEqual(['a/x']);
    endNext();
    await clock.settle();
    expect(started).toEqual(['a/x', 'a/x']);
    endNext();
    await clock.settle();
    expect(started).toHaveLength(2);
  });

  test('handles different keys side by side, as many as it has workers', async () => {
    const { clock, queue } = newQueue({ concurrency: 2 });
    const { started, handle } = heldHandler();
    for (const key of ['a/1', 'a/2', 'a/3']) queue.add(key);
    queue.start(handle);
    await clock.settle();
    expect(started).toEqual(['a/1', 'a/2']);
  });

  test('retries what throws with growing delays, and forgets the failures after a success', async () => {
    const { clock, queue, errors, measured } = newQueue();
    const times: number[] = [];
    queue.start(async () => {
      times.push(clock.monotonic());
      if (times.length <= 3) throw new Error('not yet');
      return {};
    });
    queue.add('a/x');
    await clock.advance(1_000);
    expect(times).toEqual([0, 50, 150, 350]);
    expect(errors.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(measured.retries).toBe(3);
    expect(queue.snapshot()).toEqual({
      ready: 0,
      retriesHeldBack: 0,
      active: [],
      delayed: [],
      failing: [],
    });
  });

  test('waits as long as the API server asked for', async () => {
    const { clock, queue, errors } = newQueue();
    queue.start(async () => {
      throw new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 7 });
    });
    queue.add('a/x');
    await clock.settle();
    expect(errors).toEqual([{ key: 'a/x', attempt: 1, retryInMs: 7_000 }]);
  });

  test('is not hurried by news while the API server wants to be left alone', async () => {
    const { clock, queue } = newQueue();
    const times: number[] = [];
    queue.start(async () => {
      times.push(clock.monotonic());
      throw new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 3 });
    });
    queue.add('a/x');
    await clock.advance(1_000);
    queue.add('a/x');
    await clock.advance(2_500);
    expect(times).toEqual([0, 3_000]);
  });

  test('a pass that got something done is tried again as soon as after its first failure', async () => {
    const { clock, queue } = newQueue();
    const times: number[] = [];
    queue.start(async () => {
      times.push(clock.monotonic());
      return { error: new Error('broke off'), writes: times.length === 3 ? 1 : 0 };
    });
    queue.add('a/x');
    await clock.advance(600);
    expect(times).toEqual([0, 50, 150, 200, 300, 500]);
  });

  test('a server in trouble gets a trickle of retries, and quickly more as it recovers', async () => {
    const { clock, queue } = newQueue({ concurrency: 1_000, backoffMs: 10 });
    let passes = 0;
    let down = true;
    queue.start(async () => {
      passes += 1;
      return down ? { error: new ApiError(503, 'Unavailable', 'no leader') } : {};
    });
    for (let index = 0; index < 500; index++) queue.add(`a/${index}`);
    await clock.advance(10_000);
    // Each once, 100 retries at once, and 10 a second.
    expect(passes).toBeGreaterThan(690);
    expect(passes).toBeLessThanOrEqual(710);
    down = false;
    await clock.advance(1_000);
    expect(queue.snapshot()).toMatchObject({ ready: 0, delayed: [], failing: [] });
  });

  test('changes come before what is only looked at again, which still comes to its turn', async () => {
    const { clock, queue } = newQueue();
    for (let index = 0; index < 50; index++) queue.add(`a/old-${index}`, 'resync');
    for (let index = 0; index < 14; index++) queue.add(`b/new-${index}`, 'change');
    queue.add('a/old-49', 'change');
    const handled: string[] = [];
    queue.start(async (key) => (handled.push(key), {}));
    await clock.advance(1);
    for (let turn = 0; turn < 10; turn++) await clock.settle();
    const first = handled.slice(0, 17);
    expect(first.filter((key) => key.startsWith('b/'))).toHaveLength(14);
    expect(first).toContain('a/old-49');
    expect(first.filter((key) => key.startsWith('a/')).length).toBe(3);
    expect(handled).toHaveLength(64);
  });

  test('comes back after the time a handler asked for', async () => {
    const { clock, queue } = newQueue();
    const times: number[] = [];
    queue.start(async () => (times.push(clock.monotonic()), { requeueAfterMs: 400 }));
    queue.add('a/x');
    await clock.advance(1_000);
    expect(times).toEqual([0, 400, 800]);
  });

  test('of several delays for a key the earliest holds', async () => {
    const { clock, queue } = newQueue();
    const times: number[] = [];
    queue.start(async () => (times.push(clock.monotonic()), {}));
    queue.addAfter('a/x', 500);
    queue.addAfter('a/x', 200);
    queue.addAfter('a/x', 900);
    await clock.advance(2_000);
    expect(times).toEqual([200]);
  });

  test('a key that is added drops its delay', async () => {
    const { clock, queue } = newQueue();
    const times: number[] = [];
    queue.start(async () => (times.push(clock.monotonic()), {}));
    queue.addAfter('a/x', 500);
    queue.add('a/x');
    queue.addAfter('a/y', 0);
    await clock.advance(2_000);
    expect(times).toEqual([0, 0]);
  });

  test('a delay longer than timers can wait neither overflows nor spins', async () => {
    const { clock, queue } = newQueue();
    let passes = 0;
    queue.start(async () => (passes++, { requeueAfterMs: 90 * 24 * 3_600_000 }));
    queue.add('a/x');
    await clock.advance(1_000);
    expect(passes).toBe(1);
    expect(clock.nextIn).toBeLessThanOrEqual(2 ** 31 - 1);
  });

  test('a delay that is no number is an error of the handler, not a busy loop', async () => {
    const { clock, queue, errors } = newQueue();
    queue.start(async () => ({ requeueAfterMs: Number.NaN }));
    queue.add('a/x');
    await clock.settle();
    expect(errors).toHaveLength(1);
  });

  test('namespaces take turns, so that one full of work does not starve another', async () => {
    const { clock, queue } = newQueue();
    const handled: string[] = [];
    for (let index = 0; index < 100; index++) queue.add(`flood/${index}`);
    queue.add('quiet/1');
    queue.add('quiet/2');
    queue.start(async (key) => (handled.push(key), {}));
    await clock.settle();
    await clock.settle();
    expect(handled.slice(0, 4)).toEqual(['flood/0', 'quiet/1', 'flood/1', 'quiet/2']);
  });

  test('lets the event loop turn between keys', async () => {
    const { queue } = newQueue();
    let handled = 0;
    for (let index = 0; index < 50; index++) queue.add(`a/${index}`);
    queue.start(async () => (handled++, {}));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).toBeLessThan(50);
  });

  test('stop waits for the passes under way and hands out nothing more', async () => {
    const { clock, queue } = newQueue();
    const { started, handle, endNext } = heldHandler();
    queue.start(handle);
    queue.add('a/1');
    queue.add('a/2');
    await clock.settle();
    let stopped = false;
    const stopping = queue.stop().then(() => (stopped = true));
    await clock.settle();
    expect({ stopped, started }).toEqual({ stopped: false, started: ['a/1'] });
    endNext();
    await stopping;
    await clock.advance(100_000);
    expect(started).toEqual(['a/1']);
  });

  test('what waited, was delayed or failed during a stop is handled after the next start', async () => {
    const { clock, queue } = newQueue();
    const { started, handle, endNext } = heldHandler();
    queue.start(handle);
    queue.add('a/active');
    await clock.settle();
    queue.add('a/waiting');
    queue.addAfter('a/delayed', 60_000);
    const stopping = queue.stop();
    endNext({ requeueAfterMs: 5_000 });
    await stopping;
    const handled: string[] = [];
    queue.start(async (key) => (handled.push(key), {}));
    await clock.settle();
    expect(started).toEqual(['a/active']);
    expect(handled.toSorted()).toEqual(['a/active', 'a/delayed', 'a/waiting']);
  });

  test('forgets the failures and delays of an object that is gone', async () => {
    const { clock, queue } = newQueue();
    queue.start(async () => {
      throw new Error('never');
    });
    queue.add('a/x');
    await clock.settle();
    expect(queue.snapshot()).toMatchObject({
      delayed: [{ key: 'a/x', inMs: 50 }],
      failing: [{ key: 'a/x', attempts: 1, error: 'never' }],
    });
    queue.forget('a/x');
    expect(queue.snapshot()).toMatchObject({ delayed: [], failing: [] });
  });

  test('measures how long keys waited', async () => {
    const { clock, queue, measured } = newQueue();
    queue.add('a/x');
    await clock.advance(1_500);
    queue.start(async () => ({}));
    await clock.settle();
    expect(measured.waits).toEqual([1.5]);
    expect(measured.depth).toBe(0);
  });
});
