import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import type { ModelIdentity } from '../model-identity.ts';
import { HotHistogram } from './hot-histogram.ts';

const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const breakerStates = ['closed', 'half-open', 'open'] as const;

/** How a version computes. */
export type ExecutionMetrics = {
  readonly computationBegan: (rows: number, requests: number) => void;
  readonly threads: (count: number) => void;
  readonly threadLost: () => void;
  readonly breaker: (state: (typeof breakerStates)[number]) => void;
};

export function executionMetrics(registry: Registry): (version: ModelIdentity) => ExecutionMetrics {
  const shared = { registers: [registry], labelNames: ['model', 'version'] };
  const rowsOfBatch = new HotHistogram(registry, {
    name: 'mlops_inference_batch_rows',
    help: 'Rows of each computation.',
    buckets: counts,
  });
  const requestsOfBatch = new HotHistogram(registry, {
    name: 'mlops_inference_batch_requests',
    help: 'Requests that were joined to each computation.',
    buckets: counts,
  });
  const threads = new Gauge({
    ...shared,
    name: 'mlops_inference_threads',
    help: 'Threads that compute; 0 while the model is light enough for the thread that answers.',
  });
  const lost = new Counter({
    ...shared,
    name: 'mlops_inference_threads_lost_total',
    help: 'Computing threads that ended by themselves and were replaced.',
  });
  const breaker = new Gauge({
    ...shared,
    name: 'mlops_circuit_breaker_state',
    help: '1 for the state the circuit breaker is in: closed, half-open, open.',
    labelNames: [...shared.labelNames, 'state'],
  });
  return (version) => {
    const become = (now: string) => {
      for (const state of breakerStates) breaker.set({ ...version, state }, state === now ? 1 : 0);
    };
    const [rows, requests] = [rowsOfBatch.series(version), requestsOfBatch.series(version)];
    become('closed');
    threads.set(version, 0);
    return {
      computationBegan: (ofRows, ofRequests) => {
        rows.observe(Math.max(ofRows, 1));
        requests.observe(ofRequests);
      },
      threads: (count) => {
        threads.set(version, count);
      },
      threadLost: () => {
        lost.inc(version);
      },
      breaker: become,
    };
  };
}
