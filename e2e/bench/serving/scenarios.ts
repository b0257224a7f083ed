/** What only this runtime promises, measured on it alone. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from './contestants.ts';
import { inProcessMicros } from './golden.ts';
import type { OpenLoopResult } from './many-connections.ts';
import { openLoop } from './many-connections.ts';
import type { Measurement, Rounds } from './rounds.ts';
import { measure, start } from './rounds.ts';
import type { Workload } from './workload.ts';

export type Scenarios = {
  readonly heavy: Measurement & { readonly healthP99: number; readonly inProcessMicros: number };
  readonly openLoop: OpenLoopResult & { readonly peakMib: number };
  readonly closedLoop: Measurement;
  readonly atRest: { readonly residentMib: number; readonly readyMs: number };
};

export type ScenarioOptions = Pick<Rounds, 'folder' | 'ingestUrl' | 'seconds' | 'note'> & {
  readonly connections: number;
};

export const runScenarios = async (
  { ours, oursForMany }: { readonly ours: Contestant; readonly oursForMany: Contestant },
  { iris, heavy }: { readonly iris: Workload; readonly heavy: Workload },
  options: ScenarioOptions,
): Promise<Scenarios> => ({
  atRest: await restOf(ours, iris, options),
  heavy: await heavyModel(ours, heavy, options),
  ...(await manyConnections(oursForMany, iris, options)),
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
    const health: number[] = [];
    let isOver = false;
    void load.finally(() => (isOver = true));
    while (!isOver) {
      const began = performance.now();
      await (await fetch(`${running.baseUrl}/v2/health/live`)).text();
      health.push(performance.now() - began);
      await delay(50);
    }
    note('heavy model measured');
    health.sort((a, b) => a - b);
    const healthP99 = health[Math.floor(health.length * 0.99)] ?? 0;
    return { ...(await load), healthP99, inProcessMicros: micros };
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
