import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reason } from '../../crds/schema/conditions.ts';
import { ApiError } from './cluster.ts';
import { CONFIG_MAP, EVENT } from './kubernetes-types.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { TerminalError, type Outcome, type OwnObject, type Reconciler } from './reconciler.ts';
import type { KubernetesObject } from './resource-type.ts';
import { configMap, WIDGET, widget } from './testing/objects.ts';
import { ScriptedCluster } from './testing/scripted-cluster.ts';
import { started, stopped, type TestOperator } from './testing/test-operator.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'kubectl' };
const KEY = { namespace: 'team', name: 'w' };
const FINALIZER = 'example.io/cleanup';

let clock: VirtualClock;
let cluster: MemoryCluster;
let operator: TestOperator | undefined;
let writes: string[];

const ready = (reason: Reason = 'Ready', extra: Partial<Outcome> = {}): Outcome => ({
  status: {},
  conditions: [{ type: 'Ready', status: 'True', reason, message: 'fine' }],
  progress: 'settled',
  ...extra,
});

const run = async (parts: Partial<Reconciler>, workers = 4): Promise<string[]> => {
  const passes: string[] = [];
  const reconcile = parts.reconcile ?? (async () => ready());
  const reconciler: Reconciler = {
    type: WIDGET,
    fieldManager: 'test',
    owns: [CONFIG_MAP],
    watches: [],
    permissions: [],
    ...parts,
    reconcile: (object, pass) => {
      passes.push(object.metadata.name);
      return reconcile(object, pass);
    },
  };
  operator = await started(clock, { cluster, workers, reconcilers: [reconciler] });
  await clock.advance(100);
  return passes;
};

const stored = async (): Promise<OwnObject & { status: { conditions: readonly unknown[] } }> =>
  (await cluster.get(WIDGET, KEY)) as never;
const notes = async (): Promise<string[]> =>
  (
    await cluster.list<KubernetesObject & { type: string; reason: string; note: string }>(EVENT)
  ).items.map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
const createWidget = (metadata: Partial<KubernetesObject['metadata']> = {}) =>
  cluster.create(WIDGET, widget('w', metadata), BY);
const edit = (path: string, value: unknown) =>
  cluster.patch(WIDGET, KEY, [{ op: 'add', path, value }], BY);

/** Notes every call that writes, below what the operator sees. */
const spy = (): void => {
  writes = [];
  for (const verb of ['apply', 'create', 'patch', 'delete'] as const) {
    const original = cluster[verb].bind(cluster) as (...args: unknown[]) => Promise<unknown>;
    (cluster as unknown as Record<string, unknown>)[verb] = (...args: unknown[]) => {
      const [type, , options] = args as [{ plural: string }, unknown, { subresource?: string }];
      writes.push(`${verb} ${type.plural}${options?.subresource ? '/status' : ''}`);
      return original(...args);
    };
  }
};

beforeEach(() => {
  clock = new VirtualClock();
  cluster = new MemoryCluster(clock);
  operator = undefined;
});

afterEach(async () => {
  if (operator !== undefined) await stopped(operator);
});

