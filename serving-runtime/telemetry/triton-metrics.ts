/**
 * The same numbers under the names that Triton's dashboards read:
 * https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html
 * They are made of ours when they are scraped, and so cost requests nothing.
 */
import type { Registry } from 'prom-client';
import { Counter } from 'prom-client';
import type { Sample } from './samples.ts';
import { samplesOf } from './samples.ts';

type Source = {
  readonly name: string;
  /** Of a histogram: what it added up, or how often. */
  readonly part?: '_sum' | '_count';
  readonly where?: (labels: Readonly<Record<string, unknown>>) => boolean;
  readonly factor?: number;
};

const microseconds = 1e6;
const stage = (wanted: string): Source => ({
  name: 'mlops_inference_stage_duration_seconds',
  ...{ part: '_sum', factor: microseconds },
  where: (labels) => labels['stage'] === wanted,
});
const requests = (where: Source['where']): Source => ({
  name: 'mlops_inference_requests_total',
  ...(where === undefined ? {} : { where }),
});
const batches = (part: '_sum' | '_count'): Source => ({ name: 'mlops_inference_batch_rows', part });

const sources: Readonly<Record<string, readonly [help: string, source: Source]>> = {
  nv_inference_request_success: ['Requests answered 200.', requests(({ code }) => code === '200')],
  nv_inference_request_failure: ['Other requests.', requests(({ code }) => code !== '200')],
  nv_inference_count: ['Rows that were computed.', batches('_sum')],
  nv_inference_exec_count: ['Computations; each of one batch.', batches('_count')],
  nv_inference_request_duration_us: [
    'Time of the requests answered 200.',
    { name: 'mlops_inference_duration_seconds', part: '_sum', factor: microseconds },
  ],
  nv_inference_queue_duration_us: ['Time in the queue.', stage('queue')],
  nv_inference_compute_input_duration_us: ['Time of decoding.', stage('decode')],
  nv_inference_compute_infer_duration_us: ['Time of computing.', stage('compute')],
  nv_inference_compute_output_duration_us: ['Time of encoding.', stage('encode')],
};

export function createTritonMetrics(registry: Registry): void {
  for (const [name, [help, source]] of Object.entries(sources)) {
    const counter: Counter = new Counter({
      ...{ name, help, registers: [registry], labelNames: ['model', 'version'] },
      collect: async () => {
        counter.reset();
        for (const { labels, value } of await read(registry, source)) {
          const { model = '', version = '' } = labels;
          counter.inc({ model, version }, value);
        }
      },
    });
  }
}

async function read(
  registry: Registry,
  { name, part = undefined, where = () => true, factor = 1 }: Source,
): Promise<readonly Sample[]> {
  return (await samplesOf(registry, name))
    .filter(({ metricName, labels }) => {
      const isPart = part === undefined || metricName === name + part;
      return isPart && where(labels);
    })
    .map(({ labels, value }) => ({ labels, value: value * factor }));
}
