import { pino } from 'pino';
import type { Logger } from 'pino';
import { kinds } from '../../../crds/schema/all.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { memoryArtifactStore } from '../../artifacts/memory-artifact-store.ts';
import { MemoryRunStore } from '../../kinds/experiment/memory-run-store.ts';
import { experimentRoutes } from '../../kinds/experiment/routes.ts';
import { modelVersionRoutes } from '../../kinds/model-version/routes.ts';
import { POD } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type { ResourceSearch } from '../../store/search.ts';
import { memoryWebhookStore } from '../../webhooks/memory-webhooks.ts';
import { apiKindOf } from '../api-kind.ts';
import type { ApiConfig, ApiRoutes, WebhookPorts } from '../route-context.ts';
import { createServer } from '../server.ts';
import { ApiCluster } from './api-cluster.ts';

export const AUDIENCE = 'mlops.pynomaly.io';
export const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Made once: nine schemas take longer than most tests. */
const API_KINDS = kinds.map(apiKindOf);

const noSearch: ResourceSearch = {
  search: async () => ({ items: [] }),
  get: async () => undefined,
  history: async () => ({ items: [] }),
};

export type Fixture = Awaited<ReturnType<typeof apiFixture>>;

/** The whole API on ports in memory. Nobody may do anything until a test says so. */
export const apiFixture = async (
  options: {
    readonly config?: Partial<ApiConfig>;
    readonly search?: ResourceSearch;
    readonly webhooks?: Partial<WebhookPorts>;
    readonly routes?: readonly ApiRoutes[];
  } = {},
) => {
  let now = START;
  let ids = 0;
  const lines: string[] = [];
  const cluster = new ApiCluster({ now: () => now });
  const runs = new MemoryRunStore();
  const artifacts = memoryArtifactStore(() => new Date(now));
  const log: Logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const app = createServer(
    {
      cluster,
      runs,
      artifacts,
      search: options.search ?? noSearch,
      kinds: API_KINDS,
      config: {
        bundledBucket: 'models',
        maxArtifactBytes: 1024,
        presignSeconds: 300,
        ...options.config,
      },
      webhooks: {
        store: memoryWebhookStore(),
        request: async () => ({ status: 204, body: '' }),
        key: new Uint8Array(32),
        hosts: [],
        ...options.webhooks,
      },
      linkSecret: Buffer.from('a secret of tests'),
      log,
      now: () => now,
      newId: () => (++ids).toString(16).padStart(32, '0'),
    },
    [modelVersionRoutes, experimentRoutes, ...(options.routes ?? [])],
  );
  await app.ready();
  return { app, cluster, runs, artifacts, lines, pass: (ms: number) => void (now += ms) };
};

/** A person whose token is their name. */
export const person = ({ cluster }: Fixture, name: string): { readonly authorization: string } => {
  cluster.tokens.set(name, { user: { username: name }, audiences: [] });
  return { authorization: `Bearer ${name}` };
};

/** A pod with a token of its own that is bound to it. */
export const pod = async (
  { cluster }: Fixture,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<{ readonly authorization: string }> => {
  const metadata = { namespace, name, labels };
  const created = await cluster.create<KubernetesObject>(
    POD,
    { apiVersion: 'v1', kind: 'Pod', metadata },
    { fieldManager: 'test' },
  );
  const token = `pod-${namespace}-${name}`;
  cluster.tokens.set(token, {
    audiences: [AUDIENCE],
    user: {
      username: `system:serviceaccount:${namespace}:default`,
      extra: {
        'authentication.kubernetes.io/pod-name': [name],
        'authentication.kubernetes.io/pod-uid': [created.metadata.uid ?? ''],
      },
    },
  });
  return { authorization: `Bearer ${token}` };
};

export const trialPod = (fixture: Fixture, namespace: string, experiment: string) =>
  pod(fixture, namespace, `${experiment}-0`, { [LABELS.experiment]: experiment });

const kindNamed = (name: string) => {
  const kind = kinds.find((each) => each.kind === name);
  if (kind === undefined) throw new Error(`There is no kind ${name}.`);
  return ownType(kind);
};

/** Puts an object of ours into the cluster as kubectl would. */
export const given = async (
  { cluster }: Fixture,
  kind: string,
  metadata: KubernetesObject['metadata'],
  rest: { readonly spec?: unknown; readonly status?: unknown } = {},
): Promise<KubernetesObject> =>
  cluster.create(
    kindNamed(kind),
    { apiVersion: 'mlops.pynomaly.io/v1alpha1', kind, metadata, ...rest },
    { fieldManager: 'kubectl' },
  );
