import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { startControlPlane, type ControlPlane } from '../../e2e/cluster/control-plane.ts';
import { pause, systemClock } from './clock.ts';
import { CONFIG_MAP, NAMESPACE } from './kubernetes-types.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import type { OwnObject, Reconciler } from './reconciler.ts';
import { keyOf, type KubernetesObject } from './resource-type.ts';
import { configMap } from './testing/objects.ts';
import { stopped, TestOperator } from './testing/test-operator.ts';

jest.setTimeout(180_000);

const namespace = 'restart';
let dir: string;
let plane: ControlPlane;
let cluster: KubernetesCluster;
let cleanUp = async (): Promise<void> => undefined;

/** A control plane of its own, since others could not go on while its API server is killed. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runtime-'));
  plane = await startControlPlane({ dir });
  const config = new KubeConfig();
  config.loadFromString(await readFile(plane.kubeconfig, 'utf8'));
  cluster = new KubernetesCluster(config, { called: () => undefined });
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.create(NAMESPACE, object, { fieldManager: 'test' });
});

afterAll(async () => {
  await cleanUp();
  await plane.stop();
  await rm(dir, { recursive: true, force: true });
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
    const operator = new TestOperator({
      cluster: withoutStatus(cluster),
      clock: systemClock,
      random: Math.random,
      namespace,
      reconcilers: [copier],
    });
    await operator.start();
    cleanUp = () => stopped(operator);
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
    process.kill(await apiserverPid(), 'SIGKILL');
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
          ? target.get(type, keyOf(object))
          : target.apply(type, object, options);
    },
  });

/** The API server of this test's own control plane, by the folder in its command line. */
const apiserverPid = async (): Promise<number> => {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('kube-apiserver') && command.includes(dir)) return Number(pid);
  }
  throw new Error(`No kube-apiserver of ${dir} is running.`);
};
