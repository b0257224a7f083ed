import { writeFileSync } from 'node:fs';
import type { FailureMessage, InspectionMessage } from './protocol/termination-message.ts';
import { renderTerminationMessage } from './protocol/termination-message.ts';
import type { Logger } from './telemetry/logger.ts';

/** Leaves the message where the kubelet reads it when the container ends. */
export function writeTerminationLog(
  path: string,
  message: FailureMessage | InspectionMessage,
  logger: Logger,
): void {
  try {
    writeFileSync(path, renderTerminationMessage(message));
  } catch (error) {
    // The message is in the log as well, and the exit code must still tell the truth.
    logger.warn({ error, path }, 'termination log cannot be written');
  }
}
