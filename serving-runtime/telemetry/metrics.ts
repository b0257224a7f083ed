import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { kserveMetrics } from './kserve-metrics.ts';
import type { ModelMetricsOf } from './model-metrics.ts';
import { createModelMetrics } from './model-metrics.ts';
import type { RequestLogMetrics } from './request-log-metrics.ts';
import { createRequestLogMetrics } from './request-log-metrics.ts';
import { createTritonMetrics } from './triton-metrics.ts';

/** The runtime's metrics; their names and labels are an interface, listed in the README. */
export type Metrics = {
  readonly models: ModelMetricsOf;
  /** Ready for the first time, so long after the process began. */
  readonly started: (seconds: number) => void;
  readonly requestLog: RequestLogMetrics;
  /** The text format of Prometheus and its content type. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
};

/** What the gauges read when they are scraped. */
export type Load = { readonly active: number; readonly waiting: number };

export function createMetrics(load: Load): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const startSeconds = new Gauge({
    registers: [registry],
    name: 'mlops_start_to_ready_seconds',
    help: 'From the start of the process to its first readiness.',
  });
  gauge(registry, 'mlops_inference_in_flight', 'Requests at work.', () => load.active);
  gauge(registry, 'mlops_inference_queued', 'Requests waiting for a slot.', () => load.waiting);
  const models = createModelMetrics(registry);
  const requestLog = createRequestLogMetrics(registry);
  createTritonMetrics(registry);
  return {
    models,
    requestLog,
    started: (seconds) => {
      startSeconds.set(seconds);
    },
    render: async () => {
      const [own, kserve] = [await registry.metrics(), await kserveMetrics(registry)];
      return { contentType: registry.contentType, text: own + kserve };
    },
  };
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const created: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect: () => {
      created.set(read());
    },
  });
}
