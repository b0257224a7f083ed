import type { ResourceEvent } from '@dot-i/k8s-operator';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { CONFIG_MAP, LEASE } from './kubernetes-types.ts';
import { RELEASED, type LeaseSpec } from './lease.ts';
import { MemoryCluster } from './memory-cluster.ts';
import type { Reconciler } from './reconciler.ts';
import { configMap, WIDGET, widget } from './testing/objects.ts';
import { Base, started, stopped, TestOperator } from './testing/test-operator.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'kubectl' };
const KEY = { namespace: 'team', name: 'w' };
const FINALIZER = 'example.io/cleanup';
const lease = { namespace: 'system', name: 'operator' };

let clock: VirtualClock;
let cluster: MemoryCluster;

const reconcilerOf = (reconcile: Reconciler['reconcile']): Reconciler => ({
  type: WIDGET,
  fieldManager: 'test',
  owns: [],
  watches: [],
  permissions: [],
  reconcile,
});
const settled = (message = 'fine') => ({
  status: {},
  conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message } as const],
  progress: 'settled' as const,
});
const create = (name: string, metadata = {}) => cluster.create(WIDGET, widget(name, metadata), BY);

/** An operator with one `watchResource` handler, which is given the operator too. */
const watching = (
  onEvent: (event: ResourceEvent, operator: TestOperator) => Promise<void>,
  namespace?: string,
): Promise<TestOperator> =>
  started(clock, {
    cluster,
    declare: (operator) => operator.watch(WIDGET, (event) => onEvent(event, operator), namespace),
  });

beforeEach(() => {
  clock = new VirtualClock();
  cluster = new MemoryCluster(clock);
});

describe('the base class', () => {
  /** They reach the network, or hand out the means to. */
  const REACHES_OUT = [
    'applyAxiosKubeConfigAuth',
    'applyGaxiosKubeConfigAuth',
    'getCustomResourceApiUri',
    'resourceStatusRequest',
  ];
  const PURE = ['constructor', 'errorToJson'];
  const originals = new Map<string, PropertyDescriptor>();

  afterEach(() => {
    for (const [name, descriptor] of originals)
      Object.defineProperty(Base.prototype, name, descriptor);
    originals.clear();
  });

  test('has no method that does I/O and is not overridden or unreachable', () => {
    const overridden = Object.getOwnPropertyNames(Object.getPrototypeOf(TestOperator.prototype));
    const inherited = Object.getOwnPropertyNames(Base.prototype).filter(
      (name) => !overridden.includes(name),
    );
    expect(inherited.toSorted()).toEqual([...REACHES_OUT, ...PURE.slice(1)].toSorted());
  });

  test('makes no call in a whole life of an operator, with every method trapped', async () => {
    for (const name of Object.getOwnPropertyNames(Base.prototype)) {
      if (name === 'constructor') continue;
      const descriptor = Object.getOwnPropertyDescriptor(Base.prototype, name);
      if (descriptor !== undefined) originals.set(name, descriptor);
      Object.defineProperty(Base.prototype, name, {
        configurable: true,
        value: () => {
          throw new Error(`the base class's ${name} was reached`);
        },
      });
    }
    const failures: unknown[] = [];
    await create('w');
    const operator = await watching(async (event, self) => {
      try {
        if (await self.handleFinalizer(event, FINALIZER, async () => undefined)) return;
        if (String(event.type) === 'DELETED') return;
        await self.setStatus(event.meta, { phase: 'Seen' });
        await self.patchStatus(event.meta, { more: true });
      } catch (error) {
        failures.push(error);
      }
    });
    for (const api of ['kubeConfig', 'k8sApi'])
      Object.defineProperty(operator, api, {
        get: () => {
          throw new Error(`the base class's ${api} was used`);
        },
      });
    await clock.advance(1_000);
    expect(await cluster.get(WIDGET, KEY)).toMatchObject({ status: { phase: 'Seen', more: true } });
    await cluster.delete(WIDGET, KEY);
    await clock.advance(1_000);
    expect(await cluster.get(WIDGET, KEY)).toBeUndefined();
    await stopped(operator);
    expect(failures).toEqual([]);
  });

  test('refuses what cannot be done safely', async () => {
    const operator = new TestOperator({ clock, cluster });
    const methods = operator as unknown as Record<string, () => unknown>;
    expect(() => methods['setResourceFinalizers']?.()).toThrow('use handleResourceFinalizer');
    expect(() => methods['registerCustomResourceDefinition']?.()).toThrow('installed by the chart');
  });
});

