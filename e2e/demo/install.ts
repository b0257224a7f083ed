import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Context } from '../cluster/cluster.ts';
import { freeRelease } from '../cluster/helm-release.ts';
import type { Target } from './target.ts';
import { watchUntil } from './watch.ts';

export const SYSTEM_NAMESPACE = 'mlops-system';
const RELEASE = 'mlops-operator';

/** Installs or upgrades the chart, and waits until the operator is ready; `more` goes to helm. */
export async function installChart(
  context: Context,
  target: Target,
  more: readonly string[] = [],
): Promise<void> {
  const { config, progress } = context;
  const folder = join(config.build, 'demo');
  mkdirSync(folder, { recursive: true });
  const values = join(folder, 'values.json');
  writeFileSync(values, JSON.stringify(chartValues(target), null, 2));
  await progress.step(`installing the chart into ${SYSTEM_NAMESPACE}`, async () => {
    await ensureNamespace(target);
    await freeRelease(target.helm, RELEASE, SYSTEM_NAMESPACE);
    await target.helm(
      [
        ...['upgrade', '--install', RELEASE, join(config.repository, 'charts/mlops-operator')],
        ...['--namespace', SYSTEM_NAMESPACE, '--values', values, '--timeout', '5m'],
        ...more,
      ],
      join(folder, 'helm.log'),
    );
  });
  for (const [what, object] of parts) {
    await progress.step(`waiting for ${what}`, () =>
      watchUntil<Rollout>(target, {
        object,
        namespace: SYSTEM_NAMESPACE,
        timeoutSeconds: 300,
        progress,
        judge: rolledOut,
      }),
    );
  }
}

/** What the chart installs, in the order it becomes ready. */
const parts: readonly (readonly [string, string])[] = [
  ['PostgreSQL', `statefulset.apps/${RELEASE}-postgresql`],
  ['the S3 server', `statefulset.apps/${RELEASE}-s3`],
  ['the search service', `deployment.apps/${RELEASE}-hpo`],
  ['the operator', `deployment.apps/${RELEASE}`],
];

/** With the label that makes the API server refuse every pod that is not `restricted`. */
async function ensureNamespace(target: Target): Promise<void> {
  const found = await target.kubectl(['get', 'namespace', SYSTEM_NAMESPACE, '--ignore-not-found']);
  if (found !== '') return;
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: SYSTEM_NAMESPACE,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  };
  await target.kubectl(['apply', '-f', '-'], JSON.stringify(namespace));
}

const imageOf = {
  'mlops-operator': 'operator',
  'mlops-serving-runtime': 'serving',
  'mlops-operator-hpo': 'hpo',
  'mlops-postgresql': 'postgresql',
  'mlops-s3': 's3',
} as const;

function chartValues({ images }: Target): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(imageOf).flatMap(([image, component]) => {
      const ref = images[image];
      return ref === undefined ? [] : [[component, { image: splitRef(ref) }]];
    }),
  );
}

/** `host:5000/team/name:tag` → its parts, as the chart's values have them. */
export function splitRef(ref: string): { registry: string; repository: string; tag: string } {
  const match = /^([^/]+)\/(.+):([^:/]+)$/.exec(ref);
  if (match === null) throw new Error(`"${ref}" is no image reference of registry/name:tag`);
  const [, registry = '', repository = '', tag = ''] = match;
  return { registry, repository, tag };
}

type Rollout = {
  readonly metadata: { readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly replicas?: number;
  };
};

function rolledOut({ metadata, spec, status = {} }: Rollout): { done: boolean; state: string } {
  const wanted = spec?.replicas ?? 1;
  const updated = status.updatedReplicas ?? 0;
  const available = status.availableReplicas ?? 0;
  const current = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return {
    done: current && updated >= wanted && available >= wanted && (status.replicas ?? 0) <= wanted,
    state: `${updated} of ${wanted} pods are of this version, ${available} ready in all`,
  };
}
