import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import { reachingDatabase } from './database-error.ts';
import type { NewAuditRow } from './fold-changes.ts';
import { type MirrorRows, RowsRefused } from './mirror-rows.ts';
import type { ResourceState, Writer } from './resource-state.ts';
import { resourceRow } from './row-mapping.ts';
import type { AuditTable, ResourcesTable, Tables } from './tables.ts';

/** Told of every change in the transaction that stores it: the states before by uid, and after. */
export type ChangeRecorder = (
  transaction: Transaction<Tables>,
  before: ReadonlyMap<string, ResourceState>,
  after: readonly ResourceState[],
) => Promise<void>;

/** The mirror's tables in PostgreSQL. */
export const sqlMirrorRows = (
  db: Kysely<Tables>,
  record: ChangeRecorder = async () => {},
): MirrorRows => ({
  known: (kind, namespace) =>
    reachingDatabase('list the mirror', async () => {
      const living = db
        .selectFrom('resources')
        .select(['uid', 'resource_version as resourceVersion'])
        .where('kind', '=', kind)
        .where('deleted_at', 'is', null);
      return (
        namespace === undefined ? living : living.where('namespace', '=', namespace)
      ).execute();
    }),

  states: (uids) => reachingDatabase('read the mirror', () => statesOf(db, uids)),

  update: (uids, fold) =>
    reachingDatabase('write the mirror', () =>
      db
        .transaction()
        .execute(async (transaction) => {
          const stored = await statesOf(transaction, uids, 'for update');
          const before = new Map(stored.map((state) => [state.row.uid, state]));
          const { states, audit } = fold(before);
          await writeStates(transaction, states);
          await record(transaction, before, states);
          return states.length + (await appendAudit(transaction, audit));
        })
        .catch(asRefusal),
    ),
});

/** Data exceptions (22), constraints (23) and limits of the program (54) do not pass by waiting. */
const asRefusal = (error: unknown): never => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  throw error instanceof Error && /^(22|23|54)/.test(code) ? new RowsRefused(error) : error;
};

const statesOf = async (
  db: Kysely<Tables>,
  uids: readonly string[],
  lock?: 'for update',
): Promise<readonly ResourceState[]> => {
  if (uids.length === 0) return [];
  const query = db.selectFrom('resources').selectAll().where('uid', 'in', uids);
  // Always in the same order, so that two writers cannot wait for each other.
  const rows = await (lock ? query.orderBy('uid').forUpdate() : query).execute();
  return rows.map(toState);
};

const writeStates = async (
  transaction: Transaction<Tables>,
  states: readonly ResourceState[],
): Promise<void> => {
  if (states.length === 0) return;
  await transaction
    .insertInto('resources')
    .values(states.map(fromState))
    .onConflict((conflict) =>
      conflict.column('uid').doUpdateSet((row) => ({
        generation: row.ref('excluded.generation'),
        resource_version: row.ref('excluded.resource_version'),
        labels: row.ref('excluded.labels'),
        annotations: row.ref('excluded.annotations'),
        spec: row.ref('excluded.spec'),
        status: row.ref('excluded.status'),
        writers: row.ref('excluded.writers'),
        ready: row.ref('excluded.ready'),
        reason: row.ref('excluded.reason'),
        message: row.ref('excluded.message'),
        search_text: row.ref('excluded.search_text'),
        content_hash: row.ref('excluded.content_hash'),
        status_hash: row.ref('excluded.status_hash'),
        updated_at: row.ref('excluded.updated_at'),
        deleted_at: row.ref('excluded.deleted_at'),
      })),
    )
    .execute();
};

const appendAudit = async (
  transaction: Transaction<Tables>,
  rows: readonly NewAuditRow[],
): Promise<number> => {
  if (rows.length === 0) return 0;
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('audit')
    .values(rows.map(fromAuditRow))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows ?? 0n);
};

const toState = (row: Selectable<ResourcesTable>): ResourceState => ({
  row: resourceRow(row),
  writers: row.writers as readonly Writer[],
  searchText: row.search_text,
  contentHash: row.content_hash,
  statusHash: row.status_hash,
});

const fromState = (state: ResourceState): Insertable<ResourcesTable> => ({
  uid: state.row.uid,
  kind: state.row.kind,
  namespace: state.row.namespace,
  name: state.row.name,
  generation: state.row.generation,
  resource_version: state.row.resourceVersion,
  labels: JSON.stringify(state.row.labels),
  annotations: JSON.stringify(state.row.annotations),
  spec: JSON.stringify(state.row.spec),
  status: JSON.stringify(state.row.status),
  writers: JSON.stringify(state.writers),
  ready: state.row.ready,
  reason: state.row.reason,
  message: state.row.message,
  search_text: state.searchText,
  content_hash: state.contentHash,
  status_hash: state.statusHash,
  created_at: state.row.createdAt,
  updated_at: state.row.updatedAt,
  deleted_at: state.row.deletedAt ?? null,
});

const fromAuditRow = (row: NewAuditRow): Insertable<AuditTable> => ({
  kind: row.kind,
  uid: row.uid,
  namespace: row.namespace,
  name: row.name,
  operation: row.operation,
  gap: row.gap,
  requested_by: row.requestedBy ?? null,
  field_manager: row.fieldManager ?? null,
  before_hash: row.beforeHash ?? null,
  after_hash: row.afterHash ?? null,
  generation: row.generation,
  resource_version: row.resourceVersion,
  observed_at: row.observedAt,
});
