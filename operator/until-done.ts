import { backoffMs } from './runtime/backoff.ts';
import { pause, systemClock } from './runtime/clock.ts';
import type { Logger } from './telemetry/logger.ts';

/** Tries until it works or the process stops: a dependency that is late must not end the operator. */
export const untilDone = async (
  what: string,
  attempt: () => Promise<unknown>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> => {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      await attempt();
      log.info({ what }, 'done');
      return;
    } catch (err) {
      const retryInMs = backoffMs(failures, Math.random(), { baseMs: 500, maxMs: 30_000 });
      log.warn({ what, retryInMs, err }, 'failed, will retry');
      await pause(systemClock, retryInMs, signal);
    }
  }
};
