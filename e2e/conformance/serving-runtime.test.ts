/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { expect, test } from '@jest/globals';
import { startServing } from '../../serving-runtime/testing/start-serving.ts';
import { runCases, type Result } from './run-cases.ts';
import { openTarget } from './target.ts';

test.each(['iris.onnx', 'identity.onnx', 'two-inputs.onnx', 'wide.onnx', 'bfloat16.onnx'])(
  'the serving runtime conforms, with %s',
  async (model) => {
    const serving = await startServing(model, { grpcPort: 0 });
    await serving.ready;
    const failed: Result[] = [];
    for await (const result of runCases({
      ...(await openTarget(serving.url, 'test')),
      grpc: serving.grpcUrl,
    }))
      if (result.outcome === 'failed') failed.push(result);
    expect(failed).toEqual([]);
    serving.stop();
    serving.endDrain();
    await serving.ended;
  },
  60_000,
);
