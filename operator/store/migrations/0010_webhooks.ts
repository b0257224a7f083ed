import { type Kysely, sql } from 'kysely';

/** Who wants to be told of changes of the registry, and what they have not been told yet. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table webhooks (
      id text collate "C" primary key,
      namespace text collate "C" not null,
      name text not null,
      url text not null,
      description text,
      events text[] not null check (cardinality(events) > 0),
      active boolean not null,
      sealed_secret text,
      created_at bigint not null,
      updated_at bigint not null
    )`.execute(db);
  await sql`create index webhooks_namespace on webhooks (namespace, created_at)`.execute(db);
  await sql`
    create table webhook_deliveries (
      id uuid primary key default gen_random_uuid(),
      webhook_id text collate "C" not null references webhooks on delete cascade,
      event text not null,
      subject jsonb not null,
      happened_at bigint not null,
      attempts integer not null default 0,
      next_attempt_at bigint not null,
      last_error text
    )`.execute(db);
  await sql`create index webhook_deliveries_due on webhook_deliveries (next_attempt_at)`.execute(
    db,
  );
  await sql`create index webhook_deliveries_webhook on webhook_deliveries (webhook_id)`.execute(db);
};
