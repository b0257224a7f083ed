/** The two programs, serve and inspect, and how either of them ends. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, Environment } from './config.ts';
import { readConfig, readMode, sourceReader, terminationLogPath } from './config.ts';
import { ModelFailure } from './model-failure.ts';
import type { WorkerStart } from './inference/worker-messages.ts';
import type { InferenceWorker } from './inference/worker-pool.ts';
import { fetchModel } from './fetching/fetch-model.ts';
import type { Catalog } from './repository/catalog.ts';
import { dropCached } from './fetching/model-cache.ts';
import { readCatalogFile } from './repository/catalog-file.ts';
import { fetchEnvironment, loadSteps } from './repository/load-steps.ts';
import type { Ports } from './serve.ts';
import { serve } from './serve.ts';
import type { Probe } from './probe.ts';
import { openSession } from './session.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Tracing } from './telemetry/request-trace.ts';
import { writeTerminationLog } from './termination-log.ts';

export type ProgramEnvironment = {
  /** The command line after the program's name. */
  readonly commands: readonly string[];
  readonly variables: Environment;
  /** Aborted when the process is asked to stop. */
  readonly stop: AbortSignal;
  readonly createLogger: (level: string, fields: Readonly<Record<string, string>>) => Logger;
  readonly onListening: (ports: Ports) => void;
  /** A thread that runs inference-worker.ts. */
  readonly spawnWorker: (start: WorkerStart) => InferenceWorker;
  readonly probe: Probe;
};

const now = () => performance.now();

/** Runs to the end; gives the exit code. A failure is in the log and in the termination log. */
export async function runProgram(environment: ProgramEnvironment): Promise<number> {
  let logger = environment.createLogger('info', {});
  try {
    const mode = readMode(environment.commands);
    const config = readConfig(mode, environment.variables);
    logger = environment.createLogger(config.logLevel, {});
    if (mode === 'inspect') await inspect(config, logger, environment);
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
  { variables, stop, onListening, spawnWorker, probe }: ProgramEnvironment,
): Promise<void> {
  const tracing = await openTracing(config, logger);
  await serve(config, {
    logger,
    tracing,
    now,
    stop,
    newRequestId: randomUUID,
    pause: async (ms) => {
      await sleep(ms);
    },
    readCatalog: () => readCatalog(config, variables),
    dropBytes: async (digest) => {
      if (config.isCacheShared !== true) await dropCached(config.cacheDir, digest);
    },
    stepsOf: (entry, context) =>
      loadSteps(entry, config, { ...context, logger, spawnWorker, probe }),
    onListening: (ports) => {
      logger.info({ ports }, 'listening');
      onListening(ports);
    },
  });
}

async function openTracing({ otlp }: Config, logger: Logger): Promise<Tracing | undefined> {
  if (otlp === undefined) return undefined;
  const { startTracing } = await import('./telemetry/tracing.ts');
  return startTracing(otlp, logger);
}

/** What the file lists, or the one model of the environment. */
async function readCatalog(
  { modelsFile, model, version, digest, source }: Config,
  variables: Environment,
): Promise<Catalog> {
  if (modelsFile !== undefined) return readCatalogFile(modelsFile, sourceReader(variables));
  if (digest === undefined || source === undefined) throw new Error('nothing to serve');
  return [{ model, version, digest, load: true, content: { kind: 'onnx', source } }];
}

async function inspect(
  config: Config,
  logger: Logger,
  { stop, probe }: ProgramEnvironment,
): Promise<void> {
  const { source } = config;
  if (source === undefined) throw new Error('nothing to inspect');
  const told = fetchEnvironment(logger);
  const { digest, sizeBytes, path } = await fetchModel({ ...config, source }, told, stop);
  await probe(path, stop);
  const session = await openSession(path);
  const inspection = { digest, sizeBytes, ...session.signature };
  await session.close();
  logger.info(inspection, 'model inspected');
  writeTerminationLog(config.terminationLog, inspection, logger);
}
