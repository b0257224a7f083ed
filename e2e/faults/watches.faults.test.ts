import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { changeApps, converged, createApps, each, names, paths } from './harness/apps.ts';
import type { KubeObject } from './harness/kube-client.ts';
import type { OperatorProcess } from './harness/operator-process.ts';
import { figure, note } from './harness/settings.ts';
import { Stage, type FaultCase } from './harness/stage.ts';
import { until } from './harness/until.ts';
import type { Fault, Rule } from './proxy/rule.ts';

jest.setTimeout(300_000);

const COUNT = 30;
/** Makes clients that can begin a watch with all there is list instead. */
const LISTS_ONLY: Rule = {
  name: 'no WatchList',
  match: { initialEvents: true },
  fault: { type: 'status', code: 422 },
};
/** Resources that the operator of the tests watches. */
const WATCHED = ['apps', 'configmaps', 'deployments', 'services'];

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

type Running = FaultCase & { readonly process: OperatorProcess };

/** An operator that has made all Apps Ready, before anything goes wrong. */
const settled = async (
  name: string,
  { args = [], rules = [] }: { args?: readonly string[]; rules?: readonly Rule[] } = {},
): Promise<Running> => {
  const started = await stage.newCase(name);
  for (const rule of rules) started.proxy.rules.add(rule);
  const process = started.operator(['--namespace', started.namespace, ...args]);
  await createApps(stage.kube, started.namespace, names(COUNT), 'first');
  await converged(stage.kube, started.namespace, { count: COUNT, value: 'first', seconds: 60 });
  return { ...started, process };
};

const change = async ({ namespace }: Running, value: string, seconds = 60): Promise<number> => {
  await changeApps(stage.kube, namespace, names(COUNT), value);
  return converged(stage.kube, namespace, { count: COUNT, value, seconds });
};

const uids = async (namespace: string): Promise<readonly (string | undefined)[]> => {
  const { apps, configMaps, deployments, services } = paths(namespace);
  const all = await Promise.all([apps, configMaps, deployments, services].map(listOf));
  return all.flat().map(({ metadata }) => metadata.uid);
};
const listOf = (path: string): Promise<readonly KubeObject[]> => stage.kube.list(path);

