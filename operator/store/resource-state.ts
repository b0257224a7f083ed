import type { KubernetesObject } from '../runtime/resource-type.ts';
import { canonicalJson, sha256Hex } from './canonical-json.ts';
import type { Readiness, ResourceRow } from './search.ts';

/** One writer the API server keeps track of. */
export type Writer = {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string;
  readonly time: string;
};

/** What the mirror keeps of an object: the row readers see, and what the next change is judged by. */
export type ResourceState = {
  readonly row: ResourceRow;
  readonly writers: readonly Writer[];
  readonly searchText: string;
  /** Of spec, labels and annotations: what users write. */
  readonly contentHash: string;
  /** Of the status without its heartbeats. */
  readonly statusHash: string;
};

type FullObject = KubernetesObject & {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
};

/** More than this makes a tsvector that PostgreSQL refuses. */
const MAX_SEARCH_TEXT = 64 * 1024;

/** Also kept in the annotation of client-side apply, which would double every row. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The state of an object as seen at `observedAt`. */
export const resourceState = (object: KubernetesObject, observedAt: string): ResourceState => {
  const { metadata, kind, spec = {}, status = {} } = storable(object) as FullObject;
  const { [LAST_APPLIED]: _, ...annotations } = metadata.annotations ?? {};
  const labels = metadata.labels ?? {};
  const ready = readyCondition(status);
  const row: ResourceRow = {
    uid: metadata.uid ?? '',
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    generation: metadata.generation ?? 0,
    resourceVersion: metadata.resourceVersion ?? '',
    labels,
    annotations,
    spec,
    status,
    ...ready,
    createdAt: metadata.creationTimestamp ?? observedAt,
    updatedAt: observedAt,
  };
  return {
    row,
    writers: writersOf(metadata),
    searchText: searchText(row),
    contentHash: sha256Hex(canonicalJson({ annotations, labels, spec })),
    statusHash: sha256Hex(canonicalJson(withoutHeartbeats(status))),
  };
};

/** PostgreSQL takes neither NUL nor lone surrogates; Kubernetes passes both through. */
const storable = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll('\u0000', '\ufffd').toWellFormed();
  if (Array.isArray(value)) return value.map(storable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [storable(key), storable(member)]),
  );
};

const writersOf = (metadata: KubernetesObject['metadata']): readonly Writer[] =>
  (metadata.managedFields ?? []).map((entry) => ({
    manager: entry.manager ?? '',
    operation: entry.operation ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time ?? '',
  }));

type Condition = Readonly<Record<string, unknown>>;

const conditionsOf = (status: Readonly<Record<string, unknown>>): readonly Condition[] => {
  const conditions = status['conditions'];
  if (!Array.isArray(conditions)) return [];
  return conditions.filter(
    (condition): condition is Condition => typeof condition === 'object' && condition !== null,
  );
};

const readyCondition = (
  status: Readonly<Record<string, unknown>>,
): { readonly ready: Readiness; readonly reason: string; readonly message: string } => {
  const ready = conditionsOf(status).find(({ type }) => type === 'Ready') ?? {};
  return {
    ready: ready['status'] === 'True' || ready['status'] === 'False' ? ready['status'] : 'Unknown',
    reason: textOf(ready['reason']),
    message: textOf(ready['message']),
  };
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Changes with every pass, or with every spec change, which has a row of its own. */
const HEARTBEATS = new Set([
  'observedGeneration',
  'lastHeartbeatTime',
  'lastProbeTime',
  'lastUpdateTime',
]);

const withoutHeartbeats = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutHeartbeats);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !HEARTBEATS.has(key))
      .map(([key, member]) => [key, withoutHeartbeats(member)]),
  );
};

/** What the words of a search may hit. */
const searchText = (row: ResourceRow): string => {
  const { spec } = row;
  const tags = spec['tags'] ?? {};
  const words = [
    row.kind,
    row.name,
    row.namespace,
    ...Object.entries(row.labels).flat(),
    ...['description', 'owner', 'task', 'version', 'environment'].map((key) => textOf(spec[key])),
    ...(typeof tags === 'object' ? Object.entries(tags).flat().map(textOf) : []),
    ...conditionsOf(row.status).flatMap(({ reason, message }) => [textOf(reason), textOf(message)]),
  ];
  return [...new Set(words)].join(' ').trim().slice(0, MAX_SEARCH_TEXT);
};