describe('a pass', () => {
  test('ends with one write of status, which causes no further pass', async () => {
    await createWidget();
    spy();
    const passes = await run({});
    expect(passes).toEqual(['w']);
    expect(writes.filter((each) => each.includes('/status'))).toEqual(['apply widgets/status']);
    expect(await stored()).toMatchObject({
      status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] },
    });
  });

  test('that finds nothing new writes nothing', async () => {
    await createWidget();
    const passes = await run({
      reconcile: async (_object, pass) => {
        await pass.apply(CONFIG_MAP, configMap('w-config', { a: '1' }));
        return ready('Ready', { requeueAfterMs: 1_000 });
      },
    });
    spy();
    await clock.advance(5_000);
    expect(passes.length).toBeGreaterThan(4);
    expect(writes).toEqual([]);
  });

  test('does not happen while the object is paused, and does afterwards', async () => {
    await createWidget({ annotations: { 'mlops.pynomaly.io/paused': 'true' } });
    const passes = await run({});
    expect(passes).toEqual([]);
    await edit('/metadata/annotations', {});
    await clock.advance(100);
    expect(passes).toEqual(['w']);
  });

  test('happens again when spec, labels or annotations change, and not when status does', async () => {
    await createWidget();
    const passes = await run({});
    await edit('/status/foreign', true);
    await clock.advance(100);
    expect(passes).toHaveLength(1);
    await edit('/spec/value', 1);
    await clock.advance(100);
    await edit('/metadata/labels', { a: 'b' });
    await clock.advance(100);
    expect(passes).toHaveLength(3);
  });

  test('over an object that another controller of this process made happens at once', async () => {
    const passes = await run({
      owns: [],
      watches: [],
      reconcile: async (object, pass) => {
        if (object.metadata.name === 'w')
          await pass.ensure(WIDGET, widget('made'), { owned: false });
        return ready();
      },
    });
    await createWidget();
    await clock.advance(100);
    expect(passes).toEqual(['w', 'made']);
  });

  test('that throws comes back with growing delays and leaves an Event', async () => {
    await createWidget();
    let failures = 2;
    const passes = await run({
      reconcile: async () => {
        if (failures-- > 0) throw new Error('store is away');
        return ready();
      },
    });
    await clock.advance(10_000);
    expect(passes).toHaveLength(3);
    expect(await notes()).toEqual([
      'Warning InternalError: store is away (will be tried again)',
      'Normal Ready: fine',
    ]);
    expect(operator?.measured.results).toEqual(['error', 'error', 'success']);
  });

  test('that meets a server in trouble tells of it only when that lasts', async () => {
    await createWidget();
    let failures = 3;
    await run({
      reconcile: async () => {
        if (failures-- > 0) throw new ApiError(503, 'ServiceUnavailable', 'no leader');
        return ready();
      },
    });
    await clock.advance(10_000);
    expect(await notes()).toEqual(['Normal Ready: fine']);
    failures = 4;
    await edit('/spec/value', 1);
    await clock.advance(10_000);
    expect(await notes()).toContain('Warning InternalError: no leader (will be tried again)');
  });

  test('leaves one line in the log: what came of it, what it wrote, and its id', async () => {
    await createWidget();
    let failures = 1;
    await run({
      reconcile: async () => {
        if (failures-- > 0) throw new Error('store is away');
        return ready();
      },
    });
    await clock.advance(1_000);
    await edit('/metadata/annotations', { a: 'b' });
    await clock.advance(1_000);
    expect(operator?.log.lines.filter(({ fields }) => 'reconcileId' in fields)).toEqual([
      {
        level: 'warn',
        message: 'pass failed, will retry',
        fields: {
          key: 'team/w',
          reconcileId: 'widget-1',
          generation: 1,
          result: 'error',
          ms: 0,
          writes: 0,
          attempt: 1,
          retryInMs: 125,
          err: new Error('store is away'),
        },
      },
      {
        level: 'info',
        message: 'reconciled',
        fields: expect.objectContaining({ reconcileId: 'widget-2', result: 'success', writes: 1 }),
      },
      {
        level: 'debug',
        message: 'reconciled',
        fields: expect.objectContaining({ reconcileId: 'widget-3', result: 'success', writes: 0 }),
      },
    ]);
  });

  test('does not trust the cache about what it may have written without learning of it', async () => {
    const scripted = new ScriptedCluster(clock);
    cluster = scripted;
    await createWidget();
    const messages = ['first', 'second', 'first'];
    await run({
      reconcile: async () => {
        const [message = ''] = messages.splice(0, 1);
        scripted.silent = message === 'second';
        return {
          status: {},
          conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message }],
          progress: 'settled',
        };
      },
    });
    const apply = cluster.apply.bind(cluster);
    cluster.apply = async (...call: Parameters<typeof apply>) => {
      await apply(...call);
      cluster.apply = apply;
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    };
    await edit('/metadata/annotations', { a: 'b' });
    await clock.advance(1_000);
    expect(messages).toEqual([]);
    expect((await stored()).status.conditions[0]).toMatchObject({ message: 'first' });
  });

  test('in a namespace that is being deleted is neither retried with backoff nor told of', async () => {
    await createWidget();
    const passes = await run({
      reconcile: async () => {
        throw new ApiError(403, 'NamespaceTerminating', 'because it is being terminated');
      },
    });
    await clock.advance(10_000);
    // As each of its children that goes does.
    await edit('/metadata/annotations', { a: 'b' });
    await clock.advance(19_000);
    expect(passes).toEqual(['w']);
    expect(await notes()).toEqual([]);
    await clock.advance(2_000);
    expect(passes).toEqual(['w', 'w']);
  });

  test('in a namespace that is being deleted is worked for again once it is deleted itself', async () => {
    await createWidget();
    const finalized: string[] = [];
    await run({
      finalizer: FINALIZER,
      reconcile: async () => {
        throw new ApiError(403, 'NamespaceTerminating', 'because it is being terminated');
      },
      finalize: async ({ metadata }) => {
        finalized.push(metadata.name);
        return { done: true };
      },
    });
    await clock.advance(1_000);
    await cluster.delete(WIDGET, KEY);
    await clock.advance(1_000);
    expect(finalized).toEqual(['w']);
  });

  test('that failed half-way goes on where it stopped', async () => {
    await createWidget();
    spy();
    let failing = true;
    await run({
      reconcile: async (_object, pass) => {
        await pass.apply(CONFIG_MAP, configMap('first'));
        if (failing) {
          failing = false;
          throw new ApiError(500, 'InternalError', 'oops');
        }
        await pass.apply(CONFIG_MAP, configMap('second'));
        return ready();
      },
    });
    await clock.advance(1_000);
    expect(writes.filter((each) => !each.includes('events'))).toEqual([
      'apply configmaps',
      'apply configmaps',
      'apply widgets/status',
    ]);
  });

  test('with a TerminalError stalls the object, keeps its status and waits for a change', async () => {
    await createWidget();
    await edit('/status', { kept: 7 });
    const passes = await run({
      reconcile: async (object) => {
        if ((object.spec as { value?: number }).value === 2) return ready();
        throw new TerminalError('InvalidTemplate', 'value must be 2');
      },
    });
    await clock.advance(600_000);
    expect(passes).toHaveLength(1);
    expect(await stored()).toMatchObject({
      status: {
        kept: 7,
        conditions: [
          { type: 'Ready', status: 'False', reason: 'InvalidTemplate', message: 'value must be 2' },
          {
            type: 'Stalled',
            status: 'True',
            reason: 'InvalidTemplate',
            message: 'value must be 2',
          },
        ],
      },
    });
    expect(operator?.measured.results).toEqual(['stalled']);
    await edit('/spec/value', 2);
    await clock.advance(100);
    expect((await stored()).status.conditions).toHaveLength(1);
  });

  test('records an Event when Ready changes, and only then', async () => {
    await createWidget();
    let reason: Reason = 'Reconciling';
    await run({
      reconcile: async () => ready(reason, { requeueAfterMs: 1_000, status: { at: clock.now() } }),
    });
    await clock.advance(5_000);
    reason = 'Watching';
    await clock.advance(5_000);
    expect(await notes()).toEqual(['Normal Reconciling: fine', 'Normal Watching: fine']);
  });

  test('over an object that vanishes meanwhile ends quietly', async () => {
    await createWidget();
    await run({
      reconcile: async () => {
        await cluster.delete(WIDGET, KEY);
        return ready();
      },
    });
    await clock.advance(10_000);
    expect(await notes()).toEqual([]);
    expect(operator?.debug()).toEqual({
      widget: { ready: 0, retriesHeldBack: 0, active: [], delayed: [], failing: [] },
    });
  });

  test('reads only what its reconciler declared', async () => {
    await createWidget();
    await run({
      owns: [],
      reconcile: async (_object, pass) => {
        pass.cachedList(CONFIG_MAP);
        return ready();
      },
    });
    expect(await notes()).toEqual([
      expect.stringContaining('test reads configmaps, but neither owns nor watches it'),
    ]);
  });

  test('sees a background result once it is there, but not one of an earlier object of its name', async () => {
    await createWidget();
    const seen: string[] = [];
    await run({
      reconcile: async (object, pass) => {
        const { uid } = object.metadata;
        const work = pass.background('hash', async () => `of ${uid}`);
        if (work.state === 'done') seen.push(`${uid} sees ${work.value}`);
        return ready();
      },
    });
    await cluster.delete(WIDGET, KEY);
    await createWidget();
    await clock.advance(100);
    expect(seen).toEqual(['uid-1 sees of uid-1', expect.stringMatching(/^(uid-\d+) sees of \1$/)]);
  });
});

