import type { IncomingHttpHeaders } from 'node:http';
import type { Subject } from './repository/repository.ts';
import type { Answered } from './requests/request-log.ts';
import type { ServerParts } from './server.ts';
import type { RequestTrace } from './telemetry/request-trace.ts';

type Recorded = {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  /** On the clock of the parts. */
  readonly started: number;
  readonly trace: RequestTrace | undefined;
};

/** Tells metrics and request log of an inference that has its answer. */
export function recordInference(
  { now, requestLog }: Pick<ServerParts, 'now' | 'requestLog'>,
  { entry, metrics }: Subject,
  { id, headers, started, trace }: Recorded,
  answered: Answered,
): void {
  const tookMs = now() - started;
  metrics.inferenceEnded(answered.status, tookMs / 1000);
  trace?.end(answered.status, entry);
  requestLog?.record({ id, headers, of: entry }, answered, tookMs);
}
