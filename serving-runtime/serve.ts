/** Serves models until it is told to stop. */
import { Admission } from './admission.ts';
import type { Config } from './config.ts';
import type { DrainableServer } from './drain.ts';
import { drain, drainable, listen } from './drain.ts';
import type { GrpcParts } from './grpc/grpc-server.ts';
import { createGrpcServer } from './grpc/grpc-server.ts';
import { Readiness } from './readiness.ts';
import type { Catalog } from './repository/catalog.ts';
import type { VersionLoader } from './repository/load-version.ts';
import { ModelRepository } from './repository/repository.ts';
import { openRequestLog } from './requests/open-request-log.ts';
import { createMetricsServer, createServingServer } from './server.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Tracing } from './telemetry/request-trace.ts';

export type Ports = {
  readonly http: number;
  readonly metrics: number;
  readonly grpc?: number | undefined;
};

export type ServeEnvironment = {
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly newRequestId: () => string;
  readonly pause: (ms: number) => Promise<void>;
  /** What may be served; read anew at every load on request. */
  readonly readCatalog: () => Promise<Catalog>;
  readonly stepsOf: VersionLoader['stepsOf'];
  readonly dropBytes: (digest: string) => Promise<void>;
  /** Where requests leave their traces; `undefined`: nowhere. */
  readonly tracing?: Tracing | undefined;
  /** Aborted when the process is asked to stop. */
  readonly stop: AbortSignal;
  readonly onListening: (ports: Ports) => void;
};

/**
 * Listens, loads, serves, drains. Resolves after a stop with every request answered; throws
 * ModelFailure when the model cannot be served, with nothing left open.
 */
export async function serve(config: Config, environment: ServeEnvironment): Promise<void> {
  const { logger, now, stop } = environment;
  const admission = new Admission(config.containerConcurrency, config.queueSize, now);
  const metrics = createMetrics(admission);
  const readiness = new Readiness(() => repository.state === 'ready' && !stop.aborted);
  stop.addEventListener('abort', () => {
    readiness.changed();
  });
  const repository = createRepository(environment, { admission, metrics, readiness });
  const requests = await openRequestLog(config.requests, config, metrics.requestLog, logger);
  const servers = createServers(config, {
    admission,
    metrics,
    repository,
    readiness,
    logger,
    now,
    newRequestId: environment.newRequestId,
    requestLog: requests?.log,
    tracing: environment.tracing,
    isDraining: () => stop.aborted,
    modelControl: config.modelControl,
    stop,
    maxBodyBytes: config.maxBodyBytes,
    timeoutMs: config.timeoutMs,
  });
  const [http = 0, metricsPort = http, grpc] = await Promise.all([
    listenAt(servers.http),
    listenAt(servers.metrics),
    listenAt(servers.grpc),
  ]);
  environment.onListening({ http, metrics: metricsPort, grpc });
  const end = (ms: number) =>
    drain(
      Object.values(servers).flatMap((opened) => opened?.drained ?? []),
      ms,
      environment.pause,
    );
  try {
    const loaded = await repository.start(stop);
    readiness.changed();
    // The clock of this process begins with it.
    metrics.started(now() / 1000);
    for (const { entry, sizeBytes } of loaded) {
      const { model, version, digest } = entry;
      logger.info({ model, version, digest, sizeBytes }, 'model is ready');
    }
    await aborted(stop);
    metrics.models.stopped();
    logger.info({ drainMs: config.drainMs }, 'draining');
    await end(config.drainMs);
  } catch (error) {
    await end(0);
    if (!stop.aborted) throw error;
  } finally {
    await requests?.close();
    await environment.tracing?.stop();
    await repository.close();
  }
  logger.info({}, 'stopped');
}

function createRepository(
  { logger, now, readCatalog, stepsOf, dropBytes }: ServeEnvironment,
  parts: {
    readonly admission: Admission;
    readonly metrics: Metrics;
    readonly readiness: Readiness;
  },
): ModelRepository {
  const { models } = parts.metrics;
  return new ModelRepository({
    ...{ now, readCatalog, stepsOf, dropBytes },
    metricsOf: models.of,
    admitted: () => parts.admission.active,
    present: { count: 0 },
    onChange: ({ model, version }, { state, previous, previousSeconds }) => {
      models.of({ model, version }).loadStageTook(previous, previousSeconds);
      parts.readiness.changed();
      logger.info({ model, version, state, previous, previousSeconds }, 'model changed state');
    },
    onRetired: ({ model, version }, error) => {
      if (error !== undefined) {
        // Another may be served under its name and version, so its figures stay.
        logger.error({ model, version, error }, 'model could not be closed');
        return;
      }
      logger.info({ model, version }, 'model was closed');
      void models.forget({ model, version });
    },
  });
}

function createServers(config: Config, parts: GrpcParts) {
  const { httpPort, metricsPort, grpcPort } = config;
  const at = (port: number | undefined, open: () => DrainableServer) =>
    port === undefined ? undefined : { drained: open(), port };
  return {
    http: at(httpPort, () => drainable(createServingServer(parts))),
    grpc: at(grpcPort, () => createGrpcServer(parts)),
    metrics: at(metricsPort === httpPort ? undefined : metricsPort, () =>
      drainable(createMetricsServer(parts)),
    ),
  };
}

const listenAt = async (opened: ReturnType<typeof createServers>['http']) =>
  opened && listen(opened.drained.server, opened.port);

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
