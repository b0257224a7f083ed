import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Gateway, GATEWAY, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { settings } from './harness/settings.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-istio';
const REQUESTS = 500;
/** 100 of 500 at 20 %, and 4.5 standard deviations of sqrt(500 × 0.2 × 0.8) = 8.94 on each side. */
const FEWEST = 60;
const MOST = 140;

describe('Istio splits traffic at its gateway', () => {
  let tenant: Tenant;
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await Gateway.start();
    tenant = await Tenant.named(NAMESPACE);
    await tenant.apply(
      ...['stable', 'canary'].flatMap((version) => [echoPods(version), service(version, version)]),
      service('echo'),
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'DestinationRule',
        metadata: { name: 'echo' },
        spec: {
          host: 'echo',
          subsets: ['stable', 'canary'].map((name) => ({ name, labels: { version: name } })),
        },
      },
      split('services', { host: 'stable' }, { host: 'canary' }),
      split('subsets', { host: 'echo', subset: 'stable' }, { host: 'echo', subset: 'canary' }),
    );
    for (const version of ['stable', 'canary']) {
      await tenant.kubectl('rollout', 'status', `deployment/${version}`, '--timeout=120s');
    }
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  test.each(['services', 'subsets'])(
    '80 to 20 between two %s',
    async (kind) => {
      const host = `${kind}.example.com`;
      await tenant.until(`the gateway to know ${host}`, 30, async () =>
        (await gateway.ask(host, '/')).status === 200 ? true : undefined,
      );
      const answers: string[] = [];
      for (let count = 0; count < REQUESTS; count++) {
        answers.push((await gateway.ask(host, '/')).body);
      }
      const canary = answers.filter((body) => body === 'canary').length;
      expect(answers.filter((body) => body === 'stable')).toHaveLength(REQUESTS - canary);
      expect(canary).toBeGreaterThanOrEqual(FEWEST);
      expect(canary).toBeLessThanOrEqual(MOST);
    },
    2 * MINUTES,
  );

  test('and knows no host that no VirtualService names', async () => {
    expect((await gateway.ask('other.example.com', '/')).status).toBe(404);
  });
});

/** A pod that answers every request with the name of its version. */
const echoPods = (version: string): Manifest => {
  const labels = { app: 'echo', version };
  const program = `require('node:http').createServer((_, answer) => answer.end('${version}')).listen(8080)`;
  const container = {
    name: 'echo',
    image: settings().images['mlops-operator'],
    command: ['node', '-e', program],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '32Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const securityContext = {
    runAsNonRoot: true,
    runAsUser: 65532,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: version },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { securityContext, containers: [container] } },
    },
  };
};

const service = (name: string, version?: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    selector: { app: 'echo', ...(version === undefined ? {} : { version }) },
    ports: [{ name: 'http', port: 80, targetPort: 'http' }],
  },
});

const split = (name: string, stable: object, canary: object): Manifest => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name },
  spec: {
    hosts: [`${name}.example.com`],
    gateways: [GATEWAY],
    http: [
      {
        route: [
          { destination: stable, weight: 80 },
          { destination: canary, weight: 20 },
        ],
      },
    ],
  },
});
