import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

async function measured() {
  const all = createMetrics({ active: 0, waiting: 0 });
  const metrics = all.models.of({ model: 'iris', version: '2' });
  metrics.inferenceEnded(200, 0.25);
  metrics.inferenceEnded(200, 0.5);
  metrics.inferenceEnded(429, 0);
  metrics.inferenceStageTook('queue', 0.125);
  metrics.inferenceStageTook('compute', 0.5);
  metrics.execution.computationBegan(32, 4);
  metrics.execution.computationBegan(1, 1);
  await all.render();
  return { all, text: (await all.render()).text };
}

test("the numbers stand under Triton's names too, however often they are scraped", async () => {
  const { text } = await measured();
  const labels = '{model="iris",version="2"}';
  const lines = text.split('\n').filter((line) => line.startsWith('nv_'));
  expect(lines).toEqual([
    `nv_inference_request_success${labels} 2`,
    `nv_inference_request_failure${labels} 1`,
    `nv_inference_count${labels} 33`,
    `nv_inference_exec_count${labels} 2`,
    `nv_inference_request_duration_us${labels} 750000`,
    `nv_inference_queue_duration_us${labels} 125000`,
    `nv_inference_compute_input_duration_us${labels} 0`,
    `nv_inference_compute_infer_duration_us${labels} 500000`,
    `nv_inference_compute_output_duration_us${labels} 0`,
  ]);
});

test("and the times under KServe's", async () => {
  const { text } = await measured();
  const lines = text.split('\n').filter((line) => line.startsWith('request_predict_seconds'));
  const labels = 'model_name="iris",model_version="2"';
  expect(lines).toContain(`request_predict_seconds_bucket{${labels},le="0.25"} 0`);
  expect(lines).toContain(`request_predict_seconds_bucket{${labels},le="0.5"} 1`);
  expect(lines).toContain(`request_predict_seconds_sum{${labels}} 0.5`);
  expect(lines).toContain(`request_predict_seconds_count{${labels}} 1`);
});

test('versions have figures of their own, which go with them', async () => {
  const { all } = await measured();
  const other = all.models.of({ model: 'iris', version: '3' });
  other.loaded('sha256:aa');
  other.loaded('sha256:bb');
  await all.models.forget({ model: 'iris', version: '2' });
  const { text } = await all.render();
  expect(text).not.toContain('version="2"');
  const info = text.split('\n').filter((line) => line.startsWith('mlops_model_info{'));
  expect(info).toEqual(['mlops_model_info{model="iris",version="3",digest="sha256:bb"} 1']);
  all.models.stopped();
  expect((await all.render()).text).toContain('mlops_model_ready{model="iris",version="3"} 0');
});
