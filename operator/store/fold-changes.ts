import { ANNOTATIONS } from '../../crds/schema/names.ts';
import { isNewer } from '../runtime/object-cache.ts';
import type { ResourceState, Writer } from './resource-state.ts';
import type { AuditOperation, AuditRow } from './search.ts';

/** One observation on its way into the database. */
export type Change = {
  readonly type: 'upsert' | 'delete';
  readonly state: ResourceState;
  /** Found by comparing a list with the table; what happened in between was not seen. */
  readonly gap: boolean;
};

export type NewAuditRow = Omit<AuditRow, 'id'>;

export type Folded = {
  /** The last state of every object that changed. */
  readonly states: readonly ResourceState[];
  readonly audit: readonly NewAuditRow[];
};

/** The manager the API writes with on behalf of a caller. */
const API_MANAGER = 'mlops-api';

/**
 * Judges changes against the states stored (by uid): which rows to write, and what the audit says.
 * Feeding the same changes again yields nothing new.
 */
export const foldChanges = (
  stored: ReadonlyMap<string, ResourceState>,
  changes: readonly Change[],
): Folded => {
  const states = new Map(stored);
  const touched = new Set<string>();
  const audit: NewAuditRow[] = [];
  for (const change of changes) {
    const { uid } = change.state.row;
    const before = states.get(uid);
    if (isKnown(before, change)) continue;
    const after = change.type === 'delete' ? deleted(before, change.state) : change.state;
    audit.push(...auditRows(before, after, change.gap));
    states.set(uid, after);
    touched.add(uid);
  }
  return { states: [...states.values()].filter(({ row }) => touched.has(row.uid)), audit };
};

/** Seen before, or older than what is stored. A list is the truth also where versions went back. */
const isKnown = (before: ResourceState | undefined, { type, state, gap }: Change): boolean => {
  if (!before) return false;
  const [now, then] = [state.row.resourceVersion, before.row.resourceVersion];
  if (before.row.deletedAt !== undefined) return type === 'delete' || !(gap && now !== then);
  if (type === 'delete') return false;
  return now === then || (!gap && !isNewer(now, then));
};

/** A deletion is reported with the last state known to the watch, not always the last one stored. */
const deleted = (before: ResourceState | undefined, last: ResourceState): ResourceState => {
  const state =
    before && !isNewer(last.row.resourceVersion, before.row.resourceVersion) ? before : last;
  const at = last.row.updatedAt;
  return { ...state, row: { ...state.row, updatedAt: at, deletedAt: at } };
};

const auditRows = (
  before: ResourceState | undefined,
  after: ResourceState,
  unwatched: boolean,
): readonly NewAuditRow[] => {
  // Several writes to the spec in one observation: some were not seen.
  const skipped = before !== undefined && after.row.generation > before.row.generation + 1;
  const gap = unwatched || skipped;
  const operations = operationsBetween(before, after);
  return (gap ? operations.slice(0, 1) : operations).map((operation) =>
    auditRow({ operation, gap, before, after }),
  );
};

const operationsBetween = (
  before: ResourceState | undefined,
  after: ResourceState,
): readonly AuditOperation[] => {
  if (after.row.deletedAt !== undefined) return ['deleted'];
  if (!before || before.row.deletedAt !== undefined) return ['created'];
  return [
    ...(before.contentHash === after.contentHash ? [] : (['updated'] as const)),
    ...(before.statusHash === after.statusHash ? [] : (['status'] as const)),
  ];
};

type Judged = {
  readonly operation: AuditOperation;
  readonly gap: boolean;
  readonly before: ResourceState | undefined;
  readonly after: ResourceState;
};

const auditRow = ({ operation, gap, before, after }: Judged): NewAuditRow => {
  const hash = operation === 'status' ? 'statusHash' : 'contentHash';
  const beforeHash = operation === 'created' ? undefined : before?.[hash];
  const { row } = after;
  return {
    kind: row.kind,
    uid: row.uid,
    namespace: row.namespace,
    name: row.name,
    operation,
    gap,
    ...(gap ? {} : doorOf(operation, before, after)),
    ...(beforeHash !== undefined && { beforeHash }),
    ...(operation !== 'deleted' && { afterHash: after[hash] }),
    generation: row.generation,
    resourceVersion: row.resourceVersion,
    observedAt: row.updatedAt,
  };
};

type Door = { readonly fieldManager?: string; readonly requestedBy?: string };

/**
 * Who wrote, as far as it is certain. Each write moves the time of its manager's entry; so the door
 * is the one entry that moved. Two that moved, or none (a writer that only removes fields leaves no
 * entry), say nothing for sure. A status has its controllers as only writers, so there the newest
 * entry will do when a second write falls into the same second. Nobody signs a deletion.
 *
 * The annotation counts only for a write of the API itself: it stays on the object when the next
 * change comes through another door, and anybody can write it there.
 */
const doorOf = (
  operation: AuditOperation,
  before: ResourceState | undefined,
  after: ResourceState,
): Door => {
  if (operation === 'deleted') return {};
  const subresource = operation === 'status' ? 'status' : '';
  const writers = after.writers.filter((writer) => writer.subresource === subresource);
  const moved = writers.filter((writer) => !before?.writers.some((old) => isSame(old, writer)));
  const writer = moved.length === 0 && operation === 'status' ? newest(writers) : only(moved);
  if (!writer || writer.manager === '') return {};
  const requestedBy = after.row.annotations[ANNOTATIONS.requestedBy];
  return {
    fieldManager: writer.manager,
    ...(writer.manager === API_MANAGER && operation !== 'status' && requestedBy && { requestedBy }),
  };
};

const isSame = (a: Writer, b: Writer): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  a.time === b.time;

const only = (writers: readonly Writer[]): Writer | undefined =>
  writers.length === 1 ? writers[0] : undefined;

const newest = (writers: readonly Writer[]): Writer | undefined => {
  const latest = writers.reduce((time, writer) => (writer.time > time ? writer.time : time), '');
  return only(writers.filter(({ time }) => time === latest));
};
