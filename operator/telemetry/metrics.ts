import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ControllerMetrics } from '../runtime/controller.ts';
import type { ApiCallMetrics } from '../runtime/kubernetes-cluster.ts';
import type { RuntimeMetrics } from '../runtime/operator.ts';

export type CacheAges = () => readonly { readonly resource: string; readonly seconds: number }[];

export type OperatorMetrics = RuntimeMetrics & {
  /** Lets each scrape ask how long ago the server last proved each cache to be current. */
  watchAges(read: CacheAges): void;
  readonly apiCalls: ApiCallMetrics;
  readonly mirror: {
    spooled(entries: number): void;
    dropped(entries: number): void;
    written(rows: number): void;
  };
  /** Prometheus' text format. */
  metrics(): Promise<string>;
  readonly contentType: string;
};

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The operator's metrics, under the names controller-runtime and client-go users know. */
export const newMetrics = (): OperatorMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const leading = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this replica leads.',
    registers,
  });
  leading.set(0);
  return {
    controller: controllerMetrics(registers),
    informers: informerMetrics(registers),
    apiCalls: apiCallMetrics(registers),
    mirror: mirrorMetrics(registers),
    leads: (leads) => leading.set(leads ? 1 : 0),
    watchAges: (read) => cacheAge(registers, read),
    metrics: () => registry.metrics(),
    contentType: registry.contentType,
  };
};

const controllerMetrics = (registers: Registry[]): ((name: string) => ControllerMetrics) => {
  const reconciled = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Passes by controller and result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Passes that failed and will be retried.',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Duration of a pass.',
    labelNames: ['controller'],
    buckets: SECONDS,
    registers,
  });
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Keys that wait.',
    labelNames: ['name'],
    registers,
  });
  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Keys added.',
    labelNames: ['name'],
    registers,
  });
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key waited.',
    labelNames: ['name'],
    buckets: SECONDS,
    registers,
  });
  const worked = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long a worker held a key.',
    labelNames: ['name'],
    buckets: SECONDS,
    registers,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys that came back with backoff.',
    labelNames: ['name'],
    registers,
  });
  return (name) => ({
    reconciled(result, seconds) {
      reconciled.inc({ controller: name, result });
      if (result === 'error') errors.inc({ controller: name });
      time.observe({ controller: name }, seconds);
    },
    depth: (keys) => depth.set({ name }, keys),
    added: () => adds.inc({ name }),
    waited: (seconds) => waited.observe({ name }, seconds),
    worked: (seconds) => worked.observe({ name }, seconds),
    retried: () => retries.inc({ name }),
  });
};

const informerMetrics = (registers: Registry[]): RuntimeMetrics['informers'] => {
  const restarts = new Counter({
    name: 'mlops_watch_restarts_total',
    help: 'Watches that ended, by cause.',
    labelNames: ['resource', 'cause'],
    registers,
  });
  const cached = new Gauge({
    name: 'mlops_cached_objects',
    help: 'Objects in the cache.',
    labelNames: ['resource'],
    registers,
  });
  const healed = new Counter({
    name: 'mlops_cache_healed_objects_total',
    help: 'Cached objects that were not as the API server held them: events it lost.',
    labelNames: ['resource'],
    registers,
  });
  return {
    healed: (resource, objects) => healed.inc({ resource }, objects),
    restarted: (resource, cause) => restarts.inc({ resource, cause }),
    cached: (resource, objects) => cached.set({ resource }, objects),
  };
};

const cacheAge = (registers: Registry[], read: CacheAges): void => {
  new Gauge({
    name: 'mlops_cache_age_seconds',
    help: 'Seconds since the API server last proved the cache to be current; over 60 something is wrong.',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const { resource, seconds } of read()) this.set({ resource }, seconds);
    },
  });
};

const apiCallMetrics = (registers: Registry[]): ApiCallMetrics => {
  const calls = new Counter({
    name: 'rest_client_requests_total',
    help: 'Calls to the API server; code 0 is no answer.',
    labelNames: ['verb', 'resource', 'code'],
    registers,
  });
  const time = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time to the first byte of the answer.',
    labelNames: ['verb'],
    buckets: SECONDS,
    registers,
  });
  return {
    called(verb, resource, code, seconds) {
      calls.inc({ verb, resource, code });
      time.observe({ verb }, seconds);
    },
  };
};

const mirrorMetrics = (registers: Registry[]): OperatorMetrics['mirror'] => {
  const spooled = new Gauge({
    name: 'mlops_mirror_spooled_entries',
    help: 'Changes that wait to be written to PostgreSQL.',
    registers,
  });
  const dropped = new Counter({
    name: 'mlops_mirror_dropped_entries_total',
    help: 'Changes that a full spool turned into a gap.',
    registers,
  });
  const written = new Counter({
    name: 'mlops_mirror_written_rows_total',
    help: 'Rows written to PostgreSQL.',
    registers,
  });
  return {
    spooled: (entries) => spooled.set(entries),
    dropped: (entries) => dropped.inc(entries),
    written: (rows) => written.inc(rows),
  };
};