describe('finalizers', () => {
  test('are put on before the first pass and cost no second one', async () => {
    await createWidget();
    const seen: unknown[] = [];
    const passes = await run({
      finalizer: FINALIZER,
      reconcile: async (object) => {
        seen.push((await stored()).metadata.finalizers, object.metadata.finalizers);
        return ready();
      },
    });
    expect(seen).toEqual([[FINALIZER], [FINALIZER]]);
    expect(passes).toHaveLength(1);
  });

  test('are taken off again when there is no outside state', async () => {
    await createWidget({ finalizers: [FINALIZER, 'foreign'] });
    await run({ finalizer: FINALIZER, needsFinalizer: () => false });
    expect((await stored()).metadata.finalizers).toEqual(['foreign']);
  });

  test('hold the object until cleaning up is done', async () => {
    await createWidget();
    let done = false;
    let attempts = 0;
    await run({
      finalizer: FINALIZER,
      finalize: async () => {
        attempts++;
        return done ? { done } : { done, message: 'bucket is busy', requeueAfterMs: 1_000 };
      },
    });
    await cluster.delete(WIDGET, KEY);
    await clock.advance(3_500);
    expect(attempts).toBe(4);
    expect(await notes()).toContain('Warning Deleting: bucket is busy');
    done = true;
    await clock.advance(1_000);
    expect(await cluster.get(WIDGET, KEY)).toBeUndefined();
  });

  test('let the object go after the deadline, with an Event that says what is left', async () => {
    await createWidget();
    await run({
      finalizer: FINALIZER,
      finalize: async () => {
        throw new Error('bucket is unreachable');
      },
    });
    await cluster.delete(WIDGET, KEY);
    await clock.advance(30_000);
    expect(await cluster.get(WIDGET, KEY)).toBeDefined();
    await clock.advance(100_000);
    expect(await cluster.get(WIDGET, KEY)).toBeUndefined();
    expect((await notes()).at(-1)).toMatch(
      /^Warning CleanupFailed: Deleted without cleaning up, after \d+ s: bucket is unreachable$/,
    );
  });

  test('do not wait beyond the deadline for the next look', async () => {
    await createWidget();
    await run({
      finalizer: FINALIZER,
      finalize: async () => ({ done: false, message: 'busy', requeueAfterMs: 3_600_000 }),
    });
    await cluster.delete(WIDGET, KEY);
    await clock.advance(62_000);
    expect(await cluster.get(WIDGET, KEY)).toBeUndefined();
  });
});

