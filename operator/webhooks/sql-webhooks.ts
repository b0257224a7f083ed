import { sql, type Kysely } from 'kysely';
import { reachingDatabase } from '../store/database-error.ts';
import type { Webhook, WebhookStore } from './webhook-store.ts';

export type WebhookRow = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  readonly description: string | null;
  readonly events: readonly string[];
  readonly active: boolean;
  readonly sealed_secret: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Of the table `webhooks w`. */
export const WEBHOOK_COLUMNS = sql`w.id, w.namespace, w.name, w.url, w.description, w.events,
  w.active, w.sealed_secret, w.created_at, w.updated_at`;

export const toWebhook = (row: WebhookRow): Webhook => ({
  ...{ id: row.id, namespace: row.namespace, name: row.name, url: row.url, events: row.events },
  active: row.active,
  ...(row.description === null ? {} : { description: row.description }),
  ...(row.sealed_secret === null ? {} : { sealedSecret: row.sealed_secret }),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

/** Webhooks in PostgreSQL. */
export const sqlWebhookStore = (db: Kysely<unknown>): WebhookStore => ({
  save: (webhook) =>
    reachingDatabase('keep a webhook', async () => {
      const { id, namespace, name, url, description = null, events, active } = webhook;
      const { sealedSecret = null, createdAt, updatedAt } = webhook;
      await sql`
        insert into webhooks values (${id}, ${namespace}, ${name}, ${url}, ${description},
          ${[...events]}::text[], ${active}, ${sealedSecret}, ${createdAt}, ${updatedAt})
        on conflict (id) do update set name = excluded.name, url = excluded.url,
          description = excluded.description, events = excluded.events, active = excluded.active,
          sealed_secret = excluded.sealed_secret, updated_at = excluded.updated_at`.execute(db);
    }),
  get: (namespace, id) =>
    reachingDatabase('read a webhook', async () => {
      const { rows } = await sql<WebhookRow>`select ${WEBHOOK_COLUMNS} from webhooks w
        where w.namespace = ${namespace} and w.id = ${id}`.execute(db);
      return rows[0] && toWebhook(rows[0]);
    }),
  list: (namespace) =>
    reachingDatabase('list webhooks', async () => {
      const { rows } = await sql<WebhookRow>`select ${WEBHOOK_COLUMNS} from webhooks w
        where w.namespace = ${namespace} order by w.created_at desc, w.id`.execute(db);
      return rows.map(toWebhook);
    }),
  delete: (namespace, id) =>
    reachingDatabase('delete a webhook', async () => {
      await sql`delete from webhooks where namespace = ${namespace} and id = ${id}`.execute(db);
    }),
});
