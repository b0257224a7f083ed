import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Cluster } from './cluster.ts';
import { fenced } from './fenced-cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import { holderOf, type Lease } from './lease.ts';
import { MemoryCluster } from './memory-cluster.ts';
import type { Reconciler } from './reconciler.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { stopped, TestOperator } from './testing/test-operator.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'kubectl' };
const NAMESPACES = Array.from({ length: 24 }, (_, index) => `team-${index}`);
const lease = { namespace: 'system', name: 'operator' };

let clock: VirtualClock;
let cluster: MemoryCluster;
/** By namespace: who has reconciled its widget, in order. */
let passes: Map<string, string[]>;
let running: TestOperator[];

/** The same cluster, until it is cut off: what a process that was killed can still do. */
const mortal = (): { readonly on: Cluster; readonly kill: () => void } => {
  let alive = true;
  const cut = <T>(call: () => Promise<T>): Promise<T> =>
    alive ? call() : new Promise<T>(() => undefined);
  const open = fenced(cluster, () => Number.POSITIVE_INFINITY);
  return {
    kill: () => (alive = false),
    on: {
      ...open,
      get: (type, key) => cut(() => open.get(type, key)),
      list: (type, options) => cut(() => open.list(type, options)),
      apply: (type, object, options) => cut(() => open.apply(type, object, options)),
      create: (type, object, options) => cut(() => open.create(type, object, options)),
      patch: (type, key, operations, options) =>
        cut(() => open.patch(type, key, operations, options)),
      delete: (type, key, options) => cut(() => open.delete(type, key, options)),
    },
  };
};

const reconcilerOf = (identity: string): Reconciler => ({
  type: WIDGET,
  fieldManager: 'test',
  owns: [],
  watches: [],
  permissions: [],
  reconcile: async ({ metadata }) => {
    const namespace = metadata.namespace ?? '';
    passes.set(namespace, [...(passes.get(namespace) ?? []), identity]);
    return {
      status: { by: identity },
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message: 'fine' }],
      progress: 'settled',
    };
  },
});

const replica = (identity: string, on: Cluster = cluster, shards = 4): TestOperator => {
  const operator = new TestOperator({
    clock,
    cluster: on,
    identity,
    lease,
    shards,
    reconcilers: [reconcilerOf(identity)],
  });
  running.push(operator);
  void operator.start();
  return operator;
};

const holders = async (): Promise<readonly string[]> => {
  const { items } = await cluster.list<Lease>(LEASE);
  return items
    .filter(({ metadata }) => /^operator-\d+$/.test(metadata.name))
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .map(holderOf);
};

const spread = async (): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const holder of await holders()) counts[holder] = (counts[holder] ?? 0) + 1;
  return counts;
};

const change = async (value: number): Promise<void> => {
  passes.clear();
  for (const namespace of NAMESPACES)
    await cluster.patch(
      WIDGET,
      { namespace, name: 'w' },
      [{ op: 'add', path: '/spec/value', value }],
      BY,
    );
  await clock.advance(100);
};

beforeEach(async () => {
  clock = new VirtualClock();
  cluster = new MemoryCluster(clock);
  passes = new Map();
  running = [];
  for (const namespace of NAMESPACES) await cluster.create(WIDGET, widget('w', { namespace }), BY);
});

afterEach(async () => {
  const ends = running.map((each) => stopped(each));
  await clock.advance(30_000);
  await Promise.all(ends);
});

describe('shards', () => {
  test('are shared out evenly among replicas, and each object is one replica’s', async () => {
    for (const name of ['one', 'two', 'three']) replica(name);
    await clock.advance(20_000);
    expect(Object.values(await spread()).toSorted()).toEqual([1, 1, 2]);
    await change(1);
    expect([...passes.keys()]).toHaveLength(24);
    for (const by of passes.values()) expect(by).toHaveLength(1);
    expect(new Set([...passes.values()].flat()).size).toBe(3);
  });

  test('are all worked on by the only replica there is', async () => {
    const one = replica('one');
    await clock.advance(5_000);
    expect(await spread()).toEqual({ one: 4 });
    expect(one.leads).toBe(true);
    expect(Object.keys(one.debug())).toEqual(['widget-0', 'widget-1', 'widget-2', 'widget-3']);
    expect([...passes.values()].map((by) => by.join())).toEqual(NAMESPACES.map(() => 'one'));
  });

  test('move to a replica that joins, by handing over, until all have the same number', async () => {
    replica('one');
    await clock.advance(5_000);
    replica('two');
    await clock.advance(5_000);
    expect(await spread()).toEqual({ one: 2, two: 2 });
    await change(1);
    for (const by of passes.values()) expect(by).toHaveLength(1);
  });

  test('of a replica that stops are taken over at once', async () => {
    replica('one');
    const two = replica('two');
    await clock.advance(20_000);
    const before = await holders();
    expect(before.filter((each) => each === 'two')).toHaveLength(2);
    await stopped(two);
    await clock.advance(100);
    expect(await spread()).toEqual({ one: 4 });
    const { items } = await cluster.list(LEASE);
    expect(items.map(({ metadata }) => metadata.name)).not.toContain('operator-member-two');
  });

  test('of a replica that dies are taken over when it has been silent for a lease', async () => {
    replica('one');
    const two = mortal();
    replica('two', two.on);
    await clock.advance(20_000);
    two.kill();
    await clock.advance(12_000);
    expect(await spread()).toEqual({ one: 2, two: 2 });
    await clock.advance(12_000);
    expect(await spread()).toEqual({ one: 4 });
    await change(1);
    for (const by of passes.values()) expect(by).toEqual(['one']);
    const { items } = await cluster.list(LEASE);
    expect(items.map(({ metadata }) => metadata.name)).not.toContain('operator-member-two');
    // The dead one cannot stop: its calls are never answered.
    running.pop();
  });

  test('of one number are not worked on while there are leaders of another', async () => {
    replica('one', cluster, 1);
    await clock.advance(5_000);
    replica('two', cluster, 4);
    await clock.advance(60_000);
    await change(1);
    for (const by of passes.values()) expect(by).toEqual(['one']);
    const [one] = running;
    if (one !== undefined) await stopped(one);
    await clock.advance(5_000);
    expect(await spread()).toEqual({ two: 4 });
    replica('three', cluster, 8);
    await clock.advance(60_000);
    await change(2);
    for (const by of passes.values()) expect(by).toEqual(['two']);
  });

  test('show observers everything once, whatever shard it is in', async () => {
    const seen: string[] = [];
    const declare = (operator: TestOperator): void =>
      operator.observe(WIDGET, {
        changed: ({ object }) => seen.push(object.metadata.namespace ?? ''),
        listed: (objects) => seen.push(`listed ${objects.length}`),
      });
    for (const identity of ['one', 'two']) {
      const operator = new TestOperator({ clock, cluster, identity, lease, shards: 4, declare });
      running.push(operator);
      void operator.start();
    }
    await clock.advance(20_000);
    seen.length = 0;
    for (const namespace of NAMESPACES)
      await cluster.create(WIDGET, widget('x', { namespace }), BY);
    await clock.advance(100);
    expect(seen.toSorted()).toEqual(NAMESPACES.toSorted());
  });
});
