import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { modelBytes } from '../../../serving-runtime/testing/models-folder.ts';
import { readConfig } from '../../cluster/config.ts';
import { bundleServingRuntime } from '../../cluster/images/bundle.ts';
import { memoryMibOf } from '../../bench/process-figures.ts';
import { seededRandom } from '../../seeded-random.ts';
import { figure, note, settings } from '../harness/settings.ts';
import type { Tally } from './clients.ts';
import { grpcCaller, heavyClient, restClient, vanishingClient } from './clients.ts';
import { Ingest } from './ingest.ts';
import { MoodyServer, TROUBLES } from './outages.ts';
import type { ServingProcess } from './serving-process.ts';
import { startServing } from './serving-process.ts';
import { ThreadKiller } from './thread-killer.ts';

const SECONDS = figure(90, 900);
jest.setTimeout((SECONDS + 120) * 1000);

let folder: string;
let storage: MoodyServer;
let ingestServer: MoodyServer;
let serving: ServingProcess;
const ingest = new Ingest();

const digestOf = (file: string) =>
  `sha256:${createHash('sha256').update(modelBytes(file)).digest('hex')}`;
const entry = (name: string, version: number, file: string) => ({
  ...{ name, version: String(version), digest: digestOf(file) },
  source: `${storage.url}/${file}?version=${version}`,
});
/** Replaced in one step, as a mounted ConfigMap is. */
const list = (version: number): void => {
  const models = [
    entry('swapped', version, version % 2 === 0 ? 'times-2.onnx' : 'times-3.onnx'),
    entry('heavy', 1, 'slow.onnx'),
  ];
  writeFileSync(join(folder, 'new'), JSON.stringify({ models }));
  renameSync(join(folder, 'new'), join(folder, 'models.json'));
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serving-'));
  const config = readConfig();
  await bundleServingRuntime(config);
  storage = await MoodyServer.open((request, response) => {
    const file = new URL(request.url ?? '', 'http://storage').pathname.slice(1);
    response.end(modelBytes(file));
  });
  ingestServer = await MoodyServer.open(ingest.answer);
  list(2);
  mkdirSync(settings.logs, { recursive: true });
  serving = await startServing(
    join(config.build, 'serving-runtime/main.js'),
    {
      ...{ MLOPS_MODELS_FILE: join(folder, 'models.json'), MLOPS_MODEL_CONTROL: 'explicit' },
      ...{ MLOPS_CACHE_DIR: join(folder, 'cache'), MLOPS_FETCH_SECONDS: '3' },
      ...{ MLOPS_HTTP_PORT: '0', MLOPS_GRPC_PORT: '0', MLOPS_BATCH_MAX_ROWS: '16' },
      ...{
        MLOPS_INGEST_URL: `${ingestServer.url}/`,
        MLOPS_LOG_MODE: 'all',
        MLOPS_SKETCH_WINDOW: '5s',
      },
      ...{ MLOPS_TERMINATION_LOG: join(folder, 'termination-log'), ORT_DISABLE_TELEMETRY: '1' },
    },
    join(settings.logs, 'serving.log'),
  );
}, 60_000);