describe('an operator', () => {
  test('is ready when its caches are filled, not before', async () => {
    const list = cluster.list.bind(cluster);
    const watch = cluster.watch.bind(cluster);
    let failing = true;
    cluster.watch = async function* (type, options) {
      if (failing) throw new ApiError(503, 'ServiceUnavailable', 'starting');
      yield* watch(type, options);
    };
    cluster.list = async (type, options) => {
      if (failing) throw new ApiError(503, 'ServiceUnavailable', 'starting');
      return list(type, options);
    };
    const operator = new TestOperator({
      clock,
      cluster,
      reconcilers: [reconcilerOf(async () => settled())],
    });
    expect(operator.ready).toBe(false);
    void operator.start();
    await clock.advance(5_000);
    expect([operator.ready, operator.leads]).toEqual([false, false]);
    failing = false;
    await clock.advance(10_000);
    expect([operator.ready, operator.leads]).toEqual([true, true]);
    await stopped(operator);
  });

  test('can be stopped before it has begun, and while its caches are filling', async () => {
    const early = new TestOperator({
      clock,
      cluster,
      reconcilers: [reconcilerOf(async () => settled())],
    });
    early.stop();
    await early.stopped();
    await early.start();
    cluster.list = () => Promise.reject(new Error('refused'));
    const filling = new TestOperator({
      clock,
      cluster,
      reconcilers: [reconcilerOf(async () => settled())],
    });
    const start = filling.start();
    await clock.advance(1_000);
    await stopped(filling);
    await start;
    expect(filling.leads).toBe(false);
  });

  test('finishes its passes before it hands over the Lease, and what they write counts', async () => {
    await create('w');
    const order: string[] = [];
    let release = (): void => undefined;
    const first = await started(clock, {
      cluster,
      lease,
      identity: 'first',
      reconcilers: [
        reconcilerOf(async (_object, pass) => {
          order.push('begins');
          await new Promise<void>((resolve) => (release = resolve));
          order.push(`ends, aborted: ${pass.signal.aborted}`);
          return settled('written at the end');
        }),
      ],
    });
    const holder = async (): Promise<unknown> =>
      ((await cluster.get(LEASE, lease)) as unknown as { spec: { holderIdentity: string } }).spec
        .holderIdentity;
    first.stop();
    await clock.advance(5_000);
    expect([order, await holder()]).toEqual([['begins'], 'first']);
    release();
    await first.stopped();
    expect(order).toEqual(['begins', 'ends, aborted: true']);
    expect(await holder()).toBe('');
    expect(await cluster.get(WIDGET, KEY)).toMatchObject({
      status: { conditions: [{ message: 'written at the end' }] },
    });
  });

  test('stands by while another leads, and takes over all objects when that one stops', async () => {
    const passes: string[] = [];
    const reconcilers = (who: string): readonly Reconciler[] => [
      reconcilerOf(async (object) => {
        passes.push(`${who} ${object.metadata.name}`);
        return settled();
      }),
    ];
    const first = await started(clock, {
      cluster,
      lease,
      identity: 'first',
      reconcilers: reconcilers('first'),
    });
    const second = await started(clock, {
      cluster,
      lease,
      identity: 'second',
      reconcilers: reconcilers('second'),
    });
    await create('w');
    await clock.advance(1_000);
    expect(passes).toEqual(['first w']);
    expect([second.ready, second.leads]).toEqual([true, false]);
    expect(second.debug()).toMatchObject({ widget: { ready: 0, active: [], delayed: [] } });
    await stopped(first);
    await clock.advance(3_000);
    expect(passes).toEqual(['first w', 'second w']);
    await stopped(second);
  });

  test('that loses the lead works again when it regains it', async () => {
    const passes: string[] = [];
    const operator = await started(clock, {
      cluster,
      lease,
      identity: 'one',
      reconcilers: [
        reconcilerOf(async (object, pass) => {
          const work = pass.background(`${passes.length}`, async () => 1);
          passes.push(`${object.metadata.name} ${work.state}`);
          return settled();
        }),
      ],
    });
    const take = (spec: LeaseSpec): Promise<unknown> =>
      cluster.patch(LEASE, lease, [{ op: 'add', path: '/spec', value: spec }], BY);
    await take({ holderIdentity: 'thief' });
    await clock.advance(2_500);
    expect(operator.leads).toBe(false);
    await create('w');
    await clock.advance(1_000);
    expect(passes).toEqual([]);
    await take(RELEASED);
    await clock.advance(2_500);
    expect(operator.leads).toBe(true);
    expect(passes.length).toBeGreaterThan(1);
    await stopped(operator);
  });

  test('watches only the namespaces it is told to', async () => {
    const passes: string[] = [];
    for (const namespace of ['one', 'two', 'three'])
      await cluster.create(WIDGET, widget(`in-${namespace}`, { namespace }), BY);
    const operator = await started(clock, {
      cluster,
      namespaces: ['one', 'three'],
      reconcilers: [
        reconcilerOf(async (object) => {
          passes.push(object.metadata.name);
          return settled();
        }),
      ],
    });
    expect(passes.toSorted()).toEqual(['in-one', 'in-three']);
    await stopped(operator);
  });

  test('shows observers everything at the beginning of a lead and each change once', async () => {
    await create('before');
    const seen: string[] = [];
    const operator = await started(clock, {
      cluster,
      declare: (self) =>
        self.observe(WIDGET, {
          changed: ({ type, object }) => seen.push(`${type} ${object.metadata.name}`),
          listed: (objects) => seen.push(`listed ${objects.length}`),
        }),
    });
    await create('after');
    await cluster.delete(WIDGET, { namespace: 'team', name: 'before' });
    await clock.advance(100);
    expect(seen).toEqual(['listed 1', 'ADDED after', 'DELETED before']);
    await stopped(operator);
    await create('unseen');
    expect(seen).toHaveLength(3);
  });

  test('survives an observer that throws', async () => {
    const operator = await started(clock, {
      cluster,
      declare: (self) =>
        self.observe(WIDGET, {
          changed: () => {
            throw new Error('observer broke');
          },
          listed: () => {
            throw new Error('observer broke');
          },
        }),
    });
    await create('w');
    await clock.advance(100);
    expect(operator.log.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(1);
    await stopped(operator);
  });
});

describe('watchResource', () => {
  test('calls a handler that throws again, and loses no event', async () => {
    const seen: string[] = [];
    let failures = 2;
    const operator = await watching(async (event) => {
      seen.push(`${String(event.type)} ${event.meta.name}`);
      if (failures-- > 0) throw new Error('not yet');
    });
    await create('w');
    await clock.advance(5_000);
    expect(seen).toEqual(['ADDED w', 'ADDED w', 'ADDED w']);
    await cluster.delete(WIDGET, KEY);
    await clock.advance(100);
    expect(seen.at(-1)).toBe('DELETED w');
    await stopped(operator);
  });

  test('handles different objects side by side and one object in order', async () => {
    let active = 0;
    let most = 0;
    const operator = await watching(async () => {
      most = Math.max(most, ++active);
      await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 1_000));
      active--;
    });
    for (const name of ['a', 'b', 'c']) await create(name);
    await clock.advance(5_000);
    expect(most).toBe(3);
    await stopped(operator);
  });

  test('tells of an object as added when a change comes before the handler has seen it', async () => {
    const seen: string[] = [];
    let failing = true;
    const operator = await watching(async (event) => {
      if (failing) throw new Error('not yet');
      seen.push(`${String(event.type)} ${event.meta.resourceVersion}`);
    });
    await create('w');
    await clock.advance(10);
    await cluster.patch(WIDGET, KEY, [{ op: 'add', path: '/spec/a', value: 1 }], BY);
    failing = false;
    await clock.advance(5_000);
    expect(seen).toEqual(['ADDED 2']);
    await stopped(operator);
  });

  test('keeps to a namespace', async () => {
    const seen: string[] = [];
    await cluster.create(WIDGET, widget('far', { namespace: 'elsewhere' }), BY);
    const operator = await watching(async ({ meta }) => void seen.push(meta.name), 'team');
    await create('near');
    await clock.advance(100);
    expect(seen).toEqual(['near']);
    await stopped(operator);
  });

  test('a status that cannot be written throws, and the handler is called again', async () => {
    const apply = cluster.apply.bind(cluster);
    let failing = true;
    cluster.apply = (type, object, options) =>
      failing
        ? Promise.reject(new ApiError(500, 'InternalError', 'etcd is away'))
        : apply(type, object, options);
    const errors: unknown[] = [];
    const operator = await watching(async (event, self) => {
      try {
        const meta = await self.setStatus(event.meta, { phase: 'Done' });
        expect(meta?.name).toBe('w');
      } catch (error) {
        errors.push(error);
        throw error;
      }
    });
    await create('w');
    await clock.advance(200);
    failing = false;
    await clock.advance(5_000);
    expect(errors[0]).toMatchObject({ code: 500 });
    expect(await cluster.get(WIDGET, KEY)).toMatchObject({ status: { phase: 'Done' } });
    await expect(
      operator.setStatus(
        {
          id: 'gadgets.example.io/v1',
          name: 'g',
          resourceVersion: '1',
          apiVersion: 'example.io/v1',
          kind: 'Gadget',
        },
        {},
      ),
    ).rejects.toThrow('gadgets.example.io/v1 is not watched');
    await stopped(operator);
  });

  test('handleResourceFinalizer puts on, cleans up and takes off, keeping those of others', async () => {
    const cleaned: string[] = [];
    const handled: string[] = [];
    let failing = true;
    const operator = await watching(async (event, self) => {
      const done = await self.handleFinalizer(event, FINALIZER, async ({ meta }) => {
        if (failing) throw new Error('bucket is busy');
        cleaned.push(meta.name);
      });
      if (!done) handled.push(String(event.type));
    });
    await create('w', { finalizers: ['foreign'] });
    await clock.advance(100);
    expect((await cluster.get(WIDGET, KEY))?.metadata.finalizers).toEqual(['foreign', FINALIZER]);
    await cluster.delete(WIDGET, KEY);
    await clock.advance(1_000);
    expect((await cluster.get(WIDGET, KEY))?.metadata.finalizers).toContain(FINALIZER);
    failing = false;
    await clock.advance(60_000);
    expect((await cluster.get(WIDGET, KEY))?.metadata.finalizers).toEqual(['foreign']);
    // Added, or modified by its finalizer, whichever the handler is told of first.
    expect([cleaned, handled.length]).toEqual([['w'], 1]);
    await stopped(operator);
  });
});

test('the memory cluster keeps other resources apart', async () => {
  await cluster.create(CONFIG_MAP, configMap('w'), BY);
  expect(await cluster.get(WIDGET, KEY)).toBeUndefined();
});
