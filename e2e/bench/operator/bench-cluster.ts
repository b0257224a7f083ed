import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load } from 'js-yaml';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { ApiClient, CallError } from './api-client.ts';
import { auditFlags } from './audit-log.ts';

export const NAMESPACE = 'bench';
export const APPS = `/apis/bench.mlops.pynomaly.io/v1/namespaces/${NAMESPACE}/apps`;
const CRD = join(import.meta.dirname, '../../workload/apps.crd.yaml');
const CHILDREN = [
  `/api/v1/namespaces/${NAMESPACE}/configmaps`,
  `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
  `/api/v1/namespaces/${NAMESPACE}/services`,
  `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`,
];
/** As many calls of the load generator as run at once. */
const CONCURRENCY = 32;

/** An API server with etcd, no controllers, and an audit log of what the operators ask for. */
export type BenchCluster = {
  readonly dir: string;
  readonly kubernetes: string;
  /** An admin's. */
  readonly kubeconfig: string;
  readonly api: ApiClient;
  /** A kubeconfig with a service account of its own, so that the audit log tells who asked. */
  accountOf(name: string): Promise<{ readonly kubeconfig: string; readonly user: string }>;
  /** Removes all Apps and what they left behind. */
  empty(): Promise<void>;
  stop(): Promise<void>;
};

export const startBenchCluster = async (dir: string): Promise<BenchCluster> => {
  mkdirSync(dir, { recursive: true });
  const controlPlane = await startControlPlane({
    dir: join(dir, 'kubernetes'),
    apiserverFlags: auditFlags(dir, NAMESPACE),
  });
  const { kubeconfig, url } = controlPlane;
  const api = new ApiClient(kubeconfig, CONCURRENCY);
  await prepare(api);
  const { body } = await api.call('GET', '/version');
  return {
    dir,
    kubeconfig,
    api,
    kubernetes: (body as { gitVersion: string }).gitVersion,
    accountOf: (name) => accountOf(api, { dir, url, name, kubeconfig }),
    empty: () => empty(api),
    async stop() {
      await api.close();
      await controlPlane.stop();
    },
  };
};

const prepare = async (api: ApiClient): Promise<void> => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await api.call('POST', '/api/v1/namespaces', namespace);
  await api.call(
    'POST',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    load(readFileSync(CRD, 'utf8')) as object,
  );
  const deadline = Date.now() + 30_000;
  while ((await api.call('GET', APPS, undefined, [404, 429])).code !== 200) {
    if (Date.now() > deadline) throw new Error('The CRD of App is not served after 30 s.');
    await delay(100);
  }
};

const accountOf = async (
  api: ApiClient,
  the: {
    readonly dir: string;
    readonly url: string;
    readonly name: string;
    readonly kubeconfig: string;
  },
): Promise<{ readonly kubeconfig: string; readonly user: string }> => {
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
  const subject = { kind: 'ServiceAccount', name: the.name, namespace: NAMESPACE };
  await api.call('POST', accounts, { metadata: { name: the.name } });
  await api.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: `bench-${the.name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [subject],
  });
  const { body } = await api.call('POST', `${accounts}/${the.name}/token`, {
    spec: { expirationSeconds: 86_400 },
  });
  const { token } = (body as { status: { token: string } }).status;
  const admin = load(readFileSync(the.kubeconfig, 'utf8')) as {
    clusters: readonly [{ cluster: object }];
  };
  const kubeconfig = join(the.dir, `${the.name}.kubeconfig`);
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(admin.clusters[0].cluster, { token })), {
    mode: 0o600,
  });
  return { kubeconfig, user: `system:serviceaccount:${NAMESPACE}:${the.name}` };
};

export const kubeconfigOf = (cluster: object, user: object): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'bench', cluster }],
  users: [{ name: 'bench', user }],
  contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  'current-context': 'bench',
});

type Names = { readonly items: readonly { readonly metadata: { readonly name: string } }[] };

const empty = async (api: ApiClient): Promise<void> => {
  const { body } = await api.call('GET', APPS);
  // No operator takes its finalizer off any more.
  await api.each((body as Names).items, async ({ metadata: { name } }) => {
    await api.call('PATCH', `${APPS}/${name}`, { metadata: { finalizers: null } }, [404]);
    await api.call('DELETE', `${APPS}/${name}`, undefined, [404]);
  });
  const background = { propagationPolicy: 'Background' };
  for (const collection of CHILDREN) {
    // 10,000 objects take longer than the API server gives one request: it answers 504 half-way.
    let { code } = await api.call('DELETE', collection, background, [504]);
    for (let tries = 1; code === 504 && tries < MOST_DELETIONS; tries += 1)
      ({ code } = await api.call('DELETE', collection, background, [504]));
    if (code === 504)
      throw new CallError(`${collection} was not emptied in ${MOST_DELETIONS} calls`);
  }
};

const MOST_DELETIONS = 20;