describe('children', () => {
  const applying = (data: () => Readonly<Record<string, string>>): Partial<Reconciler> => ({
    reconcile: async (_object, pass) => {
      await pass.apply(CONFIG_MAP, configMap('child', data()));
      return ready();
    },
  });
  const child = { namespace: 'team', name: 'child' };

  test.each([
    [
      'edited',
      () => cluster.patch(CONFIG_MAP, child, [{ op: 'add', path: '/data/a', value: 'x' }], BY),
    ],
    ['deleted', () => cluster.delete(CONFIG_MAP, child)],
    [
      'unlabelled',
      () => cluster.patch(CONFIG_MAP, child, [{ op: 'remove', path: '/metadata/labels' }], BY),
    ],
  ])('%s by hand are set right again', async (_what, act) => {
    await createWidget();
    await run(applying(() => ({ a: '1' })));
    await act();
    await clock.advance(1_000);
    expect(await cluster.get(CONFIG_MAP, child)).toMatchObject({
      data: { a: '1' },
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'mlops-operator' } },
    });
  });

  test('that were taken from their owner are not taken back, and the owner says so', async () => {
    await createWidget();
    await run(applying(() => ({ a: '1' })));
    await cluster.patch(
      CONFIG_MAP,
      child,
      [{ op: 'remove', path: '/metadata/ownerReferences' }],
      BY,
    );
    await clock.advance(1_000);
    expect((await stored()).status.conditions[0]).toMatchObject({ reason: 'NameTaken' });
  });

  test('take no live reads, and never overwrite a name that was taken at the same moment', async () => {
    await createWidget();
    const gets: string[] = [];
    const get = cluster.get.bind(cluster);
    cluster.get = (type, key) => (gets.push(type.plural), get(type, key)) as never;
    let taken = false;
    await run({
      reconcile: async (_object, pass) => {
        if (!taken) await cluster.create(CONFIG_MAP, configMap('child', { a: 'theirs' }), BY);
        taken = true;
        await pass.apply(CONFIG_MAP, configMap('child', { a: 'ours' }));
        return ready();
      },
    });
    await clock.advance(1_000);
    expect(gets).toEqual([]);
    expect(await get(CONFIG_MAP, child)).toMatchObject({ data: { a: 'theirs' } });
    expect((await stored()).status.conditions[0]).toMatchObject({ reason: 'NameTaken' });
  });

  test('of which only metadata are cached are written when wanted otherwise or edited by hand', async () => {
    await createWidget();
    let value = '1';
    const passes = await run({
      metadataOnly: [CONFIG_MAP],
      reconcile: async (_object, pass) => {
        await pass.apply(CONFIG_MAP, configMap('child', { a: value }));
        expect(pass.owned(CONFIG_MAP).every((each) => !('data' in each))).toBe(true);
        return ready();
      },
    });
    await clock.advance(5_000);
    const atRest = passes.length;
    spy();
    await edit('/metadata/annotations', { a: 'b' });
    await clock.advance(5_000);
    expect([passes.length - atRest, writes]).toEqual([1, ['patch widgets']]);
    value = '2';
    await edit('/metadata/annotations', { a: 'c' });
    await clock.advance(5_000);
    expect(await cluster.get(CONFIG_MAP, child)).toMatchObject({ data: { a: '2' } });
    await cluster.patch(CONFIG_MAP, child, [{ op: 'add', path: '/data/a', value: 'x' }], BY);
    await clock.advance(5_000);
    expect(await cluster.get(CONFIG_MAP, child)).toMatchObject({ data: { a: '2' } });
  });

  test('of others are never adopted; when the name is free again, the object recovers', async () => {
    await createWidget();
    await cluster.create(CONFIG_MAP, configMap('child', { theirs: 'yes' }), BY);
    await run(applying(() => ({ a: '1' })));
    expect((await stored()).status.conditions[0]).toMatchObject({
      status: 'False',
      reason: 'NameTaken',
      message: expect.stringContaining('ConfigMap "child" in namespace "team" already exists'),
    });
    expect(await cluster.get(CONFIG_MAP, child)).toMatchObject({ data: { theirs: 'yes' } });
    await cluster.delete(CONFIG_MAP, child);
    await clock.advance(31_000);
    expect((await stored()).status.conditions[0]).toMatchObject({ status: 'True' });
  });

  test('left over from an earlier object of the name are waited for, not complained about', async () => {
    await createWidget();
    await cluster.create(
      CONFIG_MAP,
      {
        ...configMap('child'),
        metadata: {
          ...configMap('child').metadata,
          ownerReferences: [
            {
              apiVersion: 'example.io/v1',
              kind: 'Widget',
              name: 'w',
              uid: 'earlier',
              controller: true,
            },
          ],
        },
      },
      BY,
    );
    await run(applying(() => ({ a: '1' })));
    expect((await stored()).status).toBeUndefined();
    await cluster.delete(CONFIG_MAP, child);
    await clock.advance(2_000);
    expect((await stored()).status.conditions[0]).toMatchObject({ status: 'True' });
  });

  test('are made once by ensure, also when the answer of the first time was lost', async () => {
    await createWidget();
    const create = cluster.create.bind(cluster);
    let lost = false;
    cluster.create = async (type, object, options) => {
      const answer = await create(type, object, options);
      if (type === CONFIG_MAP && !lost) {
        lost = true;
        throw new Error('connection reset');
      }
      return answer as never;
    };
    await run({
      reconcile: async (_object, pass) => {
        const made = await pass.ensure(CONFIG_MAP, configMap('child'));
        return ready(made.metadata.uid === undefined ? 'InternalError' : 'Accepted');
      },
    });
    await clock.advance(1_000);
    expect((await stored()).status.conditions[0]).toMatchObject({ reason: 'Accepted' });
  });

  test('ensure does not take an object that someone else has made', async () => {
    await createWidget();
    await cluster.create(CONFIG_MAP, configMap('child', { theirs: 'yes' }), BY);
    await run({
      reconcile: async (_object, pass) => {
        await pass.ensure(CONFIG_MAP, configMap('child'));
        return ready();
      },
    });
    expect((await stored()).status.conditions[0]).toMatchObject({ reason: 'NameTaken' });
  });

  test('can be listed, read live and deleted; one that is gone is fine', async () => {
    await createWidget();
    let wanted = true;
    const counts: number[] = [];
    await run({
      reconcile: async (_object, pass) => {
        if (wanted) await pass.apply(CONFIG_MAP, configMap('child'));
        const owned = pass.owned(CONFIG_MAP);
        counts.push(owned.length);
        const live = await pass.live.get(CONFIG_MAP, child);
        if (!wanted && live !== undefined) {
          await pass.delete(CONFIG_MAP, live);
          await pass.delete(CONFIG_MAP, live);
        }
        expect(pass.cached(CONFIG_MAP, child)).toBe(owned[0]);
        pass.event('Normal', 'Watching', 'looked around');
        return ready();
      },
    });
    wanted = false;
    await edit('/spec/value', 1);
    await clock.advance(100);
    expect(await cluster.get(CONFIG_MAP, child)).toBeUndefined();
    expect(counts.at(-1)).toBe(0);
    expect(await notes()).toContain('Normal Watching: looked around');
  });
});

