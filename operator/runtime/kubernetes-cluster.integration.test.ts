import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { NAMESPACE } from './kubernetes-types.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { clusterContract } from './testing/cluster-contract.ts';

jest.setTimeout(60_000);

let cluster: KubernetesCluster;
const calls: string[] = [];

beforeAll(async () => {
  const config = new KubeConfig();
  config.loadFromString(await readFile(process.env['INTEGRATION_KUBECONFIG'] ?? '', 'utf8'));
  cluster = new KubernetesCluster(config, {
    called: (verb, resource, code) => void calls.push(`${verb} ${resource} ${code}`),
  });
});

const newNamespace = async (): Promise<string> => {
  const name = `runtime-${randomUUID().slice(0, 8)}`;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await cluster.create(NAMESPACE, object, { fieldManager: 'test' });
  return name;
};

clusterContract('a real API server', async () => ({ cluster, namespace: await newNamespace() }));

describe('a real API server', () => {
  test('is asked on connections that are kept', async () => {
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length;
    await cluster.list(NAMESPACE, { limit: 1 });
    const before = sockets();
    for (let index = 0; index < 20; index++) await cluster.list(NAMESPACE, { limit: 1 });
    expect(sockets()).toBeLessThanOrEqual(before);
    expect(calls.slice(-20)).toEqual(Array.from({ length: 20 }, () => 'list namespaces 200'));
  });
});
