import { createHmac } from 'node:crypto';
import type { GuardedRequest, HttpAnswer } from '../probing/guarded-request.ts';
import { unseal } from './seal.ts';
import type { Delivery } from './webhook-store.ts';

export type Message = Omit<Delivery, 'attempts' | 'event'> & { readonly event: string };

export type Sending = {
  readonly request: GuardedRequest;
  /** What secrets are sealed with. */
  readonly key: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

const TIMEOUT_MS = 10_000;

/**
 * Posts one event as MLflow 3 does: JSON with entity, action, timestamp, data and workspace, and the
 * headers X-MLflow-Delivery-Id, X-MLflow-Timestamp and, where there is a secret, X-MLflow-Signature
 * (https://mlflow.org/docs/latest/ml/webhooks). Rejects with the reason when nobody answers.
 */
export const sendMessage = async (
  { request, key, now }: Sending,
  message: Message,
  signal: AbortSignal,
): Promise<HttpAnswer> => {
  const { id, webhook, event, data, happenedAt } = message;
  const [entity, action] = event.split('.');
  const timestamp = new Date(happenedAt).toISOString();
  const body = JSON.stringify({ entity, action, timestamp, data, workspace: webhook.namespace });
  const sentAt = String(Math.floor(now() / 1000));
  const secret =
    webhook.sealedSecret === undefined ? '' : unseal(key, webhook.id, webhook.sealedSecret);
  const headers = {
    'content-type': 'application/json',
    'X-MLflow-Delivery-Id': id,
    'X-MLflow-Timestamp': sentAt,
    ...(secret === ''
      ? {}
      : { 'X-MLflow-Signature': signatureOf(secret, `${id}.${sentAt}.${body}`) }),
  };
  return request(
    { url: webhook.url, method: 'POST', headers, body, timeoutMs: TIMEOUT_MS },
    signal,
  );
};

/** `v1,` and the base64 of HMAC-SHA256, as in Standard Webhooks. */
export const signatureOf = (secret: string, signed: string): string =>
  `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
