import { sql, type Kysely, type Transaction } from 'kysely';
import { ANNOTATIONS, LABELS } from '../../crds/schema/names.ts';
import { reachingDatabase } from '../store/database-error.ts';
import type { ResourceState } from '../store/resource-state.ts';
import type { Tables } from '../store/tables.ts';
import { registryEvents, type RegistryEvent, type RegistryEventName } from './registry-event.ts';
import { WEBHOOK_COLUMNS, toWebhook, type WebhookRow } from './sql-webhooks.ts';
import type { Delivery, Outbox } from './webhook-store.ts';

type Tx = Transaction<Tables>;

/** Clocks of the cluster and of this program may differ by as much. */
const CLOCK_SKEW_MS = 60_000;
/** So that the other objects of the same change have been mirrored when names are looked up. */
const SETTLE_MS = 1_000;

/** Writes what webhooks are to be told of these changes; part of the mirror's own transaction. */
export const recordRegistryEvents = async (
  tx: Tx,
  stored: ReadonlyMap<string, ResourceState>,
  states: readonly ResourceState[],
): Promise<void> => {
  for (const after of states) {
    for (const each of registryEvents(stored.get(after.row.uid), after))
      await record(tx, each, Date.parse(after.row.updatedAt));
  }
};

const record = async (tx: Tx, each: RegistryEvent, at: number): Promise<void> => {
  const { event, namespace, createdAt = at, ...subject } = each;
  // What was there before somebody asked to be told is no news, also when it is mirrored later.
  await sql`
    insert into webhook_deliveries (webhook_id, event, subject, happened_at, next_attempt_at)
    select id, ${event}, ${JSON.stringify(subject)}::jsonb, ${at}::bigint, ${at + SETTLE_MS}::bigint
    from webhooks
    where namespace = ${namespace} and active and ${event} = any(events)
      and created_at <= ${createdAt + CLOCK_SKEW_MS}::bigint`.execute(tx);
};

type Claimed = WebhookRow & {
  readonly delivery_id: string;
  readonly event: RegistryEventName;
  readonly subject: Pick<RegistryEvent, 'model' | 'semver' | 'data'>;
  readonly happened_at: string;
  readonly attempts: number;
  readonly client_name: string | null;
  readonly client_version: string | null;
};

/** The outbox in PostgreSQL; several replicas may claim at once. */
export const sqlOutbox = (db: Kysely<unknown>): Outbox => ({
  claim: (now, leaseMs, limit) =>
    reachingDatabase('read the outbox', async () => {
      const { rows } = await sql<Claimed>`
        with due as (
          select d.id from webhook_deliveries d join webhooks w on w.id = d.webhook_id and w.active
          where d.next_attempt_at <= ${now}::bigint
          order by d.next_attempt_at limit ${limit} for update of d skip locked
        ), claimed as (
          update webhook_deliveries d
          set attempts = attempts + 1, next_attempt_at = ${now + leaseMs}::bigint
          from due where d.id = due.id returning d.*
        )
        select c.id as delivery_id, c.event, c.subject, c.happened_at, c.attempts,
          ${WEBHOOK_COLUMNS},
          (select m.annotations ->> ${ANNOTATIONS.mlflowName} from resources m
            where m.kind = 'Model' and m.namespace = w.namespace and m.name = c.subject ->> 'model'
            order by m.deleted_at desc nulls first limit 1) as client_name,
          (select v.labels ->> ${LABELS.mlflowVersion} from resources v
            where v.kind = 'ModelVersion' and v.namespace = w.namespace
              and v.spec -> 'modelRef' ->> 'name' = c.subject ->> 'model'
              and v.spec ->> 'version' = c.subject ->> 'semver'
            order by v.deleted_at desc nulls first limit 1) as client_version
        from claimed c join webhooks w on w.id = c.webhook_id
        order by c.happened_at`.execute(db);
      return rows.map(toDelivery);
    }),
  done: (id) =>
    reachingDatabase('write the outbox', async () => {
      await sql`delete from webhook_deliveries where id = ${id}::uuid`.execute(db);
    }),
  retry: (id, at, error) =>
    reachingDatabase('write the outbox', async () => {
      await sql`update webhook_deliveries set next_attempt_at = ${at}::bigint,
        last_error = ${error.slice(0, 1000)} where id = ${id}::uuid`.execute(db);
    }),
});

const toDelivery = (row: Claimed): Delivery => {
  const { model, semver, data } = row.subject;
  return {
    id: row.delivery_id,
    webhook: toWebhook(row),
    event: row.event,
    happenedAt: Number(row.happened_at),
    attempts: row.attempts,
    data: {
      name: row.client_name ?? model,
      ...(semver === undefined ? {} : { version: row.client_version ?? semver }),
      ...data,
    },
  };
};
