/** The two programs, serve and inspect, and how either of them ends. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, Environment } from './config.ts';
import { readConfig, readMode, terminationLogPath } from './config.ts';
import { fetchModel } from './fetch-model.ts';
import { ModelFailure } from './model-failure.ts';
import type { LoadSteps } from './repository.ts';
import type { Ports } from './serve.ts';
import { serve } from './serve.ts';
import { openSession } from './session.ts';
import type { Logger } from './telemetry/logger.ts';
import { writeTerminationLog } from './termination-log.ts';
import { warmUp } from './warm-up.ts';

export type ProgramEnvironment = {
  /** The command line after the program's name. */
  readonly commands: readonly string[];
  readonly variables: Environment;
  /** Aborted when the process is asked to stop. */
  readonly stop: AbortSignal;
  readonly createLogger: (level: string, fields: Readonly<Record<string, string>>) => Logger;
  readonly onListening: (ports: Ports) => void;
};

const now = () => performance.now();

/** Runs to the end; gives the exit code. A failure is in the log and in the termination log. */
export async function runProgram(environment: ProgramEnvironment): Promise<number> {
  let logger = environment.createLogger('info', {});
  try {
    const mode = readMode(environment.commands);
    const config = readConfig(mode, environment.variables);
    logger = environment.createLogger(config.logLevel, {
      model: config.model,
      version: config.version,
    });
    if (mode === 'inspect') await inspect(config, logger, environment.stop);
    else await serveModel(config, logger, environment);
    return 0;
  } catch (error) {
    if (error instanceof ModelFailure) {
      logger.fatal({ ...error.toMessage() }, 'the model cannot be used');
      writeTerminationLog(terminationLogPath(environment.variables), error.toMessage(), logger);
    } else {
      logger.fatal({ error }, 'the runtime failed unexpectedly');
    }
    return 1;
  }
}

async function serveModel(
  config: Config,
  logger: Logger,
  { stop, onListening }: ProgramEnvironment,
): Promise<void> {
  await serve(config, {
    logger,
    now,
    stop,
    newRequestId: randomUUID,
    pause: async (ms) => {
      await sleep(ms);
    },
    loadSteps: (metrics) => loadSteps(config, logger, metrics.fetchAttemptFailed),
    onListening: (ports) => {
      logger.info({ ports }, 'listening');
      onListening(ports);
    },
  });
}

async function inspect(config: Config, logger: Logger, stop: AbortSignal): Promise<void> {
  const steps = loadSteps(config, logger, () => undefined);
  const { digest, sizeBytes, path } = await steps.fetch(stop);
  const session = await steps.open(path);
  const inspection = { digest, sizeBytes, ...session.signature };
  await session.close();
  logger.info(inspection, 'model inspected');
  writeTerminationLog(config.terminationLog, inspection, logger);
}

/** `onFetchFailed` is told the reason of each attempt that failed. */
function loadSteps(
  config: Config,
  logger: Logger,
  onFetchFailed: (reason: string) => void,
): LoadSteps {
  const fetchEnvironment = {
    now,
    random: Math.random,
    sleep: async (ms: number, signal: AbortSignal) => {
      await sleep(ms, undefined, { signal });
    },
    onAttemptFailed: (attempt: number, reason: string, message: string) => {
      onFetchFailed(reason);
      logger.warn({ attempt, reason, message }, 'fetching the model failed');
    },
  };
  return {
    fetch: (signal) => fetchModel(config, fetchEnvironment, signal),
    open: openSession,
    warmUp: (session) =>
      warmUp(session, (error) => {
        logger.warn({ error }, 'warm-up with the smallest sizes failed; served all the same');
      }),
  };
}
