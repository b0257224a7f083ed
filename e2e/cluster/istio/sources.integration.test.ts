import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { readConfig } from '../config.ts';
import { goToolPath } from '../go-tool.ts';
import { kubectl as clusterKubectl } from '../kubectl.ts';
import { istioSources } from './sources.ts';

const config = readConfig();
const kubeconfig = process.env['INTEGRATION_KUBECONFIG'] ?? '';
let crds = '';

// Go may have to fetch Istio's sources first.
jest.setTimeout(180_000);

beforeAll(async () => {
  crds = (await istioSources(config)).crds;
  await kubectl(['apply', '--server-side', '-f', crds]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', crds]);
});

// Other tests may ask what happens without Istio.
afterAll(() => kubectl(['delete', '--ignore-not-found', '-f', crds]));

test('an API server without Istio takes its objects once it has its CRDs', async () => {
  const said = await kubectl(['create', '--dry-run=server', '-f', '-'], virtualService(20));
  expect(said).toBe('virtualservice.networking.istio.io/split created (server dry run)\n');
});

test('and refuses those that Istio refuses', async () => {
  // A weight is an unsigned 32-bit integer: istio.io/api networking/v1/virtual_service.proto.
  await expect(
    kubectl(['create', '--dry-run=server', '-f', '-'], virtualService('20 %')),
  ).rejects.toThrow(/weight: Invalid value: "string"/);
});

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return clusterKubectl(goToolPath(config, 'kube'), kubeconfig, args, input);
}

function virtualService(weight: number | string): string {
  const route = [
    { destination: { host: 'stable' }, weight: 80 },
    { destination: { host: 'canary' }, weight },
  ];
  return JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'split', namespace: 'default' },
    spec: { hosts: ['split.example.com'], http: [{ route }] },
  });
}
