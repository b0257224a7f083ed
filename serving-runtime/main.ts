/**
 * The serving runtime. `main.ts` serves the model its environment names; `main.ts inspect` fetches and
 * loads it, leaves its digest, size and signature in the termination log and ends. Its threads and
 * the process that tries a model first run this file too, so that a bundle is one file.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { readEnvironment } from './config.ts';
import { serveInferences } from './inference/inference-worker.ts';
import type { WorkerStart } from './inference/worker-messages.ts';
import { probeHere, probeIn } from './probe.ts';
import { runProgram } from './program.ts';
import { createLogger } from './telemetry/logger.ts';

/** Longer than any model takes that can be served within the pod's start-up probe. */
const probeMs = 300_000;

const [, file = '', command, path] = process.argv;

if (isMainThread && command === 'probe' && path !== undefined) {
  process.exit(await probeHere(path, (text) => process.stdout.write(text)));
} else if (isMainThread) process.exit(await run());
else if (parentPort !== null) await serveInferences(parentPort, workerData as WorkerStart);

function run(): Promise<number> {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      stopping.abort(new Error(`received ${name}`));
    });
  }
  process.on('uncaughtException', (error) => {
    createLogger('info', {}).fatal({ error }, 'the runtime failed unexpectedly');
    process.exit(1);
  });
  return runProgram({
    commands: process.argv.slice(2),
    variables: readEnvironment(),
    stop: stopping.signal,
    createLogger,
    onListening: () => undefined,
    probe: probeIn({
      command: [process.execPath, ...process.execArgv, file, 'probe'],
      timeoutMs: probeMs,
    }),
    spawnWorker: (start) => new Worker(new URL(import.meta.url), { workerData: start }),
  });
}
