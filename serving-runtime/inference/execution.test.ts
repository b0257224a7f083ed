/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { describe, expect, test } from '@jest/globals';
import { openSession } from '../session.ts';
import { modelPath } from '../testing/models-folder.ts';
import type { Serving } from '../testing/start-serving.ts';
import { startServing } from '../testing/start-serving.ts';
import { whyNotJoined } from './rows-are-independent.ts';

const joining = { batch: { maxRows: 32, maxWaitMs: 2 }, breaker: undefined };

const metricOf = async ({ metricsUrl }: Serving, name: string): Promise<number> => {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:{.*})? (.*)$`, 'm').exec(text)?.[1]);
};

const infer = async ({ url }: Serving, input: object): Promise<unknown> => {
  const response = await fetch(`${url}/v2/models/test/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs: [input] }),
  });
  expect(response.status).toBe(200);
  const { outputs } = (await response.json()) as { outputs: readonly { data: unknown[] }[] };
  return outputs[0]?.data;
};

const end = async (serving: Serving): Promise<void> => {
  serving.stop();
  serving.endDrain();
  await serving.ended;
};

describe('a heavy model', () => {
  test('computes on threads of its own, joins what waits, and answers each its own', async () => {
    const serving = await startServing('wide.onnx', {
      ...{ containerConcurrency: 64, queueSize: 64, execution: joining },
    });
    await serving.ready;
    expect(await metricOf(serving, 'mlops_inference_threads')).toBeGreaterThanOrEqual(1);
    const sums = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        infer(serving, { name: 'X', datatype: 'FP32', shape: [1, 4], data: [i, 1, 2, 3] }),
      ),
    );
    expect(sums).toEqual(Array.from({ length: 60 }, (_, i) => [i + 6]));
    expect(await metricOf(serving, 'mlops_inference_batch_rows_sum')).toBe(60);
    expect(await metricOf(serving, 'mlops_inference_batch_rows_count')).toBeLessThan(60);
    await end(serving);
  }, 60_000);

  test('that becomes one while it serves moves to threads', async () => {
    const serving = await startServing('slow.onnx');
    await serving.ready;
    expect(await metricOf(serving, 'mlops_inference_threads')).toBe(0);
    const threads = async () => {
      await infer(serving, { name: 'steps', datatype: 'INT64', shape: [], data: [200] });
      return metricOf(serving, 'mlops_inference_threads');
    };
    let requests = 1;
    while ((await threads()) === 0 && requests < 100) requests++;
    expect(requests).toBeLessThan(100);
    await end(serving);
  }, 60_000);
});

describe('requests are joined', () => {
  test.each(['iris.onnx', 'bfloat16.onnx'])(
    'where each row is answered by itself: %s',
    async (file) => {
      const session = await openSession(modelPath(file));
      const compute = session.run.bind(session);
      expect(await whyNotJoined(compute, session.signature)).toBeUndefined();
      await session.close();
    },
  );

  test.each([
    ['normalised.onnx', 'its output "Y" of one row depends on other rows'],
    ['slow.onnx', 'not all first dimensions may vary'],
  ])('not in %s', async (file, reason) => {
    const session = await openSession(modelPath(file));
    expect(await whyNotJoined(session.run.bind(session), session.signature)).toBe(reason);
    await session.close();
  });
});
