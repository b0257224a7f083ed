import type { IncomingHttpHeaders } from 'node:http';
import { ProtocolError } from './protocol/protocol-error.ts';
import type { Logger } from './telemetry/logger.ts';
import { traceIdOf } from './telemetry/request-trace.ts';

export type Refused = { readonly requestId: string; readonly headers: IncomingHttpHeaders };

/** What the client is told; of what nobody expected only where the log has it. */
export function explainRefusal(
  error: unknown,
  { requestId, headers }: Refused,
  logger: Logger,
): ProtocolError {
  const traceId = traceIdOf(headers);
  const request = { requestId, ...(traceId === undefined ? {} : { traceId }) };
  if (!(error instanceof ProtocolError)) {
    logger.error({ error, ...request }, 'request failed unexpectedly');
    return new ProtocolError(
      'InferenceFailed',
      `internal error; the log has it under request id ${requestId}`,
    );
  }
  const fields = { code: error.code, status: error.status, reason: error.message, ...request };
  if (error.status === 500) logger.error(fields, 'inference failed');
  else logger.debug(fields, 'request refused');
  return error;
}
