import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubernetesObject } from './resource-type.ts';
import { LEASE, NAMESPACE } from './kubernetes-types.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { holderOf, type Lease } from './lease.ts';
import { systemClock } from './clock.ts';
import { stopped, TestOperator } from './testing/test-operator.ts';

const times = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 };
const SHARDS = 6;

let cluster: KubernetesCluster;
let namespace: string;
let running: TestOperator[];

beforeEach(async () => {
  const config = new KubeConfig();
  config.loadFromFile(process.env['INTEGRATION_KUBECONFIG'] ?? '');
  cluster = new KubernetesCluster(config, { called: () => undefined });
  namespace = `shards-${Date.now()}`;
  running = [];
  const object: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  };
  await cluster.create(NAMESPACE, object, { fieldManager: 'test' });
});

afterEach(async () => {
  await Promise.all(running.map((each) => stopped(each)));
});

const replica = (identity: string): TestOperator => {
  const operator = new TestOperator({
    cluster,
    clock: systemClock,
    identity,
    lease: { namespace, name: 'operator' },
    leaseTimes: times,
    shards: SHARDS,
  });
  running.push(operator);
  void operator.start();
  return operator;
};

const spread = async (): Promise<string> => {
  const { items } = await cluster.list<Lease>(LEASE, { namespace });
  const counts = new Map<string, number>();
  for (const each of items.filter(({ metadata }) => /^operator-\d+$/.test(metadata.name)))
    counts.set(holderOf(each), (counts.get(holderOf(each)) ?? 0) + 1);
  return [...counts]
    .toSorted()
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
};

/** Looks until the shards are spread so; returns how long that took, in ms. */
const becomes = async (wanted: string): Promise<number> => {
  const startedAt = performance.now();
  for (;;) {
    const seen = await spread();
    const ms = performance.now() - startedAt;
    if (seen === wanted) return ms;
    if (ms > 20_000) throw new Error(`Wanted ${wanted}, but there is ${seen}.`);
  }
};

describe('shards on a real API server', () => {
  test('are spread over replicas that join and taken over within a second when one stops', async () => {
    replica('one');
    await becomes('one 6');
    const two = replica('two');
    await becomes('one 3, two 3');
    replica('three');
    await becomes('one 2, three 2, two 2');
    const ending = stopped(two);
    expect(await becomes('one 3, three 3')).toBeLessThan(1_000);
    await ending;
    const { items } = await cluster.list<Lease>(LEASE, { namespace });
    expect(items.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      'operator',
      ...Array.from({ length: SHARDS }, (_, index) => `operator-${index}`),
      'operator-member-one',
      'operator-member-three',
    ]);
  }, 60_000);
});
