import { describe, expect, test } from '@jest/globals';
import { fenced } from './fenced-cluster.ts';
import { CONFIG_MAP, SERVICE } from './kubernetes-types.ts';
import { MemoryCluster } from './memory-cluster.ts';
import type { Cluster } from './cluster.ts';
import type { KubernetesObject } from './resource-type.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { started, stopped } from './testing/test-operator.ts';
import { toyReconciler, type Outside } from './testing/toy.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'kubectl' };

/**
 * What an operator writes through, which lets `writes` of them reach the cluster and none after:
 * the last one is stored but its answer is lost, as when the process is killed.
 */
const mortal = (cluster: Cluster, writes: number): { readonly cluster: Cluster; count: number } => {
  const life = { count: 0, cluster };
  const call = async <T>(write: () => Promise<T>): Promise<T> => {
    life.count += 1;
    if (life.count > writes) throw new Error('the process is dead');
    const answer = await write();
    if (life.count === writes) throw new Error('killed before the answer came');
    return answer;
  };
  life.cluster = {
    ...fenced(cluster, () => Number.POSITIVE_INFINITY),
    apply: (type, object, options) => call(() => cluster.apply(type, object, options)),
    create: (type, object, options) => call(() => cluster.create(type, object, options)),
    patch: (type, key, patch, options) => call(() => cluster.patch(type, key, patch, options)),
    delete: (type, key, options) => call(() => cluster.delete(type, key, options)),
  };
  return life;
};

type Run = { readonly state: unknown; readonly writes: number };

/** Create two widgets, change one, delete the other; the operator dies after its k-th write. */
const live = async (k: number): Promise<Run> => {
  const clock = new VirtualClock();
  const cluster = new MemoryCluster(clock);
  const outside: Outside = new Set();
  const life = mortal(cluster, k);
  const reconcilers = [toyReconciler(outside)];
  let operator = await started(clock, { cluster: life.cluster, reconcilers });
  let dead = false;
  const rest = async (): Promise<void> => {
    await clock.advance(2_000);
    if (life.count < k || dead) return;
    dead = true;
    await stopped(operator);
    operator = await started(clock, { cluster, reconcilers });
    await clock.advance(2_000);
  };
  await cluster.create(WIDGET, widget('kept', {}, { value: 'one' }), BY);
  await cluster.create(WIDGET, widget('dropped', {}, { value: 'one' }), BY);
  await rest();
  await cluster.patch(
    WIDGET,
    { namespace: 'team', name: 'kept' },
    [{ op: 'replace', path: '/spec/value', value: 'two' }],
    BY,
  );
  await rest();
  await cluster.delete(WIDGET, { namespace: 'team', name: 'dropped' });
  await rest();
  await stopped(operator);
  return { state: await stateOf(cluster, outside), writes: life.count };
};

const stateOf = async (cluster: Cluster, outside: Outside): Promise<unknown> => {
  const lists = await Promise.all([WIDGET, CONFIG_MAP, SERVICE].map((type) => cluster.list(type)));
  return { outside: [...outside], objects: lists.flatMap(({ items }) => items.map(timeless)) };
};

/** What may differ from run to run: when something was written, and its uid. */
const timeless = (object: KubernetesObject): unknown =>
  JSON.parse(
    JSON.stringify(object, (name, value: unknown) =>
      [
        'resourceVersion',
        'uid',
        'time',
        'creationTimestamp',
        'lastTransitionTime',
        'mlops.pynomaly.io/applied',
      ].includes(name)
        ? undefined
        : value,
    ),
  );

describe('an operator killed after its k-th write', () => {
  test('and started again leaves the same as one that was never killed, for every k', async () => {
    const clean = await live(Number.POSITIVE_INFINITY);
    expect(clean.state).toMatchObject({
      outside: ['kept'],
      objects: [
        { kind: 'Widget', status: { value: 'two' } },
        { kind: 'ConfigMap', data: { value: 'two' } },
        { kind: 'Service' },
      ],
    });
    expect(clean.writes).toBeGreaterThan(8);
    for (let k = 1; k <= clean.writes; k++) {
      const { state } = await live(k);
      expect({ k, state }).toEqual({ k, state: clean.state });
    }
  });
});
