import { sendMessage, type Sending } from './send.ts';
import type { Delivery, Outbox } from './webhook-store.ts';

export type Delivering = Sending & {
  readonly outbox: Outbox;
  readonly log: { warn(fields: Readonly<Record<string, unknown>>, message: string): void };
  readonly signal: AbortSignal;
};

const AT_ONCE = 16;
/** Longer than an attempt takes; after it another replica tries. */
const LEASE_MS = 60_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60 * 60 * 1000;
/** After that nobody waits for the news any more. */
const GIVE_UP_MS = 24 * 60 * 60 * 1000;

/** Sends what is due, until nothing is; a receiver may be told the same twice, with the same id. */
export const deliverDue = async (delivering: Delivering): Promise<void> => {
  const { outbox, signal, now } = delivering;
  while (!signal.aborted) {
    const due = await outbox.claim(now(), LEASE_MS, AT_ONCE);
    if (due.length === 0) return;
    await Promise.all(due.map((each) => deliver(delivering, each)));
  }
};

const deliver = async (delivering: Delivering, delivery: Delivery): Promise<void> => {
  const { outbox, log, now, signal } = delivering;
  const failure = await attempt(delivering, delivery);
  if (signal.aborted && failure !== undefined) return;
  if (failure === undefined) return outbox.done(delivery.id);
  const { id, attempts, event, happenedAt, webhook } = delivery;
  const about = { ...{ delivery: id, event, attempts, failure }, webhook: webhook.id };
  if (now() - happenedAt >= GIVE_UP_MS) {
    log.warn(about, 'A webhook could not be told within a day; this event is dropped');
    return outbox.done(id);
  }
  log.warn(about, 'A webhook could not be told; trying again');
  return outbox.retry(id, now() + retryAfter(attempts), failure);
};

/** Why it failed, or undefined. */
const attempt = async (delivering: Delivering, delivery: Delivery): Promise<string | undefined> => {
  try {
    const { status } = await sendMessage(delivering, delivery, delivering.signal);
    // Redirects are not followed, so nobody was told.
    return status >= 200 && status < 300 ? undefined : `it answered status ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** 5 s, doubled at every attempt, at most an hour. */
const retryAfter = (attempts: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20));
