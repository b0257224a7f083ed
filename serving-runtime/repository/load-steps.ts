/** The steps of a load, as a process of its own takes them. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { fetchModel } from '../fetching/fetch-model.ts';
import { prepareModel } from '../inference/served-model.ts';
import type { WorkerStart } from '../inference/worker-messages.ts';
import type { InferenceWorker } from '../inference/worker-pool.ts';
import { WorkerPool } from '../inference/worker-pool.ts';
import type { Probe } from '../probe.ts';
import type { LoadSteps } from './load-version.ts';
import { openSession } from '../session.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ModelMetrics } from '../telemetry/model-metrics.ts';
import type { CatalogEntry } from './catalog.ts';
import { warmUp } from '../warm-up.ts';

export type LoadEnvironment = {
  readonly logger: Logger;
  readonly metrics: Pick<ModelMetrics, 'execution' | 'fetchAttemptFailed'>;
  /** Requests that have been admitted, are not answered, and are not at another model. */
  readonly admitted: () => number;
  readonly spawnWorker: (start: WorkerStart) => InferenceWorker;
  readonly probe: Probe;
};

const now = () => performance.now();

export function loadSteps(
  { content, digest }: CatalogEntry,
  config: Config,
  environment: LoadEnvironment,
): LoadSteps {
  return {
    fetch: (signal) => {
      if (content.kind !== 'onnx') throw new Error('an ensemble has no bytes to fetch');
      const told = fetchEnvironment(environment.logger, environment.metrics);
      return fetchModel({ ...config, source: content.source, digest }, told, signal);
    },
    ...modelSteps(config, environment),
  };
}

/** Those that come once the bytes are there. */
export function modelSteps(
  { execution }: Pick<Config, 'execution'>,
  { logger, metrics, admitted, spawnWorker, probe }: LoadEnvironment,
): Pick<LoadSteps, 'open' | 'warmUp'> {
  const { execution: told } = metrics;
  return {
    open: async (path, signal) => {
      await probe(path, signal);
      return openSession(path);
    },
    warmUp: async (session, path) => {
      const sample = await warmUp(session, (error) => {
        logger.warn({ error }, 'warm-up with the smallest sizes failed; served all the same');
      });
      const onLost = (reason: string) => {
        told.threadLost();
        logger.error({ reason }, 'a computing thread was lost; another takes its place');
      };
      return prepareModel(
        session,
        execution,
        {
          now,
          admitted,
          openPool: () => openPool(path, spawnWorker, onLost),
          onBatch: told.computationBegan,
          onBreaker: (state) => {
            told.breaker(state);
            logger.warn({ state }, 'the circuit breaker of the model changed');
          },
          onNotJoined: (reason) => {
            logger.warn({ reason }, 'requests are not joined to batches');
          },
          onPooled: (threads, tookMs) => {
            told.threads(threads);
            logger.info({ threads, tookMs }, 'the model is heavy and computes on its own threads');
          },
          onPoolFailed: (error) => {
            logger.error(
              { error },
              'no threads for the model; it computes where requests are read',
            );
          },
        },
        sample,
      );
    },
  };
}

/**
 * One computation uses several cores well, two at once fill the gaps it leaves. The number of cores is
 * that of the cgroup's CPU limit, rounded down (libuv since 1.49 reads cpu.max and cfs_quota_us).
 */
function openPool(
  path: string,
  spawnWorker: LoadEnvironment['spawnWorker'],
  onLost: (reason: string) => void,
): WorkerPool {
  const cores = availableParallelism();
  const size = Math.ceil(cores / 2);
  const start = {
    role: 'inference',
    path,
    threads: Math.max(1, Math.floor(cores / size)),
  } as const;
  return new WorkerPool({
    size,
    onLost,
    spawn: () => spawnWorker(start),
    pause: async (ms) => {
      await sleep(ms, undefined, { ref: false });
    },
  });
}

/** Attempts that fail are told to the log, and where there are metrics to them. */
export const fetchEnvironment = (logger: Logger, metrics?: LoadEnvironment['metrics']) => ({
  now,
  random: Math.random,
  sleep: async (ms: number, signal: AbortSignal) => {
    await sleep(ms, undefined, { signal });
  },
  onAttemptFailed: (attempt: number, reason: string, message: string) => {
    metrics?.fetchAttemptFailed(reason);
    logger.warn({ attempt, reason, message }, 'fetching the model failed');
  },
});
