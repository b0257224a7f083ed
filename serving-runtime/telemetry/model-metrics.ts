/** What is measured of each version, under the labels model and version. */
import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import type { ExecutionMetrics } from './execution-metrics.ts';
import { executionMetrics } from './execution-metrics.ts';
import type { ModelIdentity } from '../model-identity.ts';
import { idOf } from '../model-identity.ts';
import { HotHistogram } from './hot-histogram.ts';
import { samplesOf } from './samples.ts';

export type InferenceStage = 'queue' | 'decode' | 'compute' | 'encode';

export type ModelMetrics = {
  readonly loaded: (digest: string) => void;
  readonly loadStageTook: (stage: string, seconds: number) => void;
  readonly fetchAttemptFailed: (reason: string) => void;
  readonly inferenceEnded: (status: number, seconds: number) => void;
  readonly inferenceStageTook: (stage: InferenceStage, seconds: number) => void;
  readonly execution: ExecutionMetrics;
};

export type ModelMetricsOf = {
  readonly of: (version: ModelIdentity) => ModelMetrics;
  /** It is served no more, and its figures go with it. */
  readonly forget: (version: ModelIdentity) => Promise<void>;
  /** Nothing answers from now on. */
  readonly stopped: () => void;
};

const buckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
];
const versionLabels = ['model', 'version'] as const;

export function createModelMetrics(registry: Registry): ModelMetricsOf {
  const metrics = defineMetrics(registry);
  const executionOf = executionMetrics(registry);
  const known = new Map<string, { readonly of: ModelIdentity; readonly metrics: ModelMetrics }>();
  return {
    of: ({ model, version }) => {
      const id = idOf({ model, version });
      const there = known.get(id);
      if (there !== undefined) return there.metrics;
      const made = bind(metrics, executionOf, { model, version });
      known.set(id, { of: { model, version }, metrics: made });
      return made;
    },
    forget: async ({ model, version }) => {
      known.delete(idOf({ model, version }));
      await removeLabels(registry, { model, version });
    },
    stopped: () => {
      for (const { of } of known.values()) metrics.ready.set(of, 0);
    },
  };
}

type Defined = ReturnType<typeof defineMetrics>;

function bind(
  { info, ready, loadSeconds, fetchFailures, requests, seconds, stageSeconds }: Defined,
  executionOf: (version: ModelIdentity) => ExecutionMetrics,
  version: ModelIdentity,
): ModelMetrics {
  // Looked up once: prom-client hashes labels on every call otherwise.
  const stage = (name: InferenceStage) => stageSeconds.series({ ...version, stage: name });
  const byStage = {
    ...{ queue: stage('queue'), decode: stage('decode') },
    ...{ compute: stage('compute'), encode: stage('encode') },
  };
  const succeeded = requests.labels({ ...version, code: '200' });
  const took = seconds.series(version);
  let digest: string | undefined;
  ready.set(version, 0);
  return {
    loaded: (now) => {
      if (digest !== undefined) info.remove({ ...version, digest });
      digest = now;
      info.set({ ...version, digest }, 1);
      ready.set(version, 1);
    },
    loadStageTook: (name, duration) => {
      loadSeconds.set({ ...version, stage: name }, duration);
    },
    fetchAttemptFailed: (reason) => {
      fetchFailures.inc({ ...version, reason });
    },
    inferenceEnded: (status, duration) => {
      if (status !== 200) {
        requests.inc({ ...version, code: String(status) });
        return;
      }
      succeeded.inc();
      took.observe(duration);
    },
    inferenceStageTook: (name, duration) => {
      byStage[name].observe(duration);
    },
    execution: executionOf(version),
  };
}

function defineMetrics(registry: Registry) {
  const define = (name: string, help: string, ...labels: string[]) => ({
    ...{ name, help, registers: [registry] },
    labelNames: [...versionLabels, ...labels],
  });
  return {
    info: new Gauge(
      define(
        'mlops_model_info',
        'The loaded model and the SHA-256 its bytes were verified against; always 1.',
        'digest',
      ),
    ),
    ready: new Gauge(
      define(
        'mlops_model_ready',
        '1 while the model answers, 0 before it is loaded and while the server drains.',
      ),
    ),
    loadSeconds: new Gauge(
      define(
        'mlops_model_load_duration_seconds',
        'Time the last load spent in each stage: fetching, loading, warming.',
        'stage',
      ),
    ),
    fetchFailures: new Counter(
      define(
        'mlops_model_fetch_failures_total',
        "Failed attempts at the model's bytes, by reason.",
        'reason',
      ),
    ),
    requests: new Counter(
      define('mlops_inference_requests_total', 'Inference requests, by HTTP status code.', 'code'),
    ),
    seconds: new HotHistogram(registry, {
      name: 'mlops_inference_duration_seconds',
      help: "From a request's headers to its answer, for requests answered 200.",
      buckets,
    }),
    stageSeconds: new HotHistogram(registry, {
      name: 'mlops_inference_stage_duration_seconds',
      help: 'Time in each stage of an inference: queue, decode, compute, encode.',
      buckets,
    }),
  };
}

async function removeLabels(registry: Registry, { model, version }: ModelIdentity): Promise<void> {
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name) as Gauge | undefined;
    for (const { labels } of await samplesOf(registry, name)) {
      if (labels['model'] !== model || labels['version'] !== version) continue;
      const { le: _bucket, ...rest } = labels;
      metric?.remove(rest);
    }
  }
}
