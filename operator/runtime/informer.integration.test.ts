import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from './clock.ts';
import type { WatchEvent, WatchOptions } from './cluster.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { CONFIG_MAP, NAMESPACE } from './kubernetes-types.ts';
import type { ResourceType } from './resource-type.ts';
import { configMap } from './testing/objects.ts';

jest.setTimeout(60_000);

const BY = { fieldManager: 'test' };
const FINALIZER = 'example.io/clean-up';

/** A real cluster whose watches can be made to lose what they tell. */
class LossyCluster extends KubernetesCluster {
  losing = false;

  override async *watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    for await (const event of super.watch(type, options)) if (!this.losing) yield event;
  }
}

let cluster: LossyCluster;
let namespace: string;
let calls: string[];
let stop: AbortController;
let running: Promise<void>;
let heard: string[];
let healed: number;

const started = async (options: Partial<InformerOptions> = {}): Promise<Informer> => {
  const informer = new Informer({
    cluster,
    type: CONFIG_MAP,
    namespaces: [namespace],
    labelSelector: 'role=test',
    clock: systemClock,
    random: Math.random,
    metrics: {
      restarted: () => undefined,
      cached: () => undefined,
      healed: (_resource, objects) => void (healed += objects),
    },
    onError: () => undefined,
    onListenerError: () => undefined,
    ...options,
  });
  informer.onChange(({ type, object }, seen) =>
    heard.push(`${type} ${object.metadata.name} (${seen})`),
  );
  running = informer.run(stop.signal);
  await informer.synced;
  return informer;
};

const create = (name: string, metadata = {}) => {
  const object = configMap(name, { x: '1' });
  const labels = { role: 'test' };
  return cluster.create(
    CONFIG_MAP,
    { ...object, metadata: { name, namespace, labels, ...metadata } },
    BY,
  );
};
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
};

beforeEach(async () => {
  calls = [];
  heard = [];
  healed = 0;
  stop = new AbortController();
  const config = new KubeConfig();
  config.loadFromString(await readFile(process.env['INTEGRATION_KUBECONFIG'] ?? '', 'utf8'));
  cluster = new LossyCluster(config, {
    called: (verb, resource, code) => void calls.push(`${verb} ${resource} ${code}`),
  });
  namespace = `informer-${randomUUID().slice(0, 8)}`;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.create(NAMESPACE, object, BY);
});

afterEach(async () => {
  stop.abort();
  await running;
});

describe('an informer of a real API server', () => {
  test('lists by a stream, and hears on it what changes', async () => {
    for (const name of ['a', 'b']) await create(name);
    calls = [];
    const informer = await started();
    expect(informer.cache.list()).toHaveLength(2);
    expect(calls).toEqual(['watch configmaps 200']);
    await create('c');
    await until(() => heard.length === 3);
    expect(heard).toEqual(['ADDED a (list)', 'ADDED b (list)', 'ADDED c (watch)']);
  });

  test('holds metadata alone, with every version that the objects have', async () => {
    const made = await create('a');
    const informer = await started({ metadataOnly: true });
    const key = { namespace, name: 'a' };
    expect(Object.keys(informer.cache.get(key) ?? {})).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(informer.cache.get(key)).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(informer.cache.get(key)?.metadata.uid).toBe(made.metadata.uid);
    const change = [{ op: 'add', path: '/data/y', value: '2' } as const];
    const changed = await cluster.patch(CONFIG_MAP, key, change, BY);
    await until(() => heard.length === 2);
    expect(informer.cache.get(key)?.metadata.resourceVersion).toBe(
      changed.metadata.resourceVersion,
    );
  });

  test('learns from the answers to deletions and to finalizers taken off', async () => {
    const kept = await create('kept', { finalizers: [FINALIZER] });
    const gone = await create('gone');
    const informer = await started();
    const [keptKey, goneKey] = [
      { namespace, name: 'kept' },
      { namespace, name: 'gone' },
    ];
    cluster.losing = true;
    informer.learnDeleted(gone, await cluster.delete(CONFIG_MAP, goneKey));
    informer.learnDeleted(kept, await cluster.delete(CONFIG_MAP, keptKey));
    expect(informer.cache.get(goneKey)).toBeUndefined();
    expect(informer.cache.get(keptKey)?.metadata.deletionTimestamp).toBeTruthy();
    const patch = [{ op: 'remove', path: '/metadata/finalizers' } as const];
    informer.learnDeleted(kept, await cluster.patch(CONFIG_MAP, keptKey, patch, BY));
    expect(informer.cache.size).toBe(0);
    expect(await cluster.get(CONFIG_MAP, keptKey)).toBeUndefined();
  });

  test('finds what its watch has lost by one list of metadata', async () => {
    for (const name of ['a', 'b']) await create(name);
    const informer = await started({ verifyMs: 1_000 });
    cluster.losing = true;
    await create('c');
    await cluster.delete(CONFIG_MAP, { namespace, name: 'b' });
    const change = [{ op: 'add', path: '/data/y', value: '2' } as const];
    await cluster.patch(CONFIG_MAP, { namespace, name: 'a' }, change, BY);
    calls = [];
    await until(() => healed > 0);
    expect(informer.cache.list().map(({ metadata }) => metadata.name)).toEqual(['a', 'c']);
    expect(informer.cache.get({ namespace, name: 'a' })).toMatchObject({
      data: { x: '1', y: '2' },
    });
    expect(healed).toBe(3);
    expect(calls.filter((each) => !each.startsWith('get'))).toEqual(['list configmaps 200']);
  });
});
