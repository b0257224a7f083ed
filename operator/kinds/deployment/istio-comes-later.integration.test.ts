import { memoryMetricProbe } from '../../probing/memory-metric-probe.ts';
import { memoryOwnData } from '../testing/own-data.ts';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';

import { deployment as deploymentKind, type Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import { findCondition } from '../../../crds/schema/conditions.ts';
import { readConfig } from '../../../e2e/cluster/config.ts';
import { goToolPath } from '../../../e2e/cluster/go-tool.ts';
import { istioSources } from '../../../e2e/cluster/istio/sources.ts';
import { kubectl as clusterKubectl } from '../../../e2e/cluster/kubectl.ts';
import { until } from '../../../e2e/faults/harness/until.ts';
import { systemClock } from '../../runtime/clock.ts';
import { KubernetesCluster } from '../../runtime/kubernetes-cluster.ts';
import { NAMESPACE, SERVICE } from '../../runtime/kubernetes-types.ts';
import { VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { apiVersionOf, type ResourceType } from '../../runtime/resource-type.ts';
import { stopped, TestOperator } from '../../runtime/testing/test-operator.ts';
import { memoryTrafficMeter } from '../../scraping/memory-traffic-meter.ts';
import { aDeployment } from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias, someDefaults } from '../testing/builders.ts';
import { deploymentReconciler } from './reconcile.ts';

const DEPLOYMENT = ownType(deploymentKind);
const namespace = `no-istio-${randomUUID().slice(0, 8)}`;
const kubeconfig = process.env['INTEGRATION_KUBECONFIG'] ?? '';

let cluster: KubernetesCluster;
let operator: TestOperator;
let istioCrds = '';

jest.setTimeout(180_000);

const kubectl = (...args: readonly string[]): Promise<string> =>
  clusterKubectl(goToolPath(readConfig(), 'kube'), kubeconfig, args);

const put = async (type: ResourceType, object: object): Promise<void> => {
  const { metadata, ...rest } = object as { metadata: { name: string } };
  const { name } = metadata;
  const whole = { apiVersion: apiVersionOf(type), kind: type.kind, ...rest };
  const placed = { ...whole, metadata: { name, namespace } };
  await cluster.create(type, placed, { fieldManager: 'test' });
};

// The absent resource is looked for, and then the Deployment is looked at, every 30 seconds.
const SECONDS = 90;

const routingIs = (reason: string): Promise<string> =>
  until(`TrafficRouting ${reason}`, SECONDS, async () => {
    const found = await cluster.get<Deployment>(DEPLOYMENT, { namespace, name: 'digits' });
    const condition = findCondition(found?.status?.conditions, 'TrafficRouting');
    return condition?.reason === reason ? `${condition.status} ${condition.message}` : undefined;
  });

beforeAll(async () => {
  await kubectl('apply', '-f', join(import.meta.dirname, '../../../crds'));
  istioCrds = (await istioSources(readConfig())).crds;
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  cluster = new KubernetesCluster(config, { called: () => undefined });
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.create(NAMESPACE, home, { fieldManager: 'test' });
  const version = aReadyVersion('1.0.0');
  await put(ownType(modelVersion), version);
  const status = JSON.stringify({ status: version.status });
  await kubectl(
    ...['patch', 'modelversion', version.metadata.name, '-n', namespace],
    ...['--subresource=status', '--type=merge', '-p', status],
  );
  await put(ownType(modelAlias), anAlias('champion', '1.0.0'));
  const istio = { gateways: ['istio-system/gateway'], hosts: ['digits.example.com'] };
  const canary = { steps: [{ setWeight: 20 }], scaleDownDelaySeconds: 5 };
  const strategy = { canary: { ...canary, trafficRouting: { istio } } };
  await put(DEPLOYMENT, aDeployment({ strategy }));
  operator = new TestOperator({
    ...{ cluster, clock: systemClock, namespaces: [namespace] },
    reconcilers: [
      deploymentReconciler({
        ...{
          children: someDefaults(),
          traffic: memoryTrafficMeter(),
          ownData: memoryOwnData(),
          probe: memoryMetricProbe(() => 0),
        },
      }),
    ],
  });
  void operator.start();
});

afterAll(async () => {
  await stopped(operator);
  // Other tests may ask what happens without Istio.
  await kubectl('delete', '--ignore-not-found', '-f', istioCrds);
});

describe('a Deployment that asks for Istio, on an API server without it', () => {
  test('is served all the same, and says who splits its requests instead', async () => {
    expect(await routingIs('TrafficRoutingUnavailable')).toMatch(
      /^False This cluster has no Istio \(networking\.istio\.io\), so requests are split by the number of pods/,
    );
    expect(await cluster.get(SERVICE, { namespace, name: 'digits' })).toBeDefined();
  });

  test('gets its route once Istio is there, without a restart of the operator', async () => {
    await kubectl('apply', '--server-side', '-f', istioCrds);
    expect(await routingIs('Routed')).toMatch(/^True An Istio VirtualService splits requests/);
    expect(await cluster.get(VIRTUAL_SERVICE, { namespace, name: 'digits' })).toMatchObject({
      spec: { hosts: [`digits.${namespace}.svc.cluster.local`, 'digits.example.com'] },
    });
  });
});
