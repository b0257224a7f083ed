import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { Informer } from './informer.ts';
import { configMap, WIDGET, widget } from './testing/objects.ts';
import { memoryMetrics } from './testing/recorders.ts';
import { ScriptedCluster } from './testing/scripted-cluster.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { CONFIG_MAP } from './kubernetes-types.ts';

const BY = { fieldManager: 'test' };
const keyOf = (name: string) => ({ namespace: 'team', name });

let clock: VirtualClock;
let cluster: ScriptedCluster;
let changes: string[];
let errors: { error: unknown; retryInMs: number }[];
let listenerErrors: unknown[];
let stop: AbortController;
let metrics: ReturnType<typeof memoryMetrics>;
let running: Promise<void>;

const informerOf = (options: Partial<ConstructorParameters<typeof Informer>[0]> = {}): Informer => {
  const informer = new Informer({
    cluster,
    type: WIDGET,
    clock,
    random: () => 0,
    metrics: metrics.informers,
    onError: (error, retryInMs) => void errors.push({ error, retryInMs }),
    onListenerError: (error) => void listenerErrors.push(error),
    ...options,
  });
  informer.onChange(({ type, object }, seen) =>
    changes.push(`${type} ${object.metadata.name} (${seen})`),
  );
  return informer;
};

const run = async (informer: Informer): Promise<Informer> => {
  running = informer.run(stop.signal);
  await clock.settle();
  return informer;
};
const create = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  cluster.create(WIDGET, widget(name, { labels }), BY);
const change = (name: string, value: string) =>
  cluster.patch(WIDGET, keyOf(name), [{ op: 'add', path: '/spec/value', value }], BY);
const lastWatch = () => cluster.watches.at(-1);
const names = (informer: Informer): string[] =>
  informer.cache.list().map(({ metadata }) => metadata.name);

beforeEach(() => {
  clock = new VirtualClock();
  cluster = new ScriptedCluster(clock);
  changes = [];
  errors = [];
  listenerErrors = [];
  stop = new AbortController();
  metrics = memoryMetrics();
});

afterEach(async () => {
  stop.abort();
  await running;
  expect(cluster.openWatches).toBe(0);
  expect(clock.nextIn).toBeUndefined();
});

