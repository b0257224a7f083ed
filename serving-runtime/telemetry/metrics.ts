import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ExecutionMetrics } from './execution-metrics.ts';
import { createExecutionMetrics } from './execution-metrics.ts';
import type { RequestLogMetrics } from './request-log-metrics.ts';
import { createRequestLogMetrics } from './request-log-metrics.ts';
import { createTritonMetrics } from './triton-metrics.ts';

export type InferenceStage = 'queue' | 'decode' | 'compute' | 'encode';

/** The runtime's metrics; their names and labels are an interface, listed in the README. */
export type Metrics = {
  /** Loaded for the first time, so long after the process began. */
  readonly modelLoaded: (digest: string, startedSeconds: number) => void;
  readonly setReady: (isReady: boolean) => void;
  readonly loadStageTook: (stage: string, seconds: number) => void;
  readonly fetchAttemptFailed: (reason: string) => void;
  readonly inferenceEnded: (status: number, seconds: number) => void;
  readonly inferenceStageTook: (stage: InferenceStage, seconds: number) => void;
  readonly execution: ExecutionMetrics;
  readonly requestLog: RequestLogMetrics;
  /** The text format of Prometheus and its content type. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
};

/** What the gauges read when they are scraped. */
export type Load = { readonly active: number; readonly waiting: number };

const buckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
];

export function createMetrics(
  identity: { readonly model: string; readonly version: string },
  load: Load,
): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ model: identity.model, version: identity.version });
  collectDefaultMetrics({ register: registry });
  const shared = { registers: [registry] };

  const modelInfo = new Gauge({
    ...shared,
    name: 'mlops_model_info',
    help: 'The loaded model and the SHA-256 its bytes were verified against; always 1.',
    labelNames: ['digest'],
  });
  const ready = new Gauge({
    ...shared,
    name: 'mlops_model_ready',
    help: '1 while the model answers, 0 before it is loaded and while the server drains.',
  });
  const loadSeconds = new Gauge({
    ...shared,
    name: 'mlops_model_load_duration_seconds',
    help: 'Time the last load spent in each stage: fetching, loading, warming.',
    labelNames: ['stage'],
  });
  const startSeconds = new Gauge({
    ...shared,
    name: 'mlops_start_to_ready_seconds',
    help: 'From the start of the process to its first readiness.',
  });
  const fetchFailures = new Counter({
    ...shared,
    name: 'mlops_model_fetch_failures_total',
    help: "Failed attempts at the model's bytes, by reason.",
    labelNames: ['reason'],
  });
  const requests = new Counter({
    ...shared,
    name: 'mlops_inference_requests_total',
    help: 'Inference requests for the served model, by HTTP status code.',
    labelNames: ['code'],
  });
  const seconds = new Histogram({
    ...shared,
    name: 'mlops_inference_duration_seconds',
    help: "From a request's headers to its answer, for requests answered 200.",
    buckets,
  });
  const stageSeconds = new Histogram({
    ...shared,
    name: 'mlops_inference_stage_duration_seconds',
    help: 'Time in each stage of an inference: queue, decode, compute, encode.',
    labelNames: ['stage'],
    buckets,
  });
  gauge(registry, 'mlops_inference_in_flight', 'Requests at work.', () => load.active);
  gauge(registry, 'mlops_inference_queued', 'Requests waiting for a slot.', () => load.waiting);

  // Looked up once: prom-client hashes labels on every call otherwise.
  const byStage = {
    queue: stageSeconds.labels({ stage: 'queue' }),
    decode: stageSeconds.labels({ stage: 'decode' }),
    compute: stageSeconds.labels({ stage: 'compute' }),
    encode: stageSeconds.labels({ stage: 'encode' }),
  };
  const succeeded = requests.labels({ code: '200' });
  ready.set(0);
  createTritonMetrics(registry);

  return {
    modelLoaded: (digest, startedSeconds) => {
      modelInfo.set({ digest }, 1);
      startSeconds.set(startedSeconds);
    },
    setReady: (isReady) => ready.set(isReady ? 1 : 0),
    loadStageTook: (stage, duration) => loadSeconds.set({ stage }, duration),
    fetchAttemptFailed: (reason) => fetchFailures.inc({ reason }),
    inferenceEnded: (status, duration) => {
      if (status !== 200) {
        requests.inc({ code: String(status) });
        return;
      }
      succeeded.inc();
      seconds.observe(duration);
    },
    inferenceStageTook: (stage, duration) => byStage[stage].observe(duration),
    execution: createExecutionMetrics(registry),
    requestLog: createRequestLogMetrics(registry),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const created: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect: () => created.set(read()),
  });
}
