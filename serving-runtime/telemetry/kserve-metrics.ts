/**
 * The same times under the names of KServe's Python server:
 * https://github.com/kserve/kserve/blob/v0.15.0/python/kserve/kserve/metrics.py
 * They are written when they are scraped, and so cost requests nothing.
 */
import type { Registry } from 'prom-client';
import type { Sample } from './samples.ts';
import { samplesOf } from './samples.ts';

const source = 'mlops_inference_stage_duration_seconds';
const names: Readonly<Record<string, readonly [name: string, help: string]>> = {
  decode: ['request_preprocess_seconds', 'Time of decoding.'],
  compute: ['request_predict_seconds', 'Time of computing.'],
  encode: ['request_postprocess_seconds', 'Time of encoding.'],
};

export async function kserveMetrics(registry: Registry): Promise<string> {
  const samples = await samplesOf(registry, source);
  return Object.entries(names)
    .map(([stage, [name, help]]) => {
      const lines = samples
        .filter(({ labels }) => labels['stage'] === stage)
        .map((sample) => lineOf(name, sample));
      return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ''].join('\n');
    })
    .join('\n');
}

function lineOf(name: string, { metricName = '', value, labels }: Sample): string {
  const { model = '', version = '', le } = labels;
  const bucket = le === undefined ? '' : `,le="${String(le)}"`;
  const series = `model_name="${escape(model)}",model_version="${escape(version)}"${bucket}`;
  return `${name}${metricName.slice(source.length)}{${series}} ${String(value)}`;
}

const escape = (value: string | number): string =>
  String(value).replace(/[\\"\n]/g, (each) => (each === '\n' ? '\\n' : `\\${each}`));
