/** What only this runtime promises, measured on it alone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../quantile.ts';
import type { Contestant } from './contestants.ts';
import { PLACES } from './contestants.ts';
import { inProcessMicros } from './golden.ts';
import type { OpenLoopResult } from './open-loop.ts';
import { openLoop } from './open-loop.ts';
import type { Measurement, Rounds, Running } from './rounds.ts';
import { measure, start } from './rounds.ts';
import type { Workload } from './workload.ts';

export type Scenarios = {
  readonly heavy: Measurement & { readonly healthP99: number; readonly inProcessMicros: number };
  readonly openLoop: OpenLoopResult & { readonly peakMib: number };
  readonly closedLoop: Measurement;
  readonly overload: OpenLoopResult & {
    /** Requests a second that were answered in a closed loop. */
    readonly capacity: number;
    readonly healthP99: number;
    readonly peakMib: number;
  };
  readonly atRest: { readonly residentMib: number; readonly readyMs: number };
};

export type ScenarioOptions = Pick<Rounds, 'folder' | 'ingestUrl' | 'seconds' | 'note'> & {
  readonly connections: number;
};

export const runScenarios = async (
  { ours, forMany, bounded }: Readonly<Record<'ours' | 'forMany' | 'bounded', Contestant>>,
  { iris, heavy }: { readonly iris: Workload; readonly heavy: Workload },
  options: ScenarioOptions,
): Promise<Scenarios> => ({
  atRest: await restOf(ours, iris, options),
  heavy: await heavyModel(ours, heavy, options),
  overload: await overload(bounded, heavy, options),
  ...(await manyConnections(forMany, iris, options)),
});

const restOf = async (ours: Contestant, iris: Workload, options: ScenarioOptions) => {
  const { server, readyMs } = await start(ours, iris, options);
  try {
    await delay(5000);
    return { residentMib: server.residentMib, readyMs };
  } finally {
    await server.stop();
  }
};

/** 64 clients keep the model busy while health is asked twenty times a second. */
const heavyModel = async (ours: Contestant, heavy: Workload, options: ScenarioOptions) => {
  const { note, seconds } = options;
  const micros = await inProcessMicros(heavy);
  const running = await start(ours, heavy, options);
  try {
    await measure(running, heavy, 'json', { clients: 16, seconds: 1 });
    const load = measure(running, heavy, 'json', { clients: 64, seconds: 3 * seconds });
    const healthP99 = await healthDuring(running, load);
    note('heavy model measured');
    return { ...(await load), healthP99, inProcessMicros: micros };
  } finally {
    await running.server.stop();
  }
};

/** The p99 of liveness, asked twenty times a second for as long as the load lasts. */
const healthDuring = async ({ baseUrl }: Running, load: Promise<unknown>): Promise<number> => {
  const health: number[] = [];
  let isOver = false;
  const end = load.finally(() => (isOver = true));
  while (!isOver) {
    const began = performance.now();
    await (await fetch(`${baseUrl}/v2/health/live`)).text();
    health.push(performance.now() - began);
    await delay(50);
  }
  await end;
  return quantile(health, 0.99);
};

const OVERLOAD = 10;
const ROWS = 64;

/** Ten times as many requests of 64 rows as the heavy model can compute, with few places to wait. */
const overload = async (bounded: Contestant, heavy: Workload, options: ScenarioOptions) => {
  const { seconds, note, folder } = options;
  const { input, values } = heavy;
  const shape = [ROWS, ...input.shape.slice(1)];
  const data = Array.from({ length: ROWS }, () => values).flat();
  const json = JSON.stringify({ inputs: [{ name: input.name, datatype: 'FP32', shape, data }] });
  const jsonFile = join(folder, 'many-rows.json');
  writeFileSync(jsonFile, json);
  const running = await start(bounded, heavy, options);
  try {
    const rows = { ...heavy, json, jsonFile };
    await measure(running, rows, 'json', { clients: PLACES, seconds: 1 });
    const { requests, seconds: took } = await measure(running, rows, 'json', {
      ...{ clients: PLACES, seconds: 2 * seconds },
    });
    const capacity = requests / took;
    const load = { connections: 200, rate: Math.round(OVERLOAD * capacity), seconds: 2 * seconds };
    const open = openLoop({ url: running.jsonUrl, body: json, ...load });
    const healthP99 = await healthDuring(running, open);
    note(`${OVERLOAD} times the capacity measured`);
    return { ...(await open), capacity, healthP99, peakMib: running.server.peakMib };
  } finally {
    await running.server.stop();
  }
};

const manyConnections = async (ours: Contestant, iris: Workload, options: ScenarioOptions) => {
  const { connections, seconds, note } = options;
  const running = await start(ours, iris, options);
  try {
    const rate = { rate: 2000, seconds: 4 * seconds };
    const open = await openLoop({ url: running.jsonUrl, body: iris.json, connections, ...rate });
    const { peakMib } = running.server;
    note(`${connections} open connections measured`);
    await delay(1000);
    const load = { clients: connections, seconds: 4 * seconds };
    const closedLoop = await measure(running, iris, 'json', load);
    return { openLoop: { ...open, peakMib }, closedLoop };
  } finally {
    await running.server.stop();
  }
};
