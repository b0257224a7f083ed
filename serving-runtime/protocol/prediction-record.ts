/** What pods send to the ingest endpoint: gzipped lines of JSON, one record a line. */

/** A tensor of a logged request or answer; 64-bit integers keep every digit, NaN and ±Infinity are strings. */
export type LoggedTensor = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Row-major; absent where the values were redacted. */
  readonly data?: readonly unknown[];
  readonly redacted?: true;
};

export type PredictionRecord = {
  readonly type: 'prediction';
  /** The request's id, as `x-request-id` gave it back. */
  readonly id: string;
  /** RFC 3339, UTC: when the answer was ready. */
  readonly time: string;
  /** Whom the prediction was for, from the header `x-mlops-unit`. */
  readonly unit?: string;
  readonly variant?: string;
  /** Of the W3C trace that the request was in. */
  readonly traceId?: string;
  /** The name it is served under. */
  readonly model: string;
  readonly version: string;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly latencyMs: number;
  readonly inputs?: readonly LoggedTensor[];
  readonly outputs?: readonly LoggedTensor[];
};

/** One batch is written whole or not at all, and once, however often it is sent. */
export const batchIdHeader = 'idempotency-key';
export const batchMediaType = 'application/x-ndjson';

/** Bounds of one batch; the sender keeps well below what the endpoint takes. */
export const batchLimits = {
  /** Of a batch's JSON before compression: what the sender makes, and what is taken. */
  sentBytes: 1024 * 1024,
  takenBytes: 8 * 1024 * 1024,
  /** A record over this is not sent. */
  recordBytes: 1024 * 1024,
  records: 1000,
  takenRecords: 10_000,
} as const;
