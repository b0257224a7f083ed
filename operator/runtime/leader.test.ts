import { beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError, type Cluster } from './cluster.ts';
import { fenced, NotLeaderError } from './fenced-cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import { Leader } from './leader.ts';
import { leaseObject } from './lease.ts';
import { LeaseTimesError, type LeaseTimes } from './lease-times.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'x' };
const lease = { namespace: 'system', name: 'operator' };

let clock: VirtualClock;
let cluster: MemoryCluster;

const candidate = (
  identity: string,
  {
    at = clock,
    on = cluster,
    times,
  }: { readonly at?: VirtualClock; readonly on?: Cluster; readonly times?: LeaseTimes } = {},
) => {
  const stop = new AbortController();
  const told: boolean[] = [];
  const errors: unknown[] = [];
  const leader = new Leader({
    cluster: on,
    clock: at,
    lease,
    times,
    identity,
    onError: (error) => errors.push(error),
    onChange: (leads) => told.push(leads),
  });
  const finished = leader.run(stop.signal);
  return {
    leader,
    told,
    errors,
    stop: async () => {
      stop.abort();
      await finished;
    },
  };
};

const unfenced = (): Cluster => fenced(cluster, () => Number.POSITIVE_INFINITY);
const holder = async (): Promise<unknown> =>
  ((await cluster.get(LEASE, lease)) as unknown as { spec: { holderIdentity: string } }).spec
    .holderIdentity;
const setSpec = (spec: unknown) =>
  cluster.patch(LEASE, lease, [{ op: 'add', path: '/spec', value: spec }], { fieldManager: 'x' });

beforeEach(() => {
  clock = new VirtualClock();
  cluster = new MemoryCluster(clock);
});

describe('leader election', () => {
  test('the first candidate leads and keeps renewing', async () => {
    const one = candidate('one');
    const two = candidate('two');
    await clock.advance(120_000);
    expect([one.leader.leads, two.leader.leads]).toEqual([true, false]);
    expect(one.told).toEqual([true]);
    expect(two.told).toEqual([]);
    await one.stop();
    await two.stop();
  });

  test('hands over at once on a graceful stop', async () => {
    const one = candidate('one');
    const two = candidate('two');
    await clock.advance(5_000);
    await one.stop();
    expect(await holder()).toBe('');
    expect(one.told).toEqual([true, false]);
    await clock.advance(2_000);
    expect(two.leader.leads).toBe(true);
    await two.stop();
  });

  test('a lease is taken only after it was seen unchanged for its whole duration', async () => {
    const one = candidate('one');
    await clock.settle();
    // Time stamps that look long expired, as from a clock that is hours behind.
    await setSpec({
      holderIdentity: 'gone',
      leaseDurationSeconds: 15,
      renewTime: '2001-01-01T00:00:00.000000Z',
    });
    const two = candidate('two');
    await clock.advance(14_000);
    expect(two.leader.leads).toBe(false);
    await clock.advance(4_000);
    expect([one.leader.leads, two.leader.leads].filter(Boolean)).toHaveLength(1);
    await one.stop();
    await two.stop();
  });

  test('a corrupt duration locks nobody out and lets nobody in early', async () => {
    const one = candidate('one');
    await clock.settle();
    await one.stop();
    await setSpec({ holderIdentity: '☠', leaseDurationSeconds: 0 });
    const two = candidate('two');
    await clock.advance(10_000);
    expect(two.leader.leads).toBe(false);
    await setSpec({ holderIdentity: '☠', leaseDurationSeconds: 2_000_000_000 });
    await clock.advance(18_000);
    expect(two.leader.leads).toBe(true);
    await two.stop();
  });

  test('a count of transitions that can grow no more locks nobody out', async () => {
    await cluster.create(LEASE, leaseObject(lease, {}), BY);
    await setSpec({
      holderIdentity: 'thief',
      leaseDurationSeconds: 15,
      leaseTransitions: 2_147_483_647,
    });
    const one = candidate('one');
    await clock.advance(18_000);
    expect(one.leader.leads).toBe(true);
    const taken = await cluster.get(LEASE, lease);
    // The server takes no larger number.
    expect(taken).toMatchObject({
      spec: { holderIdentity: 'one', leaseTransitions: 2_147_483_647 },
    });
    await one.stop();
  });

  test('clocks that disagree by ten minutes make no second leader', async () => {
    const one = candidate('one');
    const late = new VirtualClock(clock.now() + 600_000);
    const two = candidate('two', { at: late });
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      await late.advance(1_000);
      expect(two.leader.leads).toBe(false);
    }
    expect(one.leader.leads).toBe(true);
    await one.stop();
    await two.stop();
  });

  test('a wall clock that is turned back does not prolong the lead', async () => {
    const one = candidate('one');
    await clock.settle();
    clock.freeze(11_000);
    clock.jump(-3_600_000);
    expect(one.leader.leads).toBe(false);
    await one.stop();
  });

  test('a leader that was frozen does not lead when it wakes up, and its writes are refused', async () => {
    const awake = new VirtualClock();
    const one = candidate('one');
    const writes = fenced(cluster, () => one.leader.writeTimeMs);
    const two = candidate('two', { at: awake });
    await awake.advance(2_000);
    clock.freeze(20_000);
    await awake.advance(20_000);
    expect(two.leader.leads).toBe(true);
    expect(one.leader.leads).toBe(false);
    await expect(writes.create(WIDGET, widget('x'), { fieldManager: 'x' })).rejects.toThrow(
      NotLeaderError,
    );
    await clock.advance(2_000);
    expect(one.leader.leads).toBe(false);
    expect(one.told).toEqual([true, false]);
    await one.stop();
    expect(await holder()).toBe('two');
    await two.stop();
  });

  test('a leader whose lease was stolen stops at its next look, not at its deadline', async () => {
    const one = candidate('one');
    await clock.settle();
    await setSpec({ holderIdentity: 'thief', leaseDurationSeconds: 15 });
    await clock.advance(2_000);
    expect(one.leader.leads).toBe(false);
    expect(one.told).toEqual([true, false]);
    await one.stop();
    expect(await holder()).toBe('thief');
  });

  test('stops leading when it cannot renew, also while a call hangs', async () => {
    let hang = false;
    const hanging: Cluster = {
      ...unfenced(),
      get: (type, key) => (hang ? new Promise(() => undefined) : cluster.get(type, key)),
      patch: () => new Promise(() => undefined),
    };
    const one = candidate('one', { on: hanging });
    await clock.settle();
    hang = true;
    await clock.advance(11_000);
    expect(one.told).toEqual([true, false]);
  });

  test('calls that fail are reported and tried again', async () => {
    let failing = true;
    const flaky: Cluster = {
      ...unfenced(),
      get: (type, key) =>
        failing
          ? Promise.reject(new ApiError(500, 'InternalError', 'etcd is away'))
          : cluster.get(type, key),
    };
    const one = candidate('one', { on: flaky });
    await clock.advance(3_000);
    expect(one.errors).toHaveLength(2);
    failing = false;
    await clock.advance(2_000);
    expect(one.leader.leads).toBe(true);
    failing = true;
    await one.stop();
    expect(one.errors).toHaveLength(3);
  });

  test('of two that race for a new lease one wins, and losing is no error', async () => {
    const one = candidate('one');
    const two = candidate('two');
    await clock.settle();
    expect([one.leader.leads, two.leader.leads].filter(Boolean)).toHaveLength(1);
    expect([...one.errors, ...two.errors]).toEqual([]);
    await one.stop();
    await two.stop();
  });
});

