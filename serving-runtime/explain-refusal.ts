import { ProtocolError } from './protocol/protocol-error.ts';
import type { Logger } from './telemetry/logger.ts';

/** What the client is told; of what nobody expected only where the log has it. */
export function explainRefusal(error: unknown, requestId: string, logger: Logger): ProtocolError {
  if (!(error instanceof ProtocolError)) {
    logger.error({ error, requestId }, 'request failed unexpectedly');
    return new ProtocolError(
      'InferenceFailed',
      `internal error; the log has it under request id ${requestId}`,
    );
  }
  const fields = { code: error.code, status: error.status, reason: error.message, requestId };
  if (error.status === 500) logger.error(fields, 'inference failed');
  else logger.debug(fields, 'request refused');
  return error;
}
