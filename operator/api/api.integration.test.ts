import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { kinds } from '../../crds/schema/all.ts';
import { LABELS, TOKEN_AUDIENCE } from '../../crds/schema/names.ts';
import { readConfig } from '../../e2e/cluster/config.ts';
import { goToolPath } from '../../e2e/cluster/go-tool.ts';
import { kubectl as clusterKubectl } from '../../e2e/cluster/kubectl.ts';
import { memoryArtifactStore } from '../artifacts/memory-artifact-store.ts';
import { MemoryRunStore } from '../kinds/experiment/memory-run-store.ts';
import { POD } from '../runtime/kubernetes-types.ts';
import { KubernetesCluster } from '../runtime/kubernetes-cluster.ts';
import { apiKindOf } from './api-kind.ts';
import { memoryWebhookStore } from '../webhooks/memory-webhooks.ts';
import { createServer } from './server.ts';

const kubeconfig = process.env['INTEGRATION_KUBECONFIG'] ?? '';
const namespace = `api-${randomUUID().slice(0, 8)}`;
const RUN = 'a'.repeat(32);

jest.setTimeout(60_000);

const kubectl = (...args: string[]): Promise<string> =>
  clusterKubectl(goToolPath(readConfig(), 'kube'), kubeconfig, args);

let app: FastifyInstance;
let cluster: KubernetesCluster;
let passed = 0;

