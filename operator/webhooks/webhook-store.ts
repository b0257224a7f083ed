import type { RegistryEventName } from './registry-event.ts';

export type Webhook = {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  readonly description?: string;
  readonly events: readonly string[];
  readonly active: boolean;
  /** As `seal.ts` wrote it. */
  readonly sealedSecret?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** One event on its way to one webhook. The id is the same at every attempt. */
export type Delivery = {
  readonly id: string;
  readonly webhook: Webhook;
  readonly event: RegistryEventName;
  readonly data: Readonly<Record<string, unknown>>;
  readonly happenedAt: number;
  /** Including the one that begins now. */
  readonly attempts: number;
};

/** Adapters: `sql-webhooks.ts` and `memory-webhooks.ts`. */
export type WebhookStore = {
  /** Also replaces one of the same id. */
  save(webhook: Webhook): Promise<void>;
  get(namespace: string, id: string): Promise<Webhook | undefined>;
  /** Newest first. */
  list(namespace: string): Promise<readonly Webhook[]>;
  /** With what it has not been told yet. */
  delete(namespace: string, id: string): Promise<void>;
};

/** What is still to be told, written in the transaction that mirrors the change itself. */
export type Outbox = {
  /** Deliveries that are due, nobody else's for `leaseMs`: after that they are due again. */
  claim(now: number, leaseMs: number, limit: number): Promise<readonly Delivery[]>;
  done(id: string): Promise<void>;
  retry(id: string, at: number, error: string): Promise<void>;
};
