import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './infer.ts';
import type { ServerParts } from './server.ts';

type Recorded = {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  /** On the clock of the parts. */
  readonly started: number;
};

/** Tells metrics and request log of an inference that has its answer; a status is one of HTTP. */
export function recordInference(
  { now, metrics, requestLog }: Pick<ServerParts, 'now' | 'metrics' | 'requestLog'>,
  { id, headers, started }: Recorded,
  answered: { readonly status: number; readonly exchange?: Answer['exchange'] },
): void {
  const tookMs = now() - started;
  metrics.inferenceEnded(answered.status, tookMs / 1000);
  requestLog?.record(id, headers, answered, tookMs);
}
