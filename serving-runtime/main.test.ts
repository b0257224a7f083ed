import { expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sha256 } from './testing/artifact-server.ts';
import { modelBytes, modelPath } from './testing/models-folder.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

/** A process starts in about a second, on a busy machine in several. */
const startsAndStops = 60_000;

/** The real process, as its container starts it. */
function start(folder: string, variables: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: {
      PATH: process.env['PATH'],
      MLOPS_MODEL_NAME: 'iris',
      MLOPS_MODEL_VERSION: '1.0.0',
      MLOPS_MODEL_DIGEST: sha256(modelBytes('iris.onnx')),
      MLOPS_MODEL_PATH: modelPath('iris.onnx'),
      MLOPS_CACHE_DIR: join(folder, 'cache'),
      MLOPS_HTTP_PORT: '0',
      MLOPS_DRAIN_SECONDS: '1',
      MLOPS_TERMINATION_LOG: join(folder, 'termination-log'),
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

type Outcome = { readonly status: number; readonly closing: boolean };

const body = JSON.stringify({
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
});

function infer(port: number, agent: Agent): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const path = '/v2/models/iris/infer';
    request({ host: '127.0.0.1', port, path, method: 'POST', agent }, (response) => {
      response.resume().on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          closing: response.headers.connection === 'close',
        });
      });
    })
      .on('error', reject)
      .end(body);
  });
}

/** One client that asks without pause until an answer tells it to go elsewhere. */
async function askUntilSentAway(port: number, outcomes: Outcome[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let last: Outcome;
  do {
    last = await infer(port, agent);
    outcomes.push(last);
  } while (!last.closing);
  agent.destroy();
}

test(
  'SIGTERM under load fails no request: clients are sent away with their answers, exit code 0',
  async () => {
    await using folder = await temporaryFolder();
    const child = start(folder.path, {});
    const outcomes: Outcome[] = [];
    let clients: Promise<void>[] = [];
    let port = 0;
    if (!child.stdout) throw new Error('the child has no standard output');
    for await (const line of createInterface(child.stdout)) {
      const entry = JSON.parse(line) as { msg: string; ports?: { http: number } };
      port = entry.ports?.http ?? port;
      if (entry.msg !== 'model is ready') continue;
      clients = Array.from({ length: 8 }, () => askUntilSentAway(port, outcomes));
      await infer(port, new Agent());
      child.kill('SIGTERM');
    }
    await Promise.all(clients);
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect(outcomes.length).toBeGreaterThanOrEqual(8);
    expect(outcomes.filter(({ status }) => status !== 200)).toEqual([]);
  },
  startsAndStops,
);

test(
  'a wrong digest ends the process with 1, never ready, and the reason left behind',
  async () => {
    await using folder = await temporaryFolder();
    const expected = `sha256:${'0'.repeat(64)}`;
    const child = start(folder.path, { MLOPS_MODEL_DIGEST: expected });
    child.stdout?.resume();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(1);
    const message = await readFile(join(folder.path, 'termination-log'), 'utf8');
    expect(JSON.parse(message)).toMatchObject({
      reason: 'DigestMismatch',
      expected,
      actual: sha256(modelBytes('iris.onnx')),
    });
  },
  startsAndStops,
);
