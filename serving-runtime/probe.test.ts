/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { probeHere, probeIn } from './probe.ts';
import { modelPath } from './testing/models-folder.ts';

const never = new AbortController().signal;
const real = probeIn({
  command: [process.execPath, join(import.meta.dirname, 'main.ts'), 'probe'],
  timeoutMs: 30_000,
});
/** A process that does `script` instead. */
const doing = (script: string, timeoutMs = 30_000) =>
  probeIn({ command: [process.execPath, '-e', script], timeoutMs });

describe('a model is tried in a process of its own', () => {
  test.each(['iris.onnx', 'bfloat16.onnx'])(
    'and passes where it loads and answers: %s',
    async (file) => {
      await expect(real(modelPath(file), never)).resolves.toBeUndefined();
    },
  );

  test.each([
    ['unknown-operator.onnx', /^the file does not load: /],
    ['external-escape.onnx', /^the file does not load: /],
    ['complex-output.onnx', /COMPLEX|complex|type/],
  ])('and refused with the reason where it does not: %s', async (file, message) => {
    await expect(real(modelPath(file), never)).rejects.toMatchObject({
      code: 'InvalidModel',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["process.kill(process.pid, 'SIGSEGV')", /first \(SIGSEGV\)$/],
    ["process.kill(process.pid, 'SIGKILL')", /SIGKILL\); it may need more memory/],
    ['process.exit(134)', /\(exit code 134\)$/],
  ])('whose end is told: %s', async (script, message) => {
    await expect(doing(script)('x', never)).rejects.toThrow(message);
  });

  test('that is not waited for without end', async () => {
    const hanging = doing('setInterval(() => {}, 1000)', 200);
    await expect(hanging('x', never)).rejects.toThrow('it did not load within 0.2 s');
  });

  test('that ends with the server', async () => {
    const stopping = new AbortController();
    const probing = doing('setInterval(() => {}, 1000)')('x', stopping.signal);
    stopping.abort(new Error('received SIGTERM'));
    await expect(probing).rejects.toThrow('received SIGTERM');
  });
});

test('the trying process says why a model is refused', async () => {
  const said: string[] = [];
  const print = (text: string) => said.push(text);
  expect(await probeHere(modelPath('iris.onnx'), print, '/nowhere/score')).toBe(0);
  expect(await probeHere(modelPath('unknown-operator.onnx'), print, '/nowhere/score')).toBe(3);
  expect(JSON.parse(said.join())).toMatchObject({ reason: 'InvalidModel' });
});
