/** @jest-environment ./serving-runtime/testing/onnx-environment.ts */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './program.ts';
import type { Ports } from './serve.ts';
import { createLogger } from './telemetry/logger.ts';
import type { ArtifactServer } from './testing/artifact-server.ts';
import { sha256, startArtifactServer } from './testing/artifact-server.ts';
import { modelBytes, modelPath } from './testing/models-folder.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

const iris = modelBytes('iris.onnx');
let storage: ArtifactServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let variables: Record<string, string>;
let lines: string[];

beforeEach(async () => {
  storage = await startArtifactServer(iris);
  folder = await temporaryFolder();
  lines = [];
  await writeFile(join(folder.path, 'token'), 'token-1');
  variables = {
    MLOPS_MODEL_NAME: 'iris',
    MLOPS_MODEL_VERSION: '1.0.0',
    MLOPS_MODEL_DIGEST: sha256(iris),
    MLOPS_ARTIFACT_URL: storage.url,
    MLOPS_TOKEN_FILE: join(folder.path, 'token'),
    MLOPS_CACHE_DIR: join(folder.path, 'cache'),
    MLOPS_HTTP_PORT: '0',
    MLOPS_DRAIN_SECONDS: '0',
    MLOPS_TERMINATION_LOG: join(folder.path, 'termination-log'),
  };
});

afterEach(async () => {
  await storage.close();
  await folder[Symbol.asyncDispose]();
});

async function run(
  mode: string,
  onListening: (ports: Ports, stop: () => void) => void = () => undefined,
) {
  const stopping = new AbortController();
  const code = await runProgram({
    commands: [mode],
    variables,
    stop: stopping.signal,
    createLogger: (level, fields) =>
      createLogger(level, fields, { write: (line) => lines.push(line) }),
    probe: async () => undefined,
    spawnWorker: () => {
      throw new Error('no thread is wanted here');
    },
    onListening: (ports) => {
      onListening(ports, () => {
        stopping.abort(new Error('received SIGTERM'));
      });
    },
  });
  const message = await readFile(join(folder.path, 'termination-log'), 'utf8').catch(() => 'null');
  return { code, message: JSON.parse(message) as unknown };
}

const log = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

test('serves what it fetched with its token, and ends with 0 when asked to', async () => {
  const answers: number[] = [];
  const { code, message } = await run('serve', ({ http }, stop) => {
    const poll = async () => {
      const { status } = await fetch(`http://127.0.0.1:${String(http)}/v2/health/ready`);
      answers.push(status);
      if (status === 200) stop();
      else setImmediate(() => void poll());
    };
    void poll();
  });
  expect([code, message]).toEqual([0, null]);
  expect(answers.at(-1)).toBe(200);
  expect(log().map((line) => line['msg'])).toEqual([
    'listening',
    'model changed state',
    'model changed state',
    'model changed state',
    'model is ready',
    'draining',
    'stopped',
  ]);
  expect(log()[0]).toMatchObject({ level: 'info', msg: 'listening' });
  expect(lines.join('')).not.toMatch(/secret|token-1/);
});

describe('a failure ends with 1 and its reason in the termination log', () => {
  test('one flipped byte', async () => {
    storage.bytes = Buffer.from(iris);
    storage.bytes[100] = (iris[100] ?? 0) ^ 1;
    expect(await run('serve')).toEqual({
      code: 1,
      message: {
        reason: 'DigestMismatch',
        message: expect.stringContaining('they were changed after approval') as unknown,
        expected: sha256(iris),
        actual: sha256(storage.bytes),
      },
    });
    expect(log().at(-1)).toMatchObject({ level: 'fatal', reason: 'DigestMismatch' });
  });

  test('a file that is no model', async () => {
    storage.bytes = Buffer.from('not a model');
    variables['MLOPS_MODEL_DIGEST'] = sha256(storage.bytes);
    expect(await run('serve')).toMatchObject({ code: 1, message: { reason: 'InvalidModel' } });
  });

  test('wrong settings, all at once', async () => {
    variables['MLOPS_MODLE'] = 'x';
    delete variables['MLOPS_MODEL_NAME'];
    expect(await run('serve')).toMatchObject({ code: 1, message: { reason: 'InvalidConfig' } });
  });

  test('a command nobody knows', async () => {
    expect(await run('predict')).toMatchObject({
      code: 1,
      message: { message: 'the command is "predict"; give serve, inspect or nothing' },
    });
  });

  test('a port that is taken is a fault of its own', async () => {
    variables['MLOPS_HTTP_PORT'] = new URL(storage.url).port;
    expect(await run('serve')).toEqual({ code: 1, message: null });
    expect(log().at(-1)).toMatchObject({ level: 'fatal', error: { code: 'EADDRINUSE' } });
  });

  test('a termination log that cannot be written changes nothing', async () => {
    variables['MLOPS_TERMINATION_LOG'] = '/nowhere/log';
    storage.grantTurns.push(413);
    expect(await run('serve')).toEqual({ code: 1, message: null });
    expect(log().at(-1)).toMatchObject({ level: 'warn', msg: 'termination log cannot be written' });
  });
});

describe('an inspection', () => {
  test('leaves digest, size and signature', async () => {
    const { MLOPS_CACHE_DIR, MLOPS_TERMINATION_LOG } = variables;
    variables = {
      MLOPS_CACHE_DIR: MLOPS_CACHE_DIR ?? '',
      MLOPS_TERMINATION_LOG: MLOPS_TERMINATION_LOG ?? '',
      MLOPS_MODEL_PATH: modelPath('iris.onnx'),
    };
    expect(await run('inspect')).toEqual({
      code: 0,
      message: {
        digest: sha256(iris),
        sizeBytes: 518,
        inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
        outputs: [
          { name: 'label', datatype: 'INT64', shape: [-1] },
          { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
        ],
      },
    });
  });

  test('of a model with BF16 names it, with the digest of the file as it is', async () => {
    delete variables['MLOPS_MODEL_DIGEST'];
    storage.bytes = modelBytes('bfloat16.onnx');
    expect(await run('inspect')).toMatchObject({
      code: 0,
      message: {
        digest: sha256(modelBytes('bfloat16.onnx')),
        inputs: [{ name: 'X', datatype: 'BF16', shape: [-1, 4] }],
      },
    });
  });

  test('of a model with maps as outputs says how to export it', async () => {
    storage.bytes = modelBytes('iris-zipmap.onnx');
    delete variables['MLOPS_MODEL_DIGEST'];
    expect(await run('inspect')).toMatchObject({
      code: 1,
      message: {
        reason: 'InvalidModel',
        message: expect.stringContaining('zipmap=False') as unknown,
      },
    });
  });

  test('tells what it was refused', async () => {
    storage.grantTurns.push(404, 404);
    expect(await run('inspect')).toMatchObject({
      code: 1,
      message: { reason: 'ArtifactNotFound' },
    });
    expect(log().filter((line) => line['level'] === 'warn')).toHaveLength(2);
  });
});