describe('an informer', () => {
  test('lists in pages, then watches from there', async () => {
    for (let index = 0; index < 501; index++) await create(`w${index}`);
    const informer = await run(informerOf());
    expect(informer.hasSynced).toBe(true);
    expect(informer.cache.size).toBe(501);
    expect(cluster.lists).toHaveLength(2);
    expect(lastWatch()?.options.resourceVersion).toBe('501');
    await create('later');
    await change('w0', 'new');
    await cluster.delete(WIDGET, keyOf('w1'));
    await clock.settle();
    expect(changes.slice(501)).toEqual([
      'ADDED later (watch)',
      'MODIFIED w0 (watch)',
      'DELETED w1 (watch)',
    ]);
  });

  test('goes on from the last version it saw when a watch is cut, and misses nothing', async () => {
    const informer = await run(informerOf());
    await create('a');
    await clock.settle();
    lastWatch()?.end(new Error('connection reset'));
    await create('b');
    await clock.advance(300);
    expect(cluster.lists).toHaveLength(1);
    expect(lastWatch()?.options.resourceVersion).toBe('1');
    expect(names(informer)).toEqual(['a', 'b']);
    expect(metrics.measured.restarts).toEqual(['widgets error']);
  });

  test('a watch that the server closes is opened again without delay', async () => {
    await run(informerOf());
    await clock.advance(2_000);
    lastWatch()?.end();
    await clock.settle();
    expect(cluster.watches).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  test('watches that end as soon as they begin are not asked for in a busy loop', async () => {
    cluster.closing = true;
    await run(informerOf());
    await clock.advance(10_000);
    expect(cluster.watches.length).toBeLessThan(8);
    cluster.closing = false;
    await create('late');
    await clock.advance(30_000);
    expect(changes).toEqual(['ADDED late (watch)']);
  });

  test('an expired watch lists again, once', async () => {
    const informer = await run(informerOf());
    await create('a');
    await clock.settle();
    cluster.watchErrors.push(new ApiError(410, 'Expired', 'too old'));
    lastWatch()?.end(new Error('cut'));
    await clock.advance(5_000);
    expect(cluster.lists).toHaveLength(2);
    expect(names(informer)).toEqual(['a']);
    expect(changes).toEqual(['ADDED a (watch)']);
  });

  test('an expiry told as an event in the stream lists again, once', async () => {
    await run(informerOf());
    lastWatch()?.send({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    await clock.advance(5_000);
    expect(cluster.lists).toHaveLength(2);
    expect(metrics.measured.restarts).toEqual(['widgets expired']);
  });

  test('a list whose continuation expires begins again', async () => {
    for (let index = 0; index < 501; index++) await create(`w${index}`);
    const informer = informerOf();
    const list = cluster.list.bind(cluster);
    let compacted = false;
    cluster.list = async (type, options) => {
      if (options?.continueToken !== undefined && !compacted) {
        compacted = true;
        cluster.compact();
      }
      return list(type, options);
    };
    await run(informer);
    await clock.advance(1_000);
    expect(cluster.lists).toHaveLength(4);
    expect(informer.cache.size).toBe(501);
  });

  test('a stream that says nothing is taken for dead and opened again, within a minute', async () => {
    const informer = await run(informerOf());
    cluster.silent = true;
    await create('unseen');
    await clock.advance(45_000);
    expect(informer.cache.size).toBe(0);
    cluster.silent = false;
    await clock.advance(10_000);
    expect(names(informer)).toEqual(['unseen']);
    expect(metrics.measured.restarts).toEqual(['widgets silent']);
  });

  test('asks for streams that the server ends, with a bookmark, before that deadline', async () => {
    await run(informerOf({ random: () => 0.999 }));
    expect(lastWatch()?.options.timeoutSeconds).toBe(45);
  });

  test('takes the version of a bookmark, and no object', async () => {
    const informer = await run(informerOf());
    const bookmark = widget('none', { resourceVersion: '77' });
    lastWatch()?.send({ type: 'BOOKMARK', object: bookmark });
    await clock.advance(2_000);
    lastWatch()?.end();
    await clock.settle();
    expect(lastWatch()?.options.resourceVersion).toBe('77');
    expect(informer.cache.size).toBe(0);
  });

  test('reports what was deleted while no watch was open', async () => {
    await create('a');
    await create('b');
    const informer = await run(informerOf());
    cluster.watchErrors.push(new ApiError(410, 'Expired', 'too old'));
    lastWatch()?.end(new Error('cut'));
    await cluster.delete(WIDGET, keyOf('a'));
    await clock.advance(5_000);
    expect(names(informer)).toEqual(['b']);
    expect(changes.slice(2)).toEqual(['DELETED a (list)']);
  });

  test('reports both when an object was deleted and made again under its name', async () => {
    await create('a');
    await run(informerOf());
    cluster.watchErrors.push(new ApiError(410, 'Expired', 'too old'));
    lastWatch()?.end(new Error('cut'));
    await cluster.delete(WIDGET, keyOf('a'));
    await create('a');
    await clock.advance(5_000);
    expect(changes.slice(1)).toEqual(['DELETED a (list)', 'ADDED a (list)']);
  });

  test('a stale list neither deletes nor turns back what is newer', async () => {
    await create('a');
    const stale = await cluster.list(WIDGET);
    const informer = await run(informerOf());
    await create('b');
    await change('a', 'new');
    await clock.settle();
    cluster.staleLists.push(stale);
    cluster.watchErrors.push(new ApiError(410, 'Expired', 'too old'));
    lastWatch()?.end(new Error('cut'));
    await clock.advance(5_000);
    expect(names(informer)).toEqual(['a', 'b']);
    expect(informer.cache.get(keyOf('a'))?.metadata.resourceVersion).toBe('3');
    expect(changes.filter((each) => each.startsWith('DELETED'))).toEqual([]);
  });

  test('repeated and reordered events change nothing', async () => {
    const first = await create('a');
    const second = await change('a', 'new');
    const informer = await run(informerOf());
    lastWatch()?.send({ type: 'ADDED', object: first });
    lastWatch()?.send({ type: 'MODIFIED', object: second });
    await clock.settle();
    expect(changes).toEqual(['ADDED a (list)']);
    expect(informer.cache.get(keyOf('a'))?.metadata.resourceVersion).toBe('2');
  });

  test('backs off with growing delays and jitter, and obeys Retry-After', async () => {
    cluster.listErrors.push(
      new Error('refused'),
      new Error('refused'),
      new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 20 }),
    );
    const informer = await run(informerOf({ random: () => 0.5 }));
    await clock.advance(60_000);
    expect(errors.map(({ retryInMs }) => retryInMs)).toEqual([375, 750, 20_000]);
    expect(informer.hasSynced).toBe(true);
  });

  test('obeys Retry-After of a refused watch', async () => {
    cluster.watchErrors.push(
      new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 9 }),
    );
    await run(informerOf());
    expect(errors.map(({ retryInMs }) => retryInMs)).toEqual([9_000]);
  });

  test('stays unsynced while it may not list, and heals by itself', async () => {
    const forbidden = new ApiError(403, 'Forbidden', 'widgets is forbidden');
    cluster.listErrors.push(forbidden, forbidden, forbidden);
    const informer = await run(informerOf());
    await clock.advance(1_200);
    expect(informer.hasSynced).toBe(false);
    await clock.advance(60_000);
    expect(informer.hasSynced).toBe(true);
  });

  test('a resource the server does not know has no objects, until it is installed', async () => {
    const missing = (): Error => new ApiError(404, 'NotFound', 'the server could not find it');
    await create('a');
    cluster.listErrors.push(missing(), missing(), missing());
    const informer = await run(informerOf());
    await clock.advance(300);
    expect(informer.hasSynced).toBe(true);
    expect(informer.cache.size).toBe(0);
    await clock.advance(10_000);
    expect(names(informer)).toEqual(['a']);
  });

  test('when a watched resource is uninstalled, its objects are gone', async () => {
    await create('a');
    const informer = await run(informerOf());
    const missing = (): Error => new ApiError(404, 'NotFound', 'the server could not find it');
    cluster.watchErrors.push(missing());
    cluster.listErrors.push(missing(), missing());
    lastWatch()?.end(new Error('cut'));
    await clock.advance(3_000);
    expect(changes).toContain('DELETED a (list)');
    expect(informer.hasSynced).toBe(true);
  });

  test('takes in the answer to a write ahead of the watch, and reports it once', async () => {
    const informer = await run(informerOf());
    informer.learn(await create('a'));
    expect(changes).toEqual(['ADDED a (write)']);
    await clock.settle();
    expect(changes).toEqual(['ADDED a (write)']);
  });

  test('an answer that comes after the object has vanished does not revive it', async () => {
    const informer = await run(informerOf());
    await create('a');
    const answer = await change('a', 'new');
    await cluster.delete(WIDGET, keyOf('a'));
    await clock.settle();
    informer.learn(answer);
    expect(informer.cache.size).toBe(0);
  });

  test('learns only what it would also list', async () => {
    const informer = await run(informerOf({ labelSelector: 'team=blue', namespaces: ['team'] }));
    informer.learn(await create('red', { team: 'red' }));
    informer.learn(
      widget('far', { namespace: 'elsewhere', labels: { team: 'blue' }, resourceVersion: '9' }),
    );
    expect(informer.cache.size).toBe(0);
    informer.learn(await create('blue', { team: 'blue' }));
    expect(names(informer)).toEqual(['blue']);
  });

  test('an object whose labels cease to match is reported as deleted', async () => {
    const informer = await run(informerOf({ labelSelector: 'team=blue' }));
    await create('a', { team: 'blue' });
    await cluster.patch(
      WIDGET,
      keyOf('a'),
      [{ op: 'replace', path: '/metadata/labels/team', value: 'red' }],
      BY,
    );
    await clock.settle();
    expect(changes).toEqual(['ADDED a (watch)', 'DELETED a (watch)']);
    expect(informer.cache.size).toBe(0);
  });

  test('watches several namespaces behind one cache, and is synced when all are', async () => {
    await cluster.create(WIDGET, widget('a', { namespace: 'one' }), BY);
    await cluster.create(WIDGET, widget('b', { namespace: 'two' }), BY);
    await cluster.create(WIDGET, widget('c', { namespace: 'three' }), BY);
    cluster.listErrors.push(new Error('refused'));
    const informer = informerOf({ namespaces: ['one', 'two'] });
    const lists: number[] = [];
    informer.onList((objects) => lists.push(objects.length));
    await run(informer);
    expect(informer.hasSynced).toBe(false);
    await clock.advance(1_000);
    expect(informer.hasSynced).toBe(true);
    expect(names(informer).toSorted()).toEqual(['a', 'b']);
    expect(lists).toEqual([2]);
  });

  test("a listener's fault reaches neither the stream nor the other listeners", async () => {
    const informer = informerOf();
    const heard: string[] = [];
    informer.onChange(() => {
      throw new Error('listener is broken');
    });
    informer.onChange(({ object }) => heard.push(object.metadata.name));
    await run(informer);
    await create('a');
    await clock.settle();
    expect(heard).toEqual(['a']);
    expect(listenerErrors).toEqual([new Error('listener is broken')]);
    expect(errors).toEqual([]);
  });

  test('keeps who wrote, but not the field sets', async () => {
    const informer = await run(informerOf());
    informer.learn(
      widget('a', {
        uid: 'a',
        resourceVersion: '1',
        managedFields: [{ manager: 'kubectl', operation: 'Apply', fieldsV1: { big: {} } } as never],
      }),
    );
    expect(informer.cache.get(keyOf('a'))?.metadata.managedFields).toEqual([
      { manager: 'kubectl', operation: 'Apply' },
    ]);
  });

  test('sees only its own resource', async () => {
    const informer = await run(informerOf());
    await cluster.create(CONFIG_MAP, configMap('other'), BY);
    await clock.settle();
    expect(informer.cache.size).toBe(0);
  });
});
