import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { startControlPlane, type ControlPlane } from '../../e2e/cluster/control-plane.ts';
import { systemClock, pause } from './clock.ts';
import { CONFIG_MAP, LEASE, NAMESPACE } from './kubernetes-types.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import type { OwnObject, Reconciler } from './reconciler.ts';
import type { KubernetesObject } from './resource-type.ts';
import { clusterContract } from './testing/cluster-contract.ts';
import { configMap } from './testing/objects.ts';
import { TestOperator, stopped } from './testing/test-operator.ts';

jest.setTimeout(120_000);

let dir: string;
let plane: ControlPlane;
let cluster: KubernetesCluster;
const calls: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runtime-'));
  plane = await startControlPlane({ dir });
  const config = new KubeConfig();
  config.loadFromString(await readFile(plane.kubeconfig, 'utf8'));
  cluster = new KubernetesCluster(config, {
    called: (verb, resource, code) => void calls.push(`${verb} ${resource} ${code}`),
  });
});

afterAll(async () => {
  await plane.stop();
  await rm(dir, { recursive: true, force: true });
});

const newNamespace = async (): Promise<string> => {
  const name = `runtime-${randomUUID().slice(0, 8)}`;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await cluster.create(NAMESPACE, object, { fieldManager: 'test' });
  return name;
};

clusterContract('a real API server', async () => ({ cluster, namespace: await newNamespace() }));

describe('a real API server', () => {
  test('sends a bookmark before it ends a stream, so that the next starts from a fresh version', async () => {
    const namespace = await newNamespace();
    const { resourceVersion } = await cluster.list(LEASE, { namespace });
    const types: string[] = [];
    const startedAt = Date.now();
    const stream = cluster.watch(LEASE, {
      namespace,
      resourceVersion,
      timeoutSeconds: 6,
      signal: new AbortController().signal,
    });
    for await (const { type } of stream) types.push(type);
    expect(types).toContain('BOOKMARK');
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });

  test('is asked on connections that are kept', async () => {
    const before = calls.length;
    for (let index = 0; index < 20; index++) await cluster.list(NAMESPACE, { limit: 1 });
    expect(calls.slice(before)).toEqual(Array.from({ length: 20 }, () => 'list namespaces 200'));
  });
});

/** Objects of this test are ConfigMaps with a label; each has one child, named after it. */
const copier: Reconciler = {
  type: CONFIG_MAP,
  fieldManager: 'copier',
  owns: [],
  watches: [],
  permissions: [],
  reconcile: async (object, pass) => {
    const { name, namespace = '', labels } = object.metadata;
    const { data } = object as OwnObject & { readonly data?: Readonly<Record<string, string>> };
    if (labels?.['role'] === 'source') {
      const child = {
        ...configMap(`${name}-copy`, data),
        metadata: { name: `${name}-copy`, namespace },
      };
      await pass.apply(CONFIG_MAP, child);
      // One more of a generated name would be made here by a pass that does not look.
      await pass.ensure(CONFIG_MAP, {
        ...configMap('once'),
        metadata: { name: `${name}-once`, namespace },
      });
    }
    return { status: {}, conditions: [], progress: 'settled' };
  },
};

describe('an operator on a real API server', () => {
  test('loses and doubles no child when the API server is killed while objects change', async () => {
    const namespace = await newNamespace();
    const operator = new TestOperator({
      cluster: withoutStatus(cluster),
      clock: systemClock,
      random: Math.random,
      namespace,
      reconcilers: [copier],
    });
    await operator.start();
    const source = (index: number, value: string): KubernetesObject => ({
      ...configMap(`s${index}`, { value }),
      metadata: { name: `s${index}`, namespace, labels: { role: 'source' } },
    });
    const write = async (index: number, value: string): Promise<void> => {
      for (;;) {
        try {
          await cluster.apply(CONFIG_MAP, source(index, value), { fieldManager: 'user' });
          return;
        } catch {
          // The server is down: this user tries again.
          await pause(systemClock, 200, new AbortController().signal);
        }
      }
    };
    for (let index = 0; index < 20; index++) await write(index, 'first');
    const restarting = plane.restartApiserver();
    await Promise.all(Array.from({ length: 30 }, (_, index) => write(index, 'second')));
    await restarting;
    const copies = async (): Promise<readonly (KubernetesObject & { data: { value: string } })[]> =>
      (
        await cluster.list<KubernetesObject & { data: { value: string } }>(CONFIG_MAP, {
          namespace,
        })
      ).items.filter(({ metadata }) => metadata.name.endsWith('-copy'));
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
      const now = await copies();
      if (now.length === 30 && now.every(({ data }) => data.value === 'second')) break;
      await pause(systemClock, 200, new AbortController().signal);
    }
    expect((await copies()).map(({ data }) => data.value)).toEqual(
      Array.from({ length: 30 }, () => 'second'),
    );
    const all = (await cluster.list(CONFIG_MAP, { namespace })).items.map(
      ({ metadata }) => metadata.name,
    );
    expect(all.filter((name) => name.endsWith('-once'))).toHaveLength(30);
    expect(new Set(all).size).toBe(all.length);
    expect(operator.ready).toBe(true);
    await stopped(operator);
  });
});

/** ConfigMaps have no status subresource; what would be written there is left out. */
const withoutStatus = (of: KubernetesCluster): KubernetesCluster =>
  new Proxy(of, {
    get: (target, name) => {
      if (name !== 'apply') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return (...[type, object, options]: Parameters<KubernetesCluster['apply']>) =>
        options.subresource === 'status'
          ? Promise.resolve(object)
          : target.apply(type, object, options);
    },
  });
