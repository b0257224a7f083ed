/** What a request leaves in traces and logs; without a collector there is none, and it costs nothing. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ModelIdentity } from '../model-identity.ts';

export type RequestTrace = {
  /** A part of the request, on the monotonic clock in milliseconds. */
  readonly stage: (name: string, began: number, ended: number) => void;
  /** A status is one of HTTP. */
  readonly end: (status: number, served: ModelIdentity) => void;
};

export type Tracing = {
  /** `undefined` for a request that is not in the sample. */
  readonly begin: (name: string, headers: IncomingHttpHeaders) => RequestTrace | undefined;
  /** Sends what is buffered. */
  readonly stop: () => Promise<void>;
};

/** Version 00 of https://www.w3.org/TR/trace-context/#traceparent-header. */
const traceparent = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The id of the trace that the client says it is in. */
export function traceIdOf({ traceparent: given }: IncomingHttpHeaders): string | undefined {
  return typeof given === 'string' ? traceparent.exec(given)?.[1] : undefined;
}