/** Accounts and pods come a moment after their namespace. */
const eventually = async (attempt: () => Promise<unknown>): Promise<void> => {
  for (let left = 100; ; left--) {
    try {
      return void (await attempt());
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

beforeAll(async () => {
  if (kubeconfig === '') throw new Error('INTEGRATION_KUBECONFIG must name a kubeconfig');
  process.env['KUBECONFIG'] = kubeconfig;
  cluster = KubernetesCluster.fromEnvironment({ called: () => undefined });
  await kubectl('apply', '-f', join(import.meta.dirname, '../../crds'));
  await kubectl(
    'wait',
    '--for=condition=Established',
    '--timeout=60s',
    'crd/models.mlops.pynomaly.io',
  );
  await kubectl('create', 'namespace', namespace);
  const runs = new MemoryRunStore();
  await runs.createRun({
    runId: RUN,
    experiment: { uid: 'u', namespace, name: 'train' },
    name: 'trial',
    userId: '',
    startTime: 1,
  });
  app = createServer({
    cluster,
    runs,
    artifacts: memoryArtifactStore(),
    search: {
      search: async () => ({ items: [] }),
      get: async () => undefined,
      history: async () => ({ items: [] }),
    },
    kinds: kinds.map(apiKindOf),
    config: { bundledBucket: 'models', maxArtifactBytes: 1024, presignSeconds: 300 },
    webhooks: {
      store: memoryWebhookStore(),
      request: async () => ({ status: 204, body: '' }),
      key: new Uint8Array(32),
      hosts: [],
    },
    linkSecret: Buffer.from('a secret of tests'),
    log: pino({ level: 'silent' }),
    now: () => Date.now() + passed,
    newId: () => randomUUID().replaceAll('-', ''),
  });
}, 120_000);

afterAll(async () => {
  await kubectl('delete', 'namespace', namespace, '--wait=false');
});

const bearer = (token: string) => ({ authorization: `Bearer ${token.trim()}` });
const tokenFor = async (account: string, ...flags: string[]) =>
  bearer(await kubectl('create', 'token', account, '-n', namespace, ...flags));
const models = () => `/api/v1/namespaces/${namespace}/models`;

describe('on a real API server', () => {
  test('a trial’s pod tracks its runs with a token bound to it, until it is gone', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'train-0', labels: { [LABELS.experiment]: 'train' } },
      spec: { containers: [{ name: 'train', image: 'none' }] },
    };
    await eventually(() => cluster.create(POD, pod, { fieldManager: 'test' }));
    const bound = ['--bound-object-kind=Pod', '--bound-object-name=train-0'];
    const headers = await tokenFor('default', `--audience=${TOKEN_AUDIENCE}`, ...bound);
    const url = `/api/2.0/mlflow/runs/get?run_id=${RUN}`;
    expect((await app.inject({ url, headers })).statusCode).toBe(200);
    const foreign = await tokenFor('default', '--audience=vault', ...bound);
    expect((await app.inject({ url, headers: foreign })).statusCode).toBe(401);
    const unbound = await tokenFor('default', `--audience=${TOKEN_AUDIENCE}`);
    expect((await app.inject({ url, headers: unbound })).statusCode).toBe(404);
    await kubectl('delete', 'pod', 'train-0', '-n', namespace, '--grace-period=0', '--force');
    passed += 60_000;
    await eventually(async () => {
      passed += 60_000;
      expect((await app.inject({ url, headers })).statusCode).toBe(401);
    });
  });

  test('Roles say who may write, and the object says for whom and through which door', async () => {
    await kubectl('create', 'serviceaccount', 'ada', '-n', namespace);
    const headers = await tokenFor('ada');
    const payload = { metadata: { name: 'digits' }, spec: { task: 'classification' } };
    const put = () => app.inject({ method: 'PUT', url: `${models()}/digits`, headers, payload });
    expect((await put()).statusCode).toBe(403);
    const verbs = '--verb=get,list,create,patch,delete';
    await kubectl(
      'create',
      'role',
      'models',
      '-n',
      namespace,
      verbs,
      '--resource=models.mlops.pynomaly.io',
    );
    const account = `--serviceaccount=${namespace}:ada`;
    await kubectl('create', 'rolebinding', 'models', '-n', namespace, '--role=models', account);
    await eventually(async () => {
      passed += 10_000;
      expect((await put()).statusCode).toBe(200);
    });
    const stored: unknown = JSON.parse(
      await kubectl(
        'get',
        'models.mlops.pynomaly.io',
        'digits',
        '-n',
        namespace,
        '-o',
        'json',
        '--show-managed-fields',
      ),
    );
    expect(stored).toMatchObject({
      metadata: {
        annotations: {
          'mlops.pynomaly.io/requested-by': `system:serviceaccount:${namespace}:ada`,
        },
        managedFields: [{ manager: 'mlops-api', operation: 'Apply' }],
      },
      spec: { task: 'classification' },
    });
    const listed = await app.inject({ url: '/api/v1/models', headers });
    expect(listed.json<{ items: object[] }>().items).toMatchObject([
      { metadata: { name: 'digits' } },
    ]);
    const gone = await app.inject({ method: 'DELETE', url: `${models()}/digits`, headers });
    expect(gone.statusCode).toBe(202);
    expect((await app.inject({ url: `${models()}/digits`, headers })).statusCode).toBe(404);
  });

  test('what only the API server can judge comes back in its words', async () => {
    const account = `--serviceaccount=${namespace}:default`;
    await kubectl(
      'create',
      'rolebinding',
      'all',
      '-n',
      namespace,
      '--clusterrole=cluster-admin',
      account,
    );
    const headers = await tokenFor('default');
    const payload = {
      metadata: { name: 'not-model-alias' },
      spec: { modelRef: { name: 'digits' }, alias: 'champion', version: '1.0.0' },
    };
    const url = `/api/v1/namespaces/${namespace}/modelaliases`;
    const response = await app.inject({ method: 'POST', url, headers, payload });
    expect(response.json()).toMatchObject({ status: 422, code: 'Invalid' });
    expect(response.json<{ detail: string }>().detail).toContain('<model>-<alias>');
    const nowhere = await app.inject({
      method: 'POST',
      url: '/api/v1/namespaces/nowhere/modelaliases',
      headers,
      payload,
    });
    expect(nowhere.statusCode).toBe(403);
  });
});
