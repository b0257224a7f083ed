/** The log of requests: takes references while requests are answered, writes them out afterwards. */
import type { IncomingHttpHeaders } from 'node:http';
import { batchLimits } from '../protocol/prediction-record.ts';
import { traceIdOf } from '../telemetry/request-trace.ts';
import type { RequestLogMetrics } from '../telemetry/request-log-metrics.ts';
import type { ModelIdentity } from '../model-identity.ts';
import type { CapturedRequest, Exchange, RecordOptions } from './encode-record.ts';
import { encodeRecord, sizeOf } from './encode-record.ts';
import type { Batch } from './ingest-client.ts';
import { isSampled } from './sampling.ts';
import { BatchDraft, sealBatch } from './seal-batch.ts';

export type RequestLogOptions = RecordOptions & { readonly sampleRate: number };

export type AskedBy = {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly of: ModelIdentity;
};

/** A status is one of HTTP. */
export type Answered = { readonly status: number; readonly exchange?: Exchange | undefined };

export type RequestLogEnvironment = {
  readonly offer: (batch: Batch) => void;
  readonly metrics: RequestLogMetrics;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly newId: () => string;
  /** Lets requests have their turn. */
  readonly yieldTurn: () => Promise<void>;
};

/** Memory for requests that are not written out yet. */
const maxPendingBytes = 32 * 1024 * 1024;
/** Records written out before requests get their turn again. */
const sliceRecords = 32;

export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #environment: RequestLogEnvironment;
  #pending: CapturedRequest[] = [];
  #pendingBytes = 0;
  #flushing: Promise<void> | undefined;

  constructor(options: RequestLogOptions, environment: RequestLogEnvironment) {
    this.#options = options;
    this.#environment = environment;
  }

  /** Takes a request that has its answer, where it belongs to the sample. Only references are kept. */
  record({ id, headers, of }: AskedBy, answered: Answered, latencyMs: number): void {
    if (!isSampled(id, this.#options.sampleRate)) return;
    const { metrics, wallClock } = this.#environment;
    metrics.taken();
    const captured: CapturedRequest = {
      of,
      id,
      unit: shortText(headers['x-mlops-unit']),
      variant: shortText(headers['x-mlops-variant']),
      at: wallClock(),
      status: answered.status,
      latencyMs,
      exchange: answered.exchange,
      traceId: traceIdOf(headers),
    };
    const bytes = sizeOf(captured);
    if (bytes > batchLimits.recordBytes) metrics.dropped('too_large', 1);
    else if (this.#pendingBytes + bytes > maxPendingBytes) metrics.dropped('memory_full', 1);
    else {
      this.#pending.push(captured);
      this.#pendingBytes += bytes;
      if (this.#pending.length >= batchLimits.records) void this.flush();
    }
  }

  /** Writes out all there is. Never rejects. */
  flush(): Promise<void> {
    this.#flushing ??= this.#writeOut().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #writeOut(): Promise<void> {
    const { yieldTurn, metrics } = this.#environment;
    await yieldTurn();
    while (this.#pending.length > 0) {
      const pending = this.#pending;
      this.#pending = [];
      const draft = new BatchDraft();
      for (let i = 0; i < pending.length; i++) {
        if (i % sliceRecords === sliceRecords - 1) await yieldTurn();
        const captured = pending[i];
        if (captured === undefined) continue;
        const line = encodeRecord(captured, this.#options);
        this.#pendingBytes -= sizeOf(captured);
        const size = Buffer.byteLength(line) + 1;
        if (size > batchLimits.recordBytes) {
          metrics.dropped('too_large', 1);
          continue;
        }
        const full = draft.add(line, size);
        if (full.length > 0) await this.#seal(full);
      }
      await this.#seal(draft.take());
    }
  }

  async #seal(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    this.#environment.offer(await sealBatch(this.#environment.newId(), lines));
  }
}

/** What the endpoint would refuse a batch for. */
const maxText = 512;

function shortText(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value.length <= maxText ? value : value.slice(0, maxText);
}
