import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import {
  anApp,
  changeApps,
  converged,
  createApps,
  isReady,
  names,
  paths,
  readyOf,
  type App,
} from './harness/apps.ts';
import type { KubeObject } from './harness/kube-client.ts';
import { figure, note } from './harness/settings.ts';
import { APP_CRD, appCrd, CRDS, Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(300_000);

const COUNT = 10;
let stage: Stage;

/** With the controller manager, which empties namespaces and collects what is owned. */
beforeAll(async () => {
  stage = await Stage.open({ controllers: true });
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

const settled = async (name: string, count = COUNT, args?: readonly string[]) => {
  const started = await stage.newCase(name);
  const process = started.operator(args);
  await createApps(stage.kube, started.namespace, names(count), 'first');
  await converged(stage.kube, started.namespace, { count, value: 'first', seconds: 60 });
  return { ...started, process, at: paths(started.namespace) };
};

type Deployment = KubeObject & { readonly spec: { readonly replicas: number } };
type ConfigMap = KubeObject & { readonly data: { readonly value: string } };

const ready = (path: string, value: string, seconds = 60): Promise<App> =>
  until(`${path} to be Ready`, seconds, async () => {
    const app = await stage.kube.get<App>(path);
    return isReady(app) && app.spec.value === value ? app : undefined;
  });

const gone = (path: string, seconds = 60): Promise<true> =>
  until(`${path} to be gone`, seconds, async () =>
    (await stage.kube.find(path)) === undefined ? true : undefined,
  );

describe('a cluster that changes under an operator', () => {
  test('24: children that are edited or deleted by hand are put right', async () => {
    const { at } = await settled('by-hand');
    await stage.kube.patch(`${at.configMaps}/a0`, { data: { value: 'by hand', extra: 'kept' } });
    await stage.kube.delete(`${at.deployments}/a1`);
    await stage.kube.delete(`${at.services}/a2`);
    await stage.kube
      .patch(`${at.deployments}/a3`, { spec: { template: { spec: { containers: null } } } })
      .catch(() => undefined);
    await stage.kube.patch(`${at.configMaps}/a4`, { metadata: { labels: null } });
    await until('the edited ConfigMap to hold its value again', 30, async () =>
      (await stage.kube.get<ConfigMap>(`${at.configMaps}/a0`)).data.value === 'first'
        ? true
        : undefined,
    );
    // A field that nobody but its writer claims stays.
    expect((await stage.kube.get(`${at.configMaps}/a0`))['data']).toEqual({
      value: 'first',
      extra: 'kept',
    });
    await until('what was deleted to be back', 30, async () => {
      const found = [`${at.deployments}/a1`, `${at.services}/a2`].map((path) =>
        stage.kube.find(path),
      );
      return (await Promise.all(found)).every((each) => each !== undefined) ? true : undefined;
    });
    await until('the labels to be back', 30, async () => {
      const { metadata } = await stage.kube.get(`${at.configMaps}/a4`);
      return metadata.labels?.['app.kubernetes.io/managed-by'] === undefined ? undefined : true;
    });
  });

  test('24: a child that was stripped of its owner by hand is left alone, told of, and made anew when it is gone', async () => {
    const { at } = await settled('stripped', 3);
    const path = `${at.configMaps}/a0`;
    await stage.kube.patch(path, { metadata: { ownerReferences: null } });
    const refused = await until('the App to say that the name is taken', 30, async () => {
      const condition = readyOf(await stage.kube.get<App>(`${at.apps}/a0`));
      return condition?.status === 'False' ? condition : undefined;
    });
    expect(refused.reason).toBe('NameTaken');
    expect(refused.message).toContain('"a0"');
    const stripped = await stage.kube.get(path);
    await stage.kube.patch(`${at.apps}/a0`, { spec: { value: 'second' } });
    await delay(figure(2_000, 40_000));
    // Neither its value nor anything else of it: whoever stripped it may want it for himself.
    expect(await stage.kube.get(path)).toEqual(stripped);
    await stage.kube.delete(path);
    await ready(`${at.apps}/a0`, 'second');
    const anew = await stage.kube.get<ConfigMap>(path);
    expect(anew.data.value).toBe('second');
    expect(anew.metadata.uid).not.toBe(stripped.metadata.uid);
    expect(anew.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['a0']);
  });

  test("24: an object of somebody else's under a child's name is refused and left untouched", async () => {
    const { namespace, operator } = await stage.newCase('foreign');
    const at = paths(namespace);
    const meta = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'taken' } };
    const foreign = await stage.kube.create(at.configMaps, { ...meta, data: { value: 'theirs' } });
    operator();
    await stage.kube.create(at.apps, anApp('taken', 'ours'));
    const refused = await until('the App to say that the name is taken', 30, async () => {
      const condition = readyOf(await stage.kube.get<App>(`${at.apps}/taken`));
      return condition?.status === 'False' ? condition : undefined;
    });
    expect(refused.reason).toBe('NameTaken');
    expect(refused.message).toContain('"taken"');
    await delay(1_000);
    expect(await stage.kube.get(`${at.configMaps}/taken`)).toEqual(foreign);
    await stage.kube.delete(`${at.configMaps}/taken`);
    await ready(`${at.apps}/taken`, 'ours', 45);
  });

  test("25: another manager's fields are left to it, and nobody fights", async () => {
    const { namespace, proxy, operator } = await stage.newCase('autoscaled');
    const at = paths(namespace);
    operator();
    const unsized = {
      apiVersion: 'bench.mlops.pynomaly.io/v1',
      kind: 'App',
      metadata: { name: 'a0' },
      spec: { value: 'first' },
    };
    await stage.kube.create(at.apps, unsized);
    await ready(`${at.apps}/a0`, 'first');
    // As kubectl scale and the HPA do it.
    await stage.kube.patch(`${at.deployments}/a0/scale`, { spec: { replicas: 5 } }, 'hpa');
    await stage.kube.patch(
      `${at.deployments}/a0`,
      { metadata: { annotations: { 'example.com/by': 'hpa' } } },
      'another',
    );
    await delay(2_000);
    proxy.calls.clear();
    await delay(figure(2_000, 60_000));
    expect(proxy.calls.count({ write: true })).toBe(0);
    await stage.kube.patch(`${at.apps}/a0`, { spec: { value: 'second' } });
    await ready(`${at.apps}/a0`, 'second');
    const live = await stage.kube.get<Deployment>(`${at.deployments}/a0`);
    expect(live.metadata.annotations?.['example.com/by']).toBe('hpa');
    expect(live.spec.replicas).toBe(5);
    expect(JSON.stringify(live.spec)).toContain('"second"');
    const writes = proxy.calls.count({ write: true, resources: ['deployments'] });
    note(25, `5 replicas of another manager kept; ${writes} writes of the Deployment for a change`);
    expect(writes).toBeLessThanOrEqual(2);
  });

  test('22: a namespace that is being deleted gets its finalizers released and nothing new', async () => {
    const { namespace, proxy, process } = await settled('terminating');
    proxy.calls.clear();
    await stage.kube.delete(`/api/v1/namespaces/${namespace}`);
    await gone(`/api/v1/namespaces/${namespace}`, 90);
    const writes = proxy.calls.count({ write: true, exceptResources: ['events'] });
    const refused = proxy.calls.count({ write: true }, 403);
    note(22, `${writes} writes, ${refused} refused for ${COUNT} Apps`);
    // A finalizer each; and until the server comes to the App itself, one attempt for each of its three
    // children that go.
    expect(writes).toBeLessThanOrEqual(COUNT * 4);
    proxy.calls.clear();
    await delay(figure(3_000, 60_000));
    expect(proxy.calls.count({ write: true })).toBe(0);
    expect(process.alive).toBe(true);
  });

  test('21: a kind that is removed and comes back is worked for again, without a storm', async () => {
    const { namespace, proxy, process } = await settled('removed', COUNT, []);
    // It watches all namespaces: the kind goes when Apps of earlier cases are let go, too.
    await stage.kube.delete(`${CRDS}/${APP_CRD}`);
    await gone(`${CRDS}/${APP_CRD}`);
    proxy.calls.clear();
    await delay(figure(6_000, 60_000));
    const asked = proxy.calls.count();
    expect(asked).toBeLessThan(figure(60, 300));
    await stage.installAppCrd();
    // The children of the first ones are collected, then the names are free.
    await createApps(stage.kube, namespace, names(COUNT, 'b'), 'again');
    await until('the new Apps to be Ready', 60, async () => {
      const apps = (await stage.kube.list(paths(namespace).apps)) as readonly App[];
      return apps.filter(isReady).length === COUNT ? true : undefined;
    });
    note(21, `${asked} calls while the kind was away`);
    expect(process.alive).toBe(true);
  });

  test('21: a stored version that cannot be converted stops nothing for good', async () => {
    const { namespace, process, proxy } = await settled('conversion');
    const [v1] = appCrd().spec['versions'] as readonly object[];
    const nowhere = {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: 'https://127.0.0.1:9/convert' },
      },
    };
    // Asked for v1 of what is stored as v1, the server needs no webhook; of what is stored as v2 it does.
    const spec = {
      versions: [
        { ...v1, storage: false },
        { ...v1, name: 'v2' },
      ],
      conversion: nowhere,
    };
    await stage.kube.patch(`${CRDS}/${APP_CRD}`, { spec });
    const broken = await until('the conversion to fail', 30, async () => {
      const { apps } = paths(namespace);
      const v2 = apps.replace('/v1/', '/v2/');
      await stage.kube
        .create(v2, { ...anApp('late', 'first'), apiVersion: 'bench.mlops.pynomaly.io/v2' })
        .catch(() => undefined);
      return stage.kube.get(`${apps}/late`).then(
        () => undefined,
        () => true,
      );
    });
    expect(broken).toBe(true);
    proxy.calls.clear();
    proxy.cutWatches();
    await delay(figure(5_000, 60_000));
    note(21, `${proxy.calls.count()} calls while conversion failed`);
    expect(proxy.calls.count()).toBeLessThan(figure(200, 1_000));
    await stage.kube.patch(`${CRDS}/${APP_CRD}`, {
      spec: { conversion: { strategy: 'None', webhook: null } },
    });
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    await until('the changed Apps to be Ready', 90, async () => {
      const apps = (await stage.kube.list(paths(namespace).apps)) as readonly App[];
      return apps.filter((app) => isReady(app) && app.spec.value === 'second').length === COUNT
        ? true
        : undefined;
    });
    expect(process.alive).toBe(true);
  });
});