describe('watched objects', () => {
  const waking: Partial<Reconciler> = {
    owns: [],
    watches: [
      {
        type: CONFIG_MAP,
        keysFor: ({ metadata }, lookup) =>
          metadata.labels?.['for'] === undefined
            ? []
            : lookup
                .own(metadata.namespace ?? '')
                .map(({ metadata: { name } }) => ({ namespace: 'team', name }))
                .filter(({ name }) => name === metadata.labels?.['for']),
      },
    ],
  };
  const labelled = (target: string) => ({
    ...configMap('settings'),
    metadata: { ...configMap('settings').metadata, labels: { for: target } },
  });

  test('wake those they concern, before and after the change', async () => {
    await createWidget();
    await cluster.create(WIDGET, widget('v'), BY);
    await cluster.create(CONFIG_MAP, labelled('w'), BY);
    const passes = await run(waking);
    passes.length = 0;
    await cluster.patch(
      CONFIG_MAP,
      { namespace: 'team', name: 'settings' },
      [{ op: 'replace', path: '/metadata/labels/for', value: 'v' }],
      BY,
    );
    await clock.advance(100);
    expect(passes.toSorted()).toEqual(['v', 'w']);
  });

  test('are seen whole even when the type is owned too', async () => {
    await createWidget();
    await cluster.create(CONFIG_MAP, labelled('w'), BY);
    let seen = 0;
    const passes = await run({
      ...waking,
      owns: [CONFIG_MAP],
      reconcile: async (_object, pass) => {
        seen = pass.cachedList(CONFIG_MAP).length;
        return ready();
      },
    });
    expect(seen).toBe(1);
    await cluster.delete(CONFIG_MAP, { namespace: 'team', name: 'settings' });
    await clock.advance(100);
    expect(passes.length).toBeGreaterThan(1);
  });
});
