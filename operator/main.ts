import { randomUUID } from 'node:crypto';
import { kinds } from '../crds/schema/all.ts';
import { apiKindOf } from './api/api-kind.ts';
import { createHealthServer } from './api/health.ts';
import { ingestRoutes } from './api/ingest-routes.ts';
import { createServer } from './api/server.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';
import {
  linkSecretOf,
  webhookKeyOf,
  openArtifacts,
  openDatabase,
  openSearch,
} from './connections.ts';
import { abTestRoutes } from './kinds/ab-test/routes.ts';
import { sqlOutcomeStore } from './kinds/ab-test/store.ts';
import { ownDataReader } from './kinds/deployment/own-data.ts';
import { deploymentRoutes } from './kinds/deployment/routes.ts';
import { importanceRoute } from './kinds/experiment/importance-route.ts';
import { plotRoutes } from './kinds/experiment/plot-routes.ts';
import { experimentRoutes, trialRoutes } from './kinds/experiment/routes.ts';
import { createShadowReports } from './kinds/deployment/shadow-reports.ts';
import { sqlShadowStore } from './kinds/deployment/store.ts';
import type { RunTables } from './kinds/experiment/run-tables.ts';
import { sqlRunStore } from './kinds/experiment/store.ts';
import type { TrialTables } from './kinds/experiment/trial-sql.ts';
import { sqlTrialStore } from './kinds/experiment/trial-store-sql.ts';
import { modelVersionRoutes } from './kinds/model-version/routes.ts';
import type { ChildDefaults } from './kinds/ports.ts';
import { MlopsOperator } from './mlops-operator.ts';
import { systemClock, pause } from './runtime/clock.ts';
import { KubernetesCluster } from './runtime/kubernetes-cluster.ts';
import { sqlMirrorRows } from './store/sql-mirror-rows.ts';
import { Mirror } from './store/mirror.ts';
import { guardedRequest } from './probing/guarded-request.ts';
import { sweepUploads } from './artifacts/sweep-uploads.ts';
import { every } from './every.ts';
import { createMetricProbe } from './probing/metric-probe.ts';
import { sqlLabelStore } from './store/sql-labels.ts';
import { createTrafficMeter } from './scraping/traffic-meter.ts';
import { sqlPredictionStore } from './store/sql-predictions.ts';
import { sqlResourceSearch } from './store/sql-resource-search.ts';
import { newLogger, type Logger } from './telemetry/logger.ts';
import { newMetrics } from './telemetry/metrics.ts';
import { openTelemetrySpans, startTracing } from './telemetry/tracing.ts';
import { WEBHOOK_ADVICE } from './api/tracking/webhooks/webhook-wire.ts';
import { deliverDue } from './webhooks/deliver.ts';
import { recordRegistryEvents, sqlOutbox } from './webhooks/sql-outbox.ts';
import { sqlWebhookStore } from './webhooks/sql-webhooks.ts';
import { untilDone } from './until-done.ts';

/** How long the mirror may go on writing after the last pass. */
const DRAIN_MS = 10_000;
const SECOND_MS = 1000;
const HOUR_MS = 60 * 60 * 1000;

