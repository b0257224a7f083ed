import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

test("the numbers stand under Triton's names too, however often they are scraped", async () => {
  const metrics = createMetrics({ model: 'iris', version: '2' }, { active: 0, waiting: 0 });
  metrics.inferenceEnded(200, 0.25);
  metrics.inferenceEnded(200, 0.5);
  metrics.inferenceEnded(429, 0);
  metrics.inferenceStageTook('queue', 0.125);
  metrics.inferenceStageTook('compute', 0.5);
  metrics.execution.computationBegan(32, 4);
  metrics.execution.computationBegan(1, 1);
  await metrics.render();
  const { text } = await metrics.render();
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
