import { pause, systemClock } from './runtime/clock.ts';
import type { Logger } from './telemetry/logger.ts';

/**
 * Does something again and again until the process stops, `ms` after it was last done; a failure is
 * logged and waits for the next time.
 */
export const every = async (
  ms: number,
  what: string,
  action: () => Promise<unknown>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> => {
  while (!signal.aborted) {
    try {
      await action();
    } catch (err) {
      log.warn({ what, err }, 'failed, will be tried again');
    }
    await pause(systemClock, ms, signal);
  }
};
