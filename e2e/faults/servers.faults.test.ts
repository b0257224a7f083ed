import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { changeApps, converged, createApps, names, paths } from './harness/apps.ts';
import { figure, note } from './harness/settings.ts';
import { Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(300_000);

const COUNT = 20;
/** What the operator watches: Apps and three kinds of children. */
const KINDS = 4;
let stage: Stage;

/** A control plane of its own for each: what is killed here would be missed elsewhere. */
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

const settled = async (name: string) => {
  const started = await stage.newCase(name);
  const process = started.operator();
  await createApps(stage.kube, started.namespace, names(COUNT), 'first');
  await converged(stage.kube, started.namespace, { count: COUNT, value: 'first', seconds: 60 });
  return { ...started, process };
};

const childUids = async (namespace: string) => {
  const { configMaps, deployments, services } = paths(namespace);
  const all = await Promise.all(
    [configMaps, deployments, services].map((path) => stage.kube.list(path)),
  );
  return all.flat().map(({ metadata }) => metadata.uid);
};

describe('servers that go away', () => {
  test('5: an API server that is killed and stays away is reached again within 30 s of its return', async () => {
    const { namespace, process, proxy } = await settled('api');
    const before = await childUids(namespace);
    global.process.kill(stage.pidOf('kube-apiserver'), 'SIGKILL');
    await delay(figure(8_000, 30_000));
    const meanwhile = proxy.calls.count({}, 0);
    await stage.plane.restartApiserver();
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    const seconds = await converged(stage.kube, namespace, {
      count: COUNT,
      value: 'second',
      seconds: 30,
    });
    note(5, `${meanwhile} calls while it was away; converged ${seconds.toFixed(1)} s after`);
    expect(process.alive).toBe(true);
    expect(await childUids(namespace)).toEqual(before);
  });

  test('6: an etcd that hangs makes nobody believe that anything was deleted', async () => {
    const { namespace, process, proxy } = await settled('etcd');
    const before = await childUids(namespace);
    proxy.calls.clear();
    const etcd = stage.pidOf('etcd');
    global.process.kill(etcd, 'SIGSTOP');
    try {
      proxy.cutWatches();
      await delay(figure(12_000, 60_000));
    } finally {
      global.process.kill(etcd, 'SIGCONT');
    }
    await until(
      'the API server',
      60,
      async () => (await stage.kube.list('/api/v1/namespaces')) && true,
    );
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    await converged(stage.kube, namespace, { count: COUNT, value: 'second', seconds: 60 });
    expect(process.alive).toBe(true);
    expect(proxy.calls.count({ verbs: ['delete', 'deletecollection'] })).toBe(0);
    expect(await childUids(namespace)).toEqual(before);
  });

  test('7: a watch whose version was compacted away (410) lists once and does nothing twice', async () => {
    const { namespace, process, proxy } = await settled('compacted');
    const before = await childUids(namespace);
    const heal = proxy.partition('refuse');
    proxy.cutWatches();
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    // A new API server knows no events from before its start: it answers 410 to older versions.
    await stage.plane.restartApiserver();
    await changeApps(stage.kube, namespace, names(COUNT), 'third');
    proxy.calls.clear();
    heal();
    await converged(stage.kube, namespace, { count: COUNT, value: 'third', seconds: 60 });
    const relists = proxy.calls.count({ verbs: ['list'], continued: false }, 200);
    const streams = proxy.calls.count({ initialEvents: true }, 200);
    note(7, `real 410: ${relists} lists, ${streams} watches with initial events`);
    expect(await childUids(namespace)).toEqual(before);

    const watches = await until('all watches to be open', 60, async () =>
      proxy.openWatches >= KINDS ? proxy.openWatches : undefined,
    );
    proxy.calls.clear();
    const gone = proxy.rules.add({
      name: '410',
      times: watches,
      fault: { type: 'expireWatch' },
    });
    proxy.cutWatches();
    await changeApps(stage.kube, namespace, names(COUNT), 'fourth');
    await converged(stage.kube, namespace, { count: COUNT, value: 'fourth', seconds: 60 });
    await until('all watches to expire', 30, async () =>
      gone.hits === watches ? true : undefined,
    );
    const lists =
      proxy.calls.count({ verbs: ['list'] }) + proxy.calls.count({ initialEvents: true });
    const writes = proxy.calls.count({ write: true, exceptResources: ['events'] });
    note(7, `${gone.hits} expired: ${lists} lists, ${writes} writes for ${COUNT} changes`);
    expect(lists).toBeLessThanOrEqual(2 * watches);
    // Each change is a ConfigMap, a Deployment and a status.
    expect(writes).toBeLessThanOrEqual(3 * COUNT * 1.3);
    expect(process.alive).toBe(true);
  });
});
