import type { IncomingHttpHeaders } from 'node:http';
import type { Subject } from './repository/repository.ts';
import type { Answered } from './requests/request-log.ts';
import type { ServerParts } from './server.ts';

type Recorded = {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  /** On the clock of the parts. */
  readonly started: number;
};

/** Tells metrics and request log of an inference that has its answer. */
export function recordInference(
  { now, requestLog }: Pick<ServerParts, 'now' | 'requestLog'>,
  { entry, metrics }: Subject,
  { id, headers, started }: Recorded,
  answered: Answered,
): void {
  const tookMs = now() - started;
  metrics.inferenceEnded(answered.status, tookMs / 1000);
  requestLog?.record({ id, headers, of: entry }, answered, tookMs);
}