/** The composition root: the only file that builds adapters and joins them. */
const main = async (config: Config, log: Logger): Promise<void> => {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      stopping.abort();
    });
  }

  const tracing = config.otlpEndpoint === undefined ? undefined : startTracing(config.otlpEndpoint);
  const metrics = newMetrics();
  const cluster = KubernetesCluster.fromEnvironment(metrics.apiCalls, openTelemetrySpans);
  const artifacts = openArtifacts(config.s3);
  const database = openDatabase(config.database, (err) =>
    log.warn({ err }, 'a database connection was lost'),
  );
  const runs = sqlRunStore(database.withTables<RunTables>());
  const trials = sqlTrialStore(database.withTables<TrialTables>());
  const mirror = new Mirror({
    rows: sqlMirrorRows(database.db, recordRegistryEvents),
    limits: config.spool,
    currentObjects: (kind) => operator.currentObjects(kind),
    metrics: metrics.mirror,
    log: {
      warn: (message, fields) => log.warn(fields, message),
      error: (message, fields) => log.error(fields, message),
    },
    now: () => new Date(),
    random: Math.random,
    sleep: (ms, signal) => pause(systemClock, ms, signal),
  });
  const search = openSearch(config.hpoUrl);
  const webhooks = {
    hosts: config.webhookHosts,
    key: webhookKeyOf(config.s3),
    request: guardedRequest(systemClock, {
      privateHosts: config.webhookHosts,
      advice: WEBHOOK_ADVICE,
    }),
  };
  const shadow = sqlShadowStore(database.withTables<unknown>());
  const outcomes = sqlOutcomeStore(database.withTables<unknown>());
  const predictions = sqlPredictionStore(database.withTables<unknown>());
  const labels = sqlLabelStore(database.withTables<unknown>());
  const operator: MlopsOperator = new MlopsOperator(
    {
      cluster,
      log,
      metrics,
      spans: openTelemetrySpans,
      workers: config.workers.default,
      workersByKind: config.workers.byKind,
      finalizerDeadlineMs: config.finalizerDeadlineSeconds * 1000,
      identity: config.leaderElection.identity,
      namespaces: config.watchNamespaces,
      lease: config.leaderElection.enabled
        ? { namespace: config.leaderElection.namespace, name: config.leaderElection.leaseName }
        : undefined,
      leaseTimes: config.leaderElection.times,
      shards: config.leaderElection.shards,
    },
    {
      ...{ artifacts, runs, trials, outcomes, children: childDefaults(config) },
      logs: cluster,
      traffic: createTrafficMeter(systemClock),
      ownData: ownDataReader({ labels, predictions }),
      shadow: createShadowReports(shadow),
      search,
      probe: createMetricProbe(
        systemClock,
        guardedRequest(systemClock, { privateHosts: config.metricHosts }),
      ),
    },
    mirror,
  );
  metrics.watchAges(() => operator.cacheAges());
  const api = createServer(
    {
      cluster,
      artifacts,
      runs,
      search: sqlResourceSearch(database.db),
      kinds: kinds.map(apiKindOf),
      config: {
        bundledBucket: config.s3.bucket,
        maxArtifactBytes: config.maxArtifactBytes,
        presignSeconds: config.s3.presignExpirySeconds,
      },
      linkSecret: linkSecretOf(config.s3),
      webhooks: { ...webhooks, store: sqlWebhookStore(database.withTables<unknown>()) },
      log,
      now: Date.now,
      newId: () => randomUUID().replaceAll('-', ''),
    },
    [
      experimentRoutes,
      trialRoutes(trials),
      importanceRoute(search),
      plotRoutes(trials, search),
      modelVersionRoutes,
      ingestRoutes(predictions),
      deploymentRoutes(labels, shadow),
      abTestRoutes(outcomes),
    ],
  );
  const health = createHealthServer({
    health: {
      alive: () => true,
      notReady: async () =>
        operator.ready ? [] : ['the caches of the cluster are not complete yet'],
    },
    metrics,
    queues: () => operator.debug(),
    log,
  });

  await health.listen({ host: '::', port: config.healthPort });
  await api.listen({ host: '::', port: config.apiPort });
  const background = { log, signal: stopping.signal };
  const outbox = sqlOutbox(database.withTables<unknown>());
  const delivering = { ...webhooks, ...background, outbox, now: Date.now };
  const prepared = [
    untilDone('prepare the database', () => database.migrate(), background).then(() => {
      mirror.start();
      return every(SECOND_MS, 'tell webhooks', () => deliverDue(delivering), background);
    }),
    untilDone('prepare the bucket', () => artifacts.ensureBucket(), background).then(() => {
      const sweep = () => sweepUploads(artifacts.uploads, Date.now());
      return every(HOUR_MS, 'drop abandoned uploads', sweep, background);
    }),
  ];
  const started = operator.start();
  log.info({ api: config.apiPort, health: config.healthPort }, 'started');
  await aborted(stopping.signal);

  operator.stop();
  await api.close();
  await Promise.all([started, operator.stopped(), ...prepared]);
  await mirror.stop(DRAIN_MS);
  await Promise.all([database.close(), health.close(), tracing?.stop()]);
  log.info({}, 'stopped');
};

const childDefaults = (config: Config): ChildDefaults => ({
  servingImage: config.servingImage,
  inspectImage: config.inspectImage,
  imagePullPolicy: config.imagePullPolicy,
  imagePullSecrets: config.imagePullSecrets,
  ...(config.imageRegistry !== undefined && { globalRegistry: config.imageRegistry }),
  defaultResources: config.childResources,
  apiUrl: config.apiUrl,
  maxModelBytes: config.maxArtifactBytes,
  otlpEndpoint: config.otlpEndpoint,
  bucket: config.s3.bucket,
  allowPrivateHosts: config.allowPrivateHosts,
});

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

try {
  const config = loadConfig();
  await main(config, newLogger(config.logLevel));
} catch (error) {
  // The logger may not exist yet; a person reads this in `kubectl logs`.
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : String((error as Error).stack)}\n`,
  );
  process.exitCode = 1;
}