describe('a lease that other hands have changed', () => {
  const pair = async () => {
    const one = candidate('one');
    await clock.settle();
    const two = candidate('two');
    await clock.advance(4_000);
    return { one, two };
  };

  test('is put back by its leader when it was deleted, and nobody else takes it', async () => {
    const { one, two } = await pair();
    await cluster.delete(LEASE, lease);
    await clock.advance(20);
    expect(await holder()).toBe('one');
    await clock.advance(30_000);
    expect([one.told, two.told]).toEqual([[true], []]);
    await one.stop();
    await two.stop();
  });

  test('is not taken before its time by one that saw it held, when it was deleted', async () => {
    const { one, two } = await pair();
    const renewals = one.leader.leads;
    cluster.create = async () => {
      throw new ApiError(500, 'InternalError', 'nobody may create');
    };
    await cluster.delete(LEASE, lease);
    await clock.advance(12_000);
    expect([renewals, one.leader.leads, two.leader.leads]).toEqual([true, false, false]);
    await one.stop();
    await two.stop();
  });

  test('is kept by its leader and refused by the others when its holder was emptied', async () => {
    const { one, two } = await pair();
    await setSpec({ holderIdentity: '' });
    await clock.advance(20);
    expect(await holder()).toBe('one');
    await setSpec({});
    await clock.advance(20);
    expect([await holder(), one.told, two.told]).toEqual(['one', [true], []]);
    await one.stop();
    await two.stop();
  });

  test('is not taken at once by the one whose name was written into it', async () => {
    const { one, two } = await pair();
    await setSpec({ holderIdentity: 'two', leaseDurationSeconds: 15 });
    await clock.advance(20);
    expect([one.leader.leads, two.leader.leads]).toEqual([false, false]);
    await clock.advance(20_000);
    expect([one.leader.leads, two.leader.leads].filter(Boolean)).toHaveLength(1);
    await one.stop();
    await two.stop();
  });

  test('makes its leader stand by at once when it was stolen', async () => {
    const { one, two } = await pair();
    await setSpec({ holderIdentity: 'thief', leaseDurationSeconds: 15 });
    await clock.advance(20);
    expect(one.leader.leads).toBe(false);
    expect(one.leader.writeTimeMs).toBe(0);
    await one.stop();
    await two.stop();
  });

  test('is waited for as long as its holder counts, when that is longer', async () => {
    await cluster.create(
      LEASE,
      leaseObject(lease, { holderIdentity: 'slow', leaseDurationSeconds: 60 }),
      BY,
    );
    const one = candidate('one');
    await clock.advance(58_000);
    expect(one.leader.leads).toBe(false);
    await clock.advance(4_000);
    expect(one.leader.leads).toBe(true);
    await one.stop();
  });
});