afterAll(async () => {
  await serving.stop();
  storage.close();
  ingestServer.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of the request log's counters, each summed over its labels. */
const counted = async (name: string): Promise<number> => {
  const text = await (await fetch(`${serving.httpUrl}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

type Swaps = { done: number; refused: number };

/** Every 5 s; one that fails while the storage is in trouble has to leave everything as it was. */
const swap = async (swaps: Swaps, tally: Tally, stop: AbortSignal): Promise<void> => {
  for (let version = 3; !stop.aborted; version++) {
    await delay(5000, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    list(version);
    const began = performance.now();
    const response = await fetch(`${serving.httpUrl}/v2/repository/models/swapped/load`, {
      method: 'POST',
    });
    const text = await response.text();
    if (response.status === 200) swaps.done += 1;
    else if (response.status === 422 && storage.wasTroubledSince(began)) swaps.refused += 1;
    else tally.wrong.push(`swap ${response.status}: ${text}`);
  }
};

const trouble = async (
  server: MoodyServer,
  random: () => number,
  stop: AbortSignal,
): Promise<void> => {
  const wait = (ms: number) => delay(ms, undefined, { signal: stop }).catch(() => undefined);
  while (!stop.aborted) {
    await wait(4000 + 8000 * random());
    server.mood = TROUBLES[Math.floor(random() * TROUBLES.length)] ?? 'refusing';
    await wait(2000 + 6000 * random());
    server.mood = 'up';
  }
};

const killThreads = async (killer: ThreadKiller, stop: AbortSignal): Promise<void> => {
  while (!stop.aborted) {
    await delay(4000, undefined, { signal: stop }).catch(() => undefined);
    killer.kill();
  }
};

const watchMemory = async (samples: number[], stop: AbortSignal): Promise<void> => {
  while (!stop.aborted) {
    await delay(500, undefined, { signal: stop }).catch(() => undefined);
    samples.push(memoryMibOf(serving.pid, 'VmRSS'));
  }
};

const mean = (values: readonly number[]) =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

test('60: swaps, dying threads, storage and ingest in trouble and vanishing clients cost no answer and no record', async () => {
  const tally: Tally = { answered: new Set(), wrong: [] };
  const swaps: Swaps = { done: 0, refused: 0 };
  const memory: number[] = [];
  const over = new AbortController();
  const stop = over.signal;
  const killer = await ThreadKiller.attach(serving.inspectorUrl);
  const seed = Math.floor(Math.random() * 1e6);
  const random = seededRandom(seed);
  const work = [
    ...[1, 2, 3].map((i) => restClient(serving, `rest${i}`, tally, stop)),
    ...[1, 2].map((i) => grpcCaller(serving, `grpc${i}`, tally, stop)),
    heavyClient(serving, 'heavy1', tally, stop),
    ...[vanishingClient(serving, stop), swap(swaps, tally, stop), killThreads(killer, stop)],
    ...[
      trouble(storage, random, stop),
      trouble(ingestServer, random, stop),
      watchMemory(memory, stop),
    ],
  ];
  try {
    await Promise.race([delay(SECONDS * 1000), Promise.all(work)]);
  } finally {
    over.abort();
    await Promise.allSettled(work);
    storage.mood = ingestServer.mood = 'up';
    killer.close();
  }

  const dropped = await counted('mlops_request_log_dropped_total');
  const lost = await counted('mlops_inference_threads_lost_total');
  const code = await serving.stop();
  const third = Math.floor(memory.length / 3);
  const [early, late] = [mean(memory.slice(third, 2 * third)), mean(memory.slice(2 * third))];
  note(60, `seed ${seed}: ${tally.answered.size} answers, ${tally.wrong.length} wrong or refused`);
  note(
    60,
    `${swaps.done} swaps, ${swaps.refused} refused by a storage in trouble; ${lost} threads lost`,
  );
  note(
    60,
    `${ingest.records} records received, ${dropped} dropped, ${ingest.repeatedBatches} batches sent twice`,
  );
  note(
    60,
    `memory in the second third ${early.toFixed(0)} MiB, in the last ${late.toFixed(0)} MiB`,
  );

  expect(tally.wrong).toEqual([]);
  expect(swaps.done).toBeGreaterThan(SECONDS / 20);
  expect(lost).toBeGreaterThan(SECONDS / 20);
  expect(code).toBe(0);
  expect(dropped).toBe(0);
  // Each answer is in the log once.
  const missing = [...tally.answered].filter((id) => ingest.predictions.get(id) !== 1);
  expect(missing).toEqual([]);
  expect(late).toBeLessThan(1.2 * early + 20);
});
