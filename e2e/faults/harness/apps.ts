import type { KubeClient, KubeObject } from './kube-client.ts';
import { until } from './until.ts';

const CREATORS = 16;

export const paths = (namespace: string) => ({
  apps: `/apis/bench.mlops.pynomaly.io/v1/namespaces/${namespace}/apps`,
  configMaps: `/api/v1/namespaces/${namespace}/configmaps`,
  services: `/api/v1/namespaces/${namespace}/services`,
  deployments: `/apis/apps/v1/namespaces/${namespace}/deployments`,
});

export type App = KubeObject & {
  readonly spec: { readonly value: string; readonly replicas?: number };
  readonly status?: {
    readonly value?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration?: number;
      readonly lastTransitionTime: string;
    }[];
  };
};

export const anApp = (name: string, value: string): object => ({
  apiVersion: 'bench.mlops.pynomaly.io/v1',
  kind: 'App',
  metadata: { name },
  spec: { value, replicas: 1 },
});

export const names = (count: number, prefix = 'a'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Runs `work` on all items, some at a time. */
export const each = async <T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> => {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: CREATORS }, worker));
};

export const createApps = (
  kube: KubeClient,
  namespace: string,
  which: readonly string[],
  value: string,
): Promise<void> => each(which, (name) => kube.create(paths(namespace).apps, anApp(name, value)));

export const changeApps = (
  kube: KubeClient,
  namespace: string,
  which: readonly string[],
  value: string,
): Promise<void> =>
  each(which, (name) => kube.patch(`${paths(namespace).apps}/${name}`, { spec: { value } }));

export const readyOf = ({ status }: App) =>
  status?.conditions?.find(({ type }) => type === 'Ready');

/** Whether the status speaks of the present spec and says Ready. */
export const isReady = (app: App): boolean => {
  const ready = readyOf(app);
  return (
    ready?.status === 'True' &&
    ready.observedGeneration === app.metadata.generation &&
    app.status?.value === app.spec.value
  );
};

type Held = { readonly data?: { readonly value?: string } };

/** How far a namespace is: Apps there, those Ready, and children that hold the value. */
export const progressOf = async (kube: KubeClient, namespace: string, value: string) => {
  const at = paths(namespace);
  const [apps, configMaps, deployments, services] = await Promise.all([
    kube.list(at.apps) as Promise<readonly App[]>,
    kube.list(at.configMaps) as Promise<readonly (KubeObject & Held)[]>,
    kube.list(at.deployments),
    kube.list(at.services),
  ]);
  const owned = (object: KubeObject): boolean =>
    object.metadata.ownerReferences?.some(({ kind }) => kind === 'App') === true;
  return {
    apps: apps.length,
    ready: apps.filter((app) => isReady(app) && app.spec.value === value).length,
    configMaps: configMaps.filter((each) => owned(each) && each.data?.value === value).length,
    deployments: deployments.filter(
      (each) => owned(each) && JSON.stringify(each['spec']).includes(JSON.stringify(value)),
    ).length,
    services: services.filter(owned).length,
  };
};

/** Until `count` Apps are Ready with this value and all their children are as they should be. */
export const converged = async (
  kube: KubeClient,
  namespace: string,
  { count, value, seconds }: { count: number; value: string; seconds: number },
): Promise<number> => {
  const startedAt = performance.now();
  let seen = '';
  const wanted = { apps: count, ready: count, configMaps: count, deployments: count };
  try {
    await until(`${count} Apps with the value ${value}`, seconds, async () => {
      seen = JSON.stringify(await progressOf(kube, namespace, value));
      return seen === JSON.stringify({ ...wanted, services: count }) ? true : undefined;
    });
  } catch (error) {
    throw new Error(`${(error as Error).message} There are ${seen}.`, { cause: error });
  }
  return (performance.now() - startedAt) / 1000;
};
