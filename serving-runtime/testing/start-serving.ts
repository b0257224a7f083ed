import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config.ts';
import { sourceReader } from '../config.ts';
import type { WorkerStart } from '../inference/worker-messages.ts';
import { dropCached } from '../fetching/model-cache.ts';
import type { Catalog } from '../repository/catalog.ts';
import { readCatalogFile } from '../repository/catalog-file.ts';
import { loadSteps, modelSteps } from '../repository/load-steps.ts';
import type { Ports } from '../serve.ts';
import { serve } from '../serve.ts';
import type { Tracing } from '../telemetry/request-trace.ts';
import { createLogger } from '../telemetry/logger.ts';
import { sha256 } from './artifact-server.ts';
import { modelPath } from './models-folder.ts';

export type Serving = {
  readonly url: string;
  readonly metricsUrl: string;
  /** Answers with `grpcPort` only. */
  readonly grpcUrl: string;
  /** Log lines, parsed. */
  readonly log: Record<string, unknown>[];
  readonly ready: Promise<void>;
  /** Asks it to stop; the drain's pause lasts until `endDrain`. */
  readonly stop: () => void;
  readonly endDrain: () => void;
  readonly ended: Promise<void>;
};

const defaults: Config = {
  model: 'test',
  version: '1.0.0',
  digest: undefined,
  source: { kind: 'path', path: '' },
  modelControl: 'none',
  httpPort: 0,
  metricsPort: 0,
  cacheDir: '',
  maxModelBytes: 1e9,
  maxBodyBytes: 100_000,
  timeoutMs: 10_000,
  containerConcurrency: 8,
  queueSize: 8,
  execution: { batch: { maxRows: 1, maxWaitMs: 0 }, breaker: undefined },
  drainMs: 5000,
  fetchMs: 1000,
  terminationLog: '',
  logLevel: 'debug',
};

/**
 * The whole server on loopback with a model of testing/models, as the process runs it. `before` holds
 * the load back.
 */
export async function startServing(
  model: string,
  { tracing, ...changes }: Partial<Config> & { readonly tracing?: Tracing } = {},
  before: Promise<void> = Promise.resolve(),
): Promise<Serving> {
  const stopping = new AbortController();
  const listening = Promise.withResolvers<Ports>();
  const ready = Promise.withResolvers<undefined>();
  const drained = Promise.withResolvers<undefined>();
  const log: Record<string, unknown>[] = [];
  const path = modelPath(model);
  let ids = 0;
  const logger = createLogger(
    'debug',
    {},
    {
      write: (line) => {
        const entry = JSON.parse(line) as Record<string, unknown>;
        log.push(entry);
        if (entry['msg'] === 'model is ready') ready.resolve(undefined);
      },
    },
  );
  const config = { ...defaults, ...changes };
  const ended = serve(config, {
    logger,
    now: () => performance.now(),
    tracing,
    newRequestId: () => `request-${String(++ids)}`,
    pause: (ms) => (ms === 0 ? Promise.resolve() : drained.promise),
    readCatalog: async () => {
      if (config.modelsFile !== undefined) return readCatalogFile(config.modelsFile, readSource);
      return one(config, await readFile(path), path);
    },
    stepsOf: (entry, context) => {
      const all = { ...context, logger, spawnWorker, probe };
      if (config.modelsFile !== undefined) return loadSteps(entry, config, all);
      return {
        fetch: async (signal) => {
          await Promise.race([before, rejectedBy(signal)]);
          const bytes = await readFile(path);
          return { path, digest: sha256(bytes), sizeBytes: bytes.length };
        },
        ...modelSteps(config, all),
      };
    },
    dropBytes: (digest) => dropCached(config.cacheDir, digest),
    stop: stopping.signal,
    onListening: listening.resolve,
  });
  ended.catch(ready.reject);
  ready.promise.catch(() => undefined);
  const ports = await listening.promise;
  return {
    url: `http://127.0.0.1:${String(ports.http)}`,
    metricsUrl: `http://127.0.0.1:${String(ports.metrics)}`,
    grpcUrl: `http://127.0.0.1:${String(ports.grpc)}`,
    log,
    ready: ready.promise,
    stop: () => {
      stopping.abort(new Error('received SIGTERM'));
    },
    endDrain: () => {
      drained.resolve(undefined);
    },
    ended,
  };
}

const readSource = sourceReader({});

const one = ({ model, version }: Config, bytes: Buffer, path: string): Catalog => [
  {
    ...{ model, version, load: true, digest: sha256(bytes) },
    content: { kind: 'onnx', source: { kind: 'path', path } },
  },
];

/** Models of tests are known. */
const probe = async () => undefined;

/** As the process itself does, from its source. */
const spawnWorker = (start: WorkerStart) =>
  new Worker(join(import.meta.dirname, '../main.ts'), { workerData: start });

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}
