import { beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError, type Cluster } from './cluster.ts';
import { fenced, NotLeaderError } from './fenced-cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import { Leader } from './leader.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const lease = { namespace: 'system', name: 'operator' };

let clock: VirtualClock;
let cluster: MemoryCluster;

const candidate = (
  identity: string,
  { at = clock, on = cluster }: { readonly at?: VirtualClock; readonly on?: Cluster } = {},
) => {
  const stop = new AbortController();
  const told: boolean[] = [];
  const errors: unknown[] = [];
  const leader = new Leader({
    cluster: on,
    clock: at,
    lease,
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
    const writes = fenced(cluster, () => one.leader.leads);
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
      ...fenced(cluster, () => true),
      get: (type, key) => (hang ? new Promise(() => undefined) : cluster.get(type, key)),
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
      ...fenced(cluster, () => true),
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

describe('a fenced cluster', () => {
  test('reads always and writes only while it may', async () => {
    let may = true;
    const writes = fenced(cluster, () => may);
    const by = { fieldManager: 'x' };
    const key = { namespace: 'team', name: 'x' };
    await writes.create(WIDGET, widget('x'), by);
    await writes.apply(WIDGET, widget('x', {}, { a: 1 }), by);
    await writes.patch(WIDGET, key, [{ op: 'add', path: '/spec/b', value: 2 }], by);
    may = false;
    await expect(writes.apply(WIDGET, widget('x'), by)).rejects.toThrow('not the leader');
    await expect(writes.patch(WIDGET, key, [], by)).rejects.toThrow('not the leader');
    await expect(writes.delete(WIDGET, key)).rejects.toThrow('not the leader');
    expect(await writes.get(WIDGET, key)).toMatchObject({ spec: { a: 1, b: 2 } });
    expect((await writes.list(WIDGET)).items).toHaveLength(1);
    may = true;
    await writes.delete(WIDGET, key);
    expect(await writes.get(WIDGET, key)).toBeUndefined();
  });
});
