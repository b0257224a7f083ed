import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  endsInitialEvents,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type Cluster,
  type WatchEvent,
  type WatchOptions,
} from '../cluster.ts';
import { CONFIG_MAP, CORE_EVENT } from '../kubernetes-types.ts';
import type { KubernetesObject } from '../resource-type.ts';

type ConfigMap = KubernetesObject & { readonly data?: Readonly<Record<string, string>> };

/** The controller manager puts this ConfigMap into every namespace. */
const ROOT_CA = 'kube-root-ca.crt';

export type ContractSubject = {
  readonly cluster: Cluster;
  /** A namespace of this test alone, that exists. */
  readonly namespace: string;
};

/** What this project relies on in an API server, whichever adapter stands for it. */
export const clusterContract = (name: string, subject: () => Promise<ContractSubject>): void => {
  let cluster: Cluster;
  let namespace: string;
  let watching: AbortController;
  const by = (fieldManager: string) => ({ fieldManager });
  const key = (of: string) => ({ namespace, name: of });
  const map = (of: string, data: Record<string, string>, metadata = {}): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: of, namespace, ...metadata },
    data,
  });
  const get = (of: string): Promise<ConfigMap | undefined> =>
    cluster.get<ConfigMap>(CONFIG_MAP, key(of));
  const caught = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => undefined,
      (error: unknown) => error,
    );

  const watch = (
    options: Pick<WatchOptions, 'resourceVersion'> & Partial<WatchOptions>,
  ): AsyncIterable<WatchEvent> =>
    cluster.watch(CONFIG_MAP, {
      namespace,
      timeoutSeconds: 10,
      signal: watching.signal,
      ...options,
    });

  /** The first events of a watch, without bookmarks, as `TYPE name`. */
  const events = async (
    from: string,
    count: number,
    selection: Pick<WatchOptions, 'labelSelector' | 'fieldSelector'> = {},
  ): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { type, object } of watch({ resourceVersion: from, ...selection })) {
      if (type === 'BOOKMARK' || type === 'ERROR') continue;
      if (object.metadata.name === ROOT_CA) continue;
      seen.push(`${type} ${object.metadata.name}`);
      if (seen.length === count) break;
    }
    return seen;
  };

  describe(`${name} as a cluster`, () => {
    beforeEach(async () => {
      ({ cluster, namespace } = await subject());
      watching = new AbortController();
    });
    afterEach(() => watching.abort());

    test('gets what was created, and undefined for what is not there', async () => {
      const made = await cluster.create<ConfigMap>(CONFIG_MAP, map('a', { x: '1' }), by('test'));
      expect(made.metadata.uid).toBeTruthy();
      expect(await get('a')).toMatchObject({ kind: 'ConfigMap', data: { x: '1' } });
      expect(await get('b')).toBeUndefined();
      expect(await get('..')).toBeUndefined();
    });

    test('creates nothing twice', async () => {
      await cluster.create(CONFIG_MAP, map('a', {}), by('test'));
      const error = await caught(cluster.create(CONFIG_MAP, map('a', {}), by('test')));
      expect([isAlreadyExists(error), isConflict(error)]).toEqual([true, false]);
    });

    test('lists in pages that all show one state', async () => {
      const paged = { labels: { paged: 'yes' } };
      for (const each of ['a', 'b', 'c'])
        await cluster.create(CONFIG_MAP, map(each, {}, paged), by('test'));
      const list = { namespace, limit: 2, labelSelector: 'paged' };
      const first = await cluster.list(CONFIG_MAP, list);
      await cluster.create(CONFIG_MAP, map('d', {}, paged), by('test'));
      expect(first.continueToken).toBeTruthy();
      const second = await cluster.list(CONFIG_MAP, {
        ...list,
        ...(first.continueToken !== undefined && { continueToken: first.continueToken }),
      });
      const names = [...first.items, ...second.items].map(({ metadata }) => metadata.name);
      expect(names).toEqual(['a', 'b', 'c']);
      expect(second.continueToken).toBeUndefined();
      expect(second.resourceVersion).toBe(first.resourceVersion);
      expect(first.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    });

    test('lists by label', async () => {
      await cluster.create(CONFIG_MAP, map('a', {}, { labels: { tier: 'x' } }), by('test'));
      await cluster.create(CONFIG_MAP, map('b', {}, { labels: { tier: 'y' } }), by('test'));
      const names = async (labelSelector: string): Promise<string[]> =>
        (await cluster.list(CONFIG_MAP, { namespace, labelSelector })).items
          .map(({ metadata }) => metadata.name)
          .filter((each) => each !== ROOT_CA);
      expect(await names('tier=x')).toEqual(['a']);
      expect(await names('tier!=x')).toEqual(['b']);
      expect(await names('tier')).toEqual(['a', 'b']);
      expect(await names('!tier')).toEqual([]);
    });

    test('lists by field', async () => {
      const told = (of: string, uid: string) => ({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: of, namespace },
        involvedObject: { kind: 'Job', namespace, name: 'train', uid },
        reason: 'FailedCreate',
      });
      await cluster.create(CORE_EVENT, told('a', 'uid-1'), by('test'));
      await cluster.create(CORE_EVENT, told('b', 'uid-2'), by('test'));
      const names = async (fieldSelector: string): Promise<string[]> =>
        (await cluster.list(CORE_EVENT, { namespace, fieldSelector })).items.map(
          ({ metadata }) => metadata.name,
        );
      expect(await names('involvedObject.uid=uid-1')).toEqual(['a']);
      expect(await names('involvedObject.uid!=uid-1')).toEqual(['b']);
      expect(await names('involvedObject.uid=uid-1,reason=Killing')).toEqual([]);
    });

    test('applies: makes, merges with other managers, and drops what is left out', async () => {
      await cluster.apply(CONFIG_MAP, map('a', { ours: '1', gone: '1' }), by('ours'));
      await cluster.apply(CONFIG_MAP, map('a', { theirs: '1' }), by('theirs'));
      await cluster.apply(CONFIG_MAP, map('a', { ours: '2' }), by('ours'));
      expect((await get('a'))?.data).toEqual({ ours: '2', theirs: '1' });
    });

    test('leaves to another what that one has changed, also when it is left out', async () => {
      await cluster.apply(CONFIG_MAP, map('a', { ours: '1', taken: '1' }), by('ours'));
      const change = [{ op: 'replace', path: '/data/taken', value: '2' } as const];
      await cluster.patch(CONFIG_MAP, key('a'), change, by('theirs'));
      await cluster.apply(CONFIG_MAP, map('a', { ours: '1' }), by('ours'));
      expect((await get('a'))?.data).toEqual({ ours: '1', taken: '2' });
    });

    test('an apply that changes nothing makes no new version', async () => {
      const first = await cluster.apply(CONFIG_MAP, map('a', { x: '1' }), by('ours'));
      const second = await cluster.apply(CONFIG_MAP, map('a', { x: '1' }), by('ours'));
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    });

    test('an apply for another uid is a conflict', async () => {
      await cluster.apply(CONFIG_MAP, map('a', { x: '1' }), by('ours'));
      const other = map('a', { x: '2' }, { uid: '00000000-0000-0000-0000-000000000000' });
      const error = await caught(cluster.apply(CONFIG_MAP, other, by('ours')));
      expect(isConflict(error)).toBe(true);
    });

    test('an apply to an earlier version is a conflict', async () => {
      const first = await cluster.apply(CONFIG_MAP, map('a', { x: '1' }), by('ours'));
      await cluster.apply(CONFIG_MAP, map('a', { x: '2' }), by('ours'));
      const { uid, resourceVersion } = first.metadata;
      const late = map('a', { x: '3' }, { uid, resourceVersion });
      expect(isConflict(await caught(cluster.apply(CONFIG_MAP, late, by('ours'))))).toBe(true);
      expect((await get('a'))?.data).toEqual({ x: '2' });
    });

    test('an apply without force takes nothing from another manager', async () => {
      const gently = { fieldManager: 'ours', force: false };
      await cluster.create(CONFIG_MAP, map('a', { made: '1', set: '1' }), by('maker'));
      await cluster.apply(CONFIG_MAP, map('a', { applied: '1' }), by('applier'));
      const change = [{ op: 'replace', path: '/data/set', value: '2' } as const];
      await cluster.patch(CONFIG_MAP, key('a'), change, by('patcher'));
      for (const field of ['made', 'applied', 'set']) {
        const wanted = map('a', { [field]: 'ours' });
        expect(isConflict(await caught(cluster.apply(CONFIG_MAP, wanted, gently)))).toBe(true);
      }
      const held = { made: '1', set: '2', applied: '1' };
      expect((await get('a'))?.data).toEqual(held);
      await cluster.apply(CONFIG_MAP, map('a', { made: '1', new: '1' }), gently);
      await cluster.apply(CONFIG_MAP, map('a', { made: '1', new: '2' }), gently);
      expect((await get('a'))?.data).toEqual({ ...held, new: '2' });
      await cluster.apply(CONFIG_MAP, map('a', { made: '2', new: '2' }), by('ours'));
      await cluster.apply(CONFIG_MAP, map('a', { made: '3', new: '2' }), gently);
      expect((await get('a'))?.data).toEqual({ ...held, made: '3', new: '2' });
    });

    test('a dry run stores nothing', async () => {
      await cluster.apply(CONFIG_MAP, map('a', { x: '1' }), { fieldManager: 'ours', dryRun: true });
      expect(await get('a')).toBeUndefined();
    });

    test('patches, and a test that does not hold is a conflict that changes nothing', async () => {
      await cluster.create(CONFIG_MAP, map('a', { x: '1' }), by('test'));
      await cluster.patch(
        CONFIG_MAP,
        key('a'),
        [
          { op: 'test', path: '/data/x', value: '1' },
          { op: 'replace', path: '/data/x', value: '2' },
        ],
        by('test'),
      );
      const error = await caught(
        cluster.patch(
          CONFIG_MAP,
          key('a'),
          [
            { op: 'test', path: '/data/x', value: '1' },
            { op: 'replace', path: '/data/x', value: '3' },
          ],
          by('test'),
        ),
      );
      expect(isConflict(error)).toBe(true);
      expect((await get('a'))?.data).toEqual({ x: '2' });
      const missing = cluster.patch(
        CONFIG_MAP,
        key('b'),
        [{ op: 'add', path: '/data', value: {} }],
        by('test'),
      );
      expect(isNotFound(await caught(missing))).toBe(true);
    });

    test('deletes what has that uid; what is gone already is fine', async () => {
      const made = await cluster.create(CONFIG_MAP, map('a', {}), by('test'));
      const other = { uid: '00000000-0000-0000-0000-000000000000' };
      expect(isConflict(await caught(cluster.delete(CONFIG_MAP, key('a'), other)))).toBe(true);
      const { uid = '' } = made.metadata;
      expect(await cluster.delete(CONFIG_MAP, key('a'), { uid })).toBeUndefined();
      expect(await get('a')).toBeUndefined();
      expect(await cluster.delete(CONFIG_MAP, key('a'))).toBeUndefined();
    });

    test('keeps an object with a finalizer until that is taken off', async () => {
      await cluster.create(CONFIG_MAP, map('a', {}, { finalizers: ['example.io/x'] }), by('test'));
      const answer = await cluster.delete(CONFIG_MAP, key('a'));
      expect(answer?.metadata.deletionTimestamp).toBeTruthy();
      expect((await get('a'))?.metadata).toMatchObject({
        deletionTimestamp: answer?.metadata.deletionTimestamp,
        resourceVersion: answer?.metadata.resourceVersion,
      });
      expect((await cluster.delete(CONFIG_MAP, key('a')))?.metadata.name).toBe('a');
      await cluster.patch(
        CONFIG_MAP,
        key('a'),
        [{ op: 'remove', path: '/metadata/finalizers/0' }],
        by('test'),
      );
      expect(await get('a')).toBeUndefined();
    });

    test('a watch tells in order what came after its version', async () => {
      await cluster.create(CONFIG_MAP, map('before', {}), by('test'));
      const { resourceVersion } = await cluster.list(CONFIG_MAP, { namespace });
      const seen = events(resourceVersion, 3);
      await cluster.create(CONFIG_MAP, map('a', { x: '1' }), by('test'));
      await cluster.apply(CONFIG_MAP, map('a', { x: '2' }), by('test'));
      await cluster.delete(CONFIG_MAP, key('a'));
      expect(await seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
      expect(await events(resourceVersion, 3)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    });

    test('a watch with a selector tells of what begins and ceases to match', async () => {
      const { resourceVersion } = await cluster.list(CONFIG_MAP, { namespace });
      await cluster.create(CONFIG_MAP, map('a', {}, { labels: { tier: 'x' } }), by('test'));
      for (const tier of ['y', 'x'])
        await cluster.patch(
          CONFIG_MAP,
          key('a'),
          [{ op: 'replace', path: '/metadata/labels/tier', value: tier }],
          by('test'),
        );
      expect(await events(resourceVersion, 3, { labelSelector: 'tier=x' })).toEqual([
        'ADDED a',
        'DELETED a',
        'ADDED a',
      ]);
    });

    test('a watch by field tells of those objects alone', async () => {
      const { resourceVersion } = await cluster.list(CONFIG_MAP, { namespace });
      for (const each of ['a', 'b']) await cluster.create(CONFIG_MAP, map(each, {}), by('test'));
      await cluster.delete(CONFIG_MAP, key('b'));
      const fieldSelector = 'metadata.name=b';
      expect(await events(resourceVersion, 2, { fieldSelector })).toEqual(['ADDED b', 'DELETED b']);
    });

    test('lists and watches metadata alone, under the kind it is of', async () => {
      const from = await cluster.list(CONFIG_MAP, { namespace });
      await cluster.create(CONFIG_MAP, map('a', { x: '1' }), by('test'));
      const list = await cluster.list(CONFIG_MAP, { namespace, metadataOnly: true });
      const listed = list.items.find(({ metadata }) => metadata.name === 'a');
      const fields = ['apiVersion', 'kind', 'metadata'];
      expect(listed).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
      expect(Object.keys(listed ?? {}).toSorted()).toEqual(fields);
      const { resourceVersion } = from;
      for await (const { type, object } of watch({ resourceVersion, metadataOnly: true })) {
        if (type === 'BOOKMARK' || type === 'ERROR' || object.metadata.name !== 'a') continue;
        expect(object).toEqual(listed);
        break;
      }
    });

    test('a watch with initial events shows what there is, says so, and goes on from there', async () => {
      for (const each of ['a', 'b', 'c'])
        await cluster.create(CONFIG_MAP, map(each, {}, { labels: { tier: 'x' } }), by('test'));
      await cluster.delete(CONFIG_MAP, key('b'));
      const latest = await cluster.list(CONFIG_MAP, { namespace });
      const seen: string[] = [];
      const selection = { resourceVersion: '', initialEvents: true, labelSelector: 'tier=x' };
      for await (const event of watch(selection)) {
        if (event.type === 'ERROR') throw new Error(event.object.message);
        const complete = endsInitialEvents(event);
        seen.push(complete ? 'complete' : `${event.type} ${event.object.metadata.name}`);
        if (event.type === 'DELETED') break;
        if (!complete) continue;
        const { resourceVersion } = event.object.metadata;
        expect(Number(resourceVersion)).toBeGreaterThanOrEqual(Number(latest.resourceVersion));
        await cluster.delete(CONFIG_MAP, key('c'));
      }
      expect(seen.slice(0, 2).toSorted()).toEqual(['ADDED a', 'ADDED c']);
      expect(seen.slice(2)).toEqual(['complete', 'DELETED c']);
    });

    test('a watch ends when it is told to', async () => {
      const { resourceVersion } = await cluster.list(CONFIG_MAP, { namespace });
      const seen = events(resourceVersion, 1).catch(() => ['aborted']);
      setImmediate(() => watching.abort());
      expect(['', 'aborted']).toContain((await seen).join());
    });
  });
};