describe('the watch on a lease', () => {
  test('lets another take over within a moment of a graceful stop', async () => {
    const one = candidate('one');
    await clock.settle();
    const two = candidate('two');
    await clock.advance(2_100);
    await one.stop();
    await clock.advance(10);
    expect(two.leader.leads).toBe(true);
    await two.stop();
  });

  test('is only a hint: without it the lease is looked at all the same', async () => {
    // A server that refuses watches of Leases.
    const blind: Cluster = {
      ...unfenced(),
      // eslint-disable-next-line require-yield -- it never gets to yield
      async *watch() {
        throw new ApiError(403, 'Forbidden', 'no watch on leases');
      },
    };
    const one = candidate('one', { on: blind });
    await clock.settle();
    const two = candidate('two', { on: blind });
    await clock.advance(60_000);
    await one.stop();
    await clock.advance(2_000);
    expect(two.leader.leads).toBe(true);
    // Told once, not at each try.
    expect(two.errors).toHaveLength(1);
    await two.stop();
  });

  test('makes no calls of its own while the leader renews', async () => {
    let gets = 0;
    const counting: Cluster = {
      ...unfenced(),
      get: (type, key) => {
        gets += 1;
        return cluster.get(type, key);
      },
    };
    const one = candidate('one');
    await clock.settle();
    const two = candidate('two', { on: counting });
    await clock.advance(20_000);
    expect(gets).toBe(11);
    await one.stop();
    await two.stop();
  });
});

describe('the times of an election', () => {
  test('that could let two lead are refused', () => {
    const times = { leaseMs: 10_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
    expect(() => candidate('one', { times })).toThrow(LeaseTimesError);
    expect(() =>
      candidate('one', { times: { ...times, leaseMs: 15_000, retryMs: 10_000 } }),
    ).toThrow('lease > renew deadline > retry period > 0');
  });

  test('may be shortened', async () => {
    const times = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 };
    const asleep = new VirtualClock();
    const one = candidate('one', { at: asleep, times });
    await clock.settle();
    const two = candidate('two', { times });
    await clock.advance(2_900);
    asleep.freeze(2_900);
    expect([one.leader.leads, two.leader.leads]).toEqual([false, false]);
    await clock.advance(700);
    expect(two.leader.leads).toBe(true);
    await one.stop();
    await two.stop();
  });
});

describe('a fenced cluster', () => {
  const by = { fieldManager: 'x' };
  const key = { namespace: 'team', name: 'x' };

  test('reads always and writes only while it may', async () => {
    let timeMs = 1_000;
    const writes = fenced(cluster, () => timeMs);
    await writes.create(WIDGET, widget('x'), by);
    await writes.apply(WIDGET, widget('x', {}, { a: 1 }), by);
    await writes.patch(WIDGET, key, [{ op: 'add', path: '/spec/b', value: 2 }], by);
    timeMs = 0;
    await expect(writes.apply(WIDGET, widget('x'), by)).rejects.toThrow('not the leader');
    await expect(writes.patch(WIDGET, key, [], by)).rejects.toThrow('not the leader');
    await expect(writes.delete(WIDGET, key)).rejects.toThrow('not the leader');
    expect(await writes.get(WIDGET, key)).toMatchObject({ spec: { a: 1, b: 2 } });
    expect((await writes.list(WIDGET)).items).toHaveLength(1);
    timeMs = 1_000;
    await writes.delete(WIDGET, key);
    expect(await writes.get(WIDGET, key)).toBeUndefined();
  });

  test('gives a write the time in which nobody else can lead, and no more', async () => {
    const asked: unknown[] = [];
    const recording: Cluster = {
      ...unfenced(),
      create: async (_type, object, options) => {
        asked.push(options.withinMs);
        return object as never;
      },
    };
    const one = candidate('one');
    await clock.settle();
    const writes = fenced(recording, () => one.leader.writeTimeMs);
    await writes.create(WIDGET, widget('x'), by);
    // The last moment of a lead: 2.5 s for the write, and 2.5 s more until the lease has run out.
    clock.freeze(9_999);
    await writes.create(WIDGET, widget('x'), by);
    await writes.create(WIDGET, widget('x'), { ...by, withinMs: 100 });
    expect(asked).toEqual([12_500, 2_501, 100]);
    clock.freeze(1);
    await expect(writes.create(WIDGET, widget('x'), by)).rejects.toThrow(NotLeaderError);
    await one.stop();
  });
});
