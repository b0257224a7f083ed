/** Hands batches to the operator's ingest endpoint. */
import { readFile } from 'node:fs/promises';
import { fetch, type Response } from 'undici';
import { batchIdHeader, batchMediaType } from '../protocol/prediction-record.ts';

export type Batch = {
  readonly id: string;
  readonly records: number;
  /** Gzipped lines. */
  readonly body: Buffer;
};

/** `refused`: this batch will never be taken. `unavailable`: a later try may succeed. */
export type Delivery =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'refused'; readonly reason: string }
  | {
      readonly outcome: 'unavailable';
      readonly reason: string;
      readonly retryAfterMs: number | undefined;
    };

export type Deliver = (batch: Batch, signal: AbortSignal) => Promise<Delivery>;

const answerMs = 15_000;

/** What says that the batch itself is at fault; all else may pass, tokens and roles included. */
const refusals: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** Never rejects. The token is read at every use, as it is replaced before it expires. */
export function ingestClient(url: string, tokenFile: string | undefined): Deliver {
  return async (batch, signal) => {
    try {
      const token = tokenFile === undefined ? undefined : await readFile(tokenFile, 'utf8');
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': batchMediaType,
          'content-encoding': 'gzip',
          [batchIdHeader]: batch.id,
          ...(token === undefined ? {} : { authorization: `Bearer ${token.trim()}` }),
        },
        body: batch.body,
        // A redirect would carry the token and the requests to whoever it names.
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
      });
      const text = await response.text();
      return deliveryOf(response, text);
    } catch (error) {
      return { outcome: 'unavailable', reason: describe(error), retryAfterMs: undefined };
    }
  };
}

function deliveryOf(response: Response, text: string): Delivery {
  if (response.ok) return { outcome: 'taken' };
  const reason = `the ingest endpoint answered ${String(response.status)}: ${text.slice(0, 300)}`;
  if (refusals.has(response.status)) return { outcome: 'refused', reason };
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = seconds >= 0 ? Math.min(seconds, 300) * 1000 : undefined;
  return { outcome: 'unavailable', reason, retryAfterMs };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed" and keeps what happened in the cause.
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