describe('watches that go wrong', () => {
  test('8: a continue token that has expired in the middle of a list starts the list anew', async () => {
    const { namespace, proxy, operator } = await stage.newCase('pages');
    const labels = { 'app.kubernetes.io/managed-by': 'mlops-operator' };
    // More than a page of what the operator lists.
    await each(names(600, 'filler-'), (name) =>
      stage.kube.create(paths(namespace).configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels },
      }),
    );
    proxy.rules.add(LISTS_ONLY);
    const gone = proxy.rules.add({
      name: 'the token has expired',
      match: { continued: true },
      times: 2,
      fault: { type: 'status', code: 410 },
    });
    operator();
    await createApps(stage.kube, namespace, names(3), 'first');
    await converged(stage.kube, namespace, { count: 3, value: 'first', seconds: 60 });
    note(8, `${gone.hits} tokens expired`);
    expect(gone.hits).toBe(2);
    expect(proxy.calls.count({ verbs: ['list'], resources: ['configmaps'] }, 200)).toBeLessThan(8);
  });

  test('9: watches that are cut every 2 s miss no event and list nothing again', async () => {
    const running = await settled('cut');
    running.proxy.rules.add({ name: 'cut', fault: { type: 'cutWatch', ms: 2_000 } });
    running.proxy.cutWatches();
    running.proxy.calls.clear();
    for (let round = 0; round < figure(4, 60); round++) {
      await change(running, `round ${round}`);
      await delay(1_000);
    }
    note(9, `${running.proxy.calls.count({ verbs: ['watch'] })} watches`);
    expect(running.proxy.calls.count({ verbs: ['list'] })).toBe(0);
    expect(running.proxy.calls.count({ initialEvents: true })).toBe(0);
  });

  test('10: watches that are frozen with their sockets open heal within 60 s', async () => {
    const running = await settled('frozen');
    running.proxy.freezeWatches();
    const seconds = await change(running, 'second', 60);
    note(10, `healed after ${seconds.toFixed(1)} s`);
    expect(running.process.alive).toBe(true);
  });

  test('11: events that are lost without a trace are found missing by the next verification', async () => {
    const running = await settled('lost', { args: ['--verify-ms', '3000'] });
    const lost = running.proxy.rules.add({
      name: '10 % of events are lost',
      probability: 0.1,
      fault: { type: 'dropEvents' },
    });
    for (const value of ['second', 'third', 'fourth']) await change(running, value);
    // Certainly lost: all that tells of this change. What is listed anew to heal it arrives; so the
    // streams in use must be such that go on from a version.
    lost.remove();
    running.proxy.cutWatches();
    await until('watches that go on from a version', 30, async () =>
      running.proxy.openWatches >= WATCHED.length ? true : undefined,
    );
    const all = running.proxy.rules.add({
      name: 'all are lost',
      match: { initialEvents: false },
      times: 400,
      fault: { type: 'dropEvents' },
    });
    const seconds = await change(running, 'fifth');
    note(11, `${lost.hits} of 10 % lost; then all: healed after ${seconds.toFixed(1)} s`);
    expect(lost.hits).toBeGreaterThan(10);
    expect(all.hits).toBeGreaterThanOrEqual(COUNT);
  });

  test('12: events that come twice or in another order lead to the same end with no more writes', async () => {
    const plain = await settled('plain');
    plain.proxy.calls.clear();
    for (const value of ['second', 'third']) await change(plain, value);
    const before = plain.proxy.calls.count({ write: true, exceptResources: ['events'] });
    await plain.process.kill('SIGTERM');

    const running = await settled('twice');
    const { rules, calls } = running.proxy;
    const types = ['duplicateEvents', 'reorderEvents'] as const;
    const handles = types.map((type) =>
      rules.add({ name: type, probability: 0.4, fault: { type } }),
    );
    calls.clear();
    for (const value of ['second', 'third']) await change(running, value);
    const writes = calls.count({ write: true, exceptResources: ['events'] });
    note(
      12,
      `${handles.map(({ hits }) => hits).join(' + ')} faults, ${writes} of ${before} writes`,
    );
    expect(writes).toBeLessThanOrEqual(before * 1.2);
  });

  test('13: lists and watches of a server that lags behind delete nothing and undo nothing', async () => {
    const running = await settled('stale', { rules: [LISTS_ONLY] });
    const { namespace, proxy, operator, process } = running;
    const later = names(COUNT, 'later');
    proxy.recordLists();
    // What is recorded is what another replica lists now, before the later half is there.
    const first = operator();
    await converged(stage.kube, namespace, { count: COUNT, value: 'first', seconds: 60 });
    await first.kill('SIGTERM');
    await createApps(stage.kube, namespace, later, 'first');
    await converged(stage.kube, namespace, { count: 2 * COUNT, value: 'first', seconds: 60 });
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    await changeApps(stage.kube, namespace, later, 'second');
    await converged(stage.kube, namespace, { count: 2 * COUNT, value: 'second', seconds: 60 });
    const before = await uids(namespace);

    const stale = proxy.rules.add({ name: 'stale', fault: { type: 'staleList' } });
    proxy.calls.clear();
    // A running operator has to list anew and is shown the past; a fresh one begins in it.
    proxy.rules.add({ name: 'expire', times: WATCHED.length, fault: { type: 'expireWatch' } });
    proxy.cutWatches();
    await delay(3_000);
    await process.kill('SIGTERM');
    const second = operator();
    await delay(3_000);
    expect(stale.hits).toBeGreaterThanOrEqual(2 * WATCHED.length);
    expect(await uids(namespace)).toEqual(before);
    expect(proxy.calls.count({ verbs: ['delete', 'deletecollection'] })).toBe(0);
    stale.remove();
    await changeApps(stage.kube, namespace, names(COUNT), 'third');
    await changeApps(stage.kube, namespace, later, 'third');
    await converged(stage.kube, namespace, { count: 2 * COUNT, value: 'third', seconds: 60 });
    expect(second.alive).toBe(true);
    expect(await uids(namespace)).toEqual(before);
    note(13, `${stale.hits} stale lists`);
  });

  test('14: garbage, broken JSON and characters in pieces are survived and counted', async () => {
    const running = await settled('garbage');
    const faults: readonly Fault['type'][] = ['garbageLine', 'truncateEvent', 'splitCharacters'];
    const handles = faults.map((type) =>
      running.proxy.rules.add({
        name: type,
        probability: type === 'splitCharacters' ? 0.5 : 0.05,
        // A server that goes on like that is asked ever more rarely.
        ...(type !== 'splitCharacters' && { times: figure(5, 50) }),
        fault: { type } as Fault,
      }),
    );
    for (const value of ['caf\u00e9 \u2603', '\u{1F9EA}\u{1F469}\u200d\u{1F52C}', '\u65e5\u672c'])
      await change(running, value);
    expect(running.process.alive).toBe(true);
    for (const handle of handles) expect(handle.hits).toBeGreaterThan(0);
    // Said aloud, not swallowed.
    expect(running.process.log()).toContain('list or watch failed');
    note(14, handles.map(({ name, hits }) => `${hits} ${name}`).join(', '));
  });
});
