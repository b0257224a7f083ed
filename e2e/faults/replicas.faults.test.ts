import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { installPackages } from '../cluster/debian-packages.ts';
import { createProgress } from '../cluster/progress.ts';
import { join } from 'node:path';
import { converged, createApps, names } from './harness/apps.ts';
import type { KubeObject } from './harness/kube-client.ts';
import type { OperatorProcess } from './harness/operator-process.ts';
import { figure, note } from './harness/settings.ts';
import { Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';
import type { FaultProxy } from './proxy/fault-proxy.ts';

jest.setTimeout(300_000);

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

type Replica = {
  readonly name: string;
  readonly process: OperatorProcess;
  readonly proxy: FaultProxy;
};
type Lease = KubeObject & { readonly spec: { readonly holderIdentity?: string } };

const leasePath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/app-operator`;

const holder = async (namespace: string): Promise<string> =>
  ((await stage.kube.find(leasePath(namespace))) as Lease | undefined)?.spec.holderIdentity ?? '';

/** What a replica wrote but for its Lease; attempts count too, whatever they were answered. */
const writesOf = ({ proxy }: Replica): number =>
  proxy.calls.count({ write: true, exceptResources: ['leases'] });

const replicas = async (
  name: string,
  under: Readonly<Record<string, readonly string[]>>,
): Promise<{ readonly namespace: string; readonly all: readonly Replica[] }> => {
  const { namespace, newProxy, operator } = await stage.newCase(name);
  const all: Replica[] = [];
  for (const [name, command] of Object.entries(under)) {
    const proxy = await newProxy();
    const args = ['--namespace', namespace, '--lease', `${namespace}/app-operator`];
    const process = operator([...args, '--identity', name], { under: command }, proxy);
    all.push({ name, process, proxy });
  }
  return { namespace, all };
};

const leaderAmong = async (
  namespace: string,
  all: readonly Replica[],
): Promise<readonly [Replica, Replica]> => {
  const led = await until('a leader', 40, async () => {
    const name = await holder(namespace);
    return all.find((each) => each.name === name);
  });
  const other = all.find((each) => each !== led);
  if (other === undefined) throw new Error('There is one replica only.');
  return [led, other];
};

const work = async (namespace: string, prefix: string, total: number, seconds = 60) => {
  await createApps(stage.kube, namespace, names(5, prefix), 'value');
  return converged(stage.kube, namespace, { count: total, value: 'value', seconds });
};

describe('two replicas', () => {
  test('2: when the leader is stopped for longer than its lease, the other takes over, and what wakes up writes nothing', async () => {
    const { namespace, all } = await replicas('stopped', { one: [], two: [] });
    const [old, next] = await leaderAmong(namespace, all);
    await work(namespace, 'before', 5);
    await old.process.kill('SIGSTOP');
    const stoppedAt = performance.now();
    // Changes that the stopped one has in its sockets when it wakes up.
    const tookOver = work(namespace, 'meanwhile', 10);
    await tookOver;
    const seconds = (performance.now() - stoppedAt) / 1000;
    expect(await holder(namespace)).toBe(next.name);
    await delay(Math.max(0, figure(0, 20_000) - seconds * 1000));
    const before = writesOf(old);
    await old.process.kill('SIGCONT');
    await work(namespace, 'after', 15);
    await delay(3_000);
    expect(writesOf(old) - before).toBe(0);
    expect(await holder(namespace)).toBe(next.name);
    expect(all.map(({ process }) => process.alive)).toEqual([true, true]);
    note(2, `the other worked ${seconds.toFixed(1)} s after the stop; 0 writes of the stopped one`);
  });

  test('3: a Lease that is stolen, corrupted or deleted stops the leader within 10 s, and one leads again', async () => {
    const { namespace, all } = await replicas('stolen', { one: [], two: [] });
    await leaderAmong(namespace, all);
    await work(namespace, 'before', 5);
    const thief = {
      holderIdentity: '\u202e<nobody>/../*',
      leaseDurationSeconds: 2_147_483_647,
      renewTime: '2999-12-31T23:59:59.000000Z',
      acquireTime: '1970-01-01T00:00:00.000000Z',
      leaseTransitions: 2_147_483_647,
    };
    await stage.kube.patch(leasePath(namespace), { spec: thief });
    await delay(10_000);
    const before = all.map(writesOf);
    // Nobody leads while the thief's Lease runs: what comes now waits.
    if ((await holder(namespace)) === thief.holderIdentity) {
      await createApps(stage.kube, namespace, names(1, 'theft'), 'value');
      await delay(1_000);
      if ((await holder(namespace)) === thief.holderIdentity)
        expect(all.map(writesOf)).toEqual(before);
    } else await createApps(stage.kube, namespace, names(1, 'theft'), 'value');
    await converged(stage.kube, namespace, { count: 6, value: 'value', seconds: 40 });
    await stage.kube.delete(leasePath(namespace));
    await leaderAmong(namespace, all);
    await work(namespace, 'after', 11);
    expect(all.map(({ process }) => process.alive)).toEqual([true, true]);
  });

  test('4: clocks that are ten minutes off neither take a lead away nor lead beside it', async () => {
    await installFaketime();
    const skewed = (offset: string): readonly string[] => [
      ...['env', `LD_PRELOAD=${FAKETIME}`, `FAKETIME=${offset}`, 'DONT_FAKE_MONOTONIC=1'],
    ];
    const { namespace, all } = await replicas('skew', {
      right: [],
      ahead: skewed('+600s'),
      behind: skewed('-600s'),
    });
    const [led] = await leaderAmong(namespace, all);
    const others = all.filter((each) => each !== led);
    await work(namespace, 'a', 5);
    await delay(figure(18_000, 120_000));
    await work(namespace, 'b', 10);
    expect(await holder(namespace)).toBe(led.name);
    expect(others.map(writesOf)).toEqual([0, 0]);
    // When it hands over, one with a wrong clock leads as well as any other.
    await led.process.kill('SIGTERM');
    await work(namespace, 'c', 15);
    const next = await holder(namespace);
    expect(others.map(({ name }) => name)).toContain(next);
    const third = others.filter(({ name }) => name !== next);
    await delay(figure(5_000, 60_000));
    expect(third.map(writesOf)).toEqual([0]);
    note(4, `led: ${led.name}, then ${next}`);
  });
});

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

const installFaketime = (): Promise<void> =>
  installPackages(
    createProgress({ timingsFile: join(stage.dir, 'timings.jsonl') }),
    [{ name: 'libfaketime', proof: [FAKETIME] }],
    join(stage.dir, 'apt.log'),
  );
