/** All servers of a workload run side by side, and are put under load one after the other, in turns. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from './contestants.ts';
import { checkGolden, goldenOf } from './golden.ts';
import type { LoadResult } from './load.ts';
import { loadGrpc, loadJson } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { MODEL_NAME, type Workload } from './workload.ts';

export type Protocol = 'json' | 'grpc';

export type Measurement = LoadResult & {
  readonly contestant: string;
  readonly workload: string;
  readonly protocol: Protocol;
  readonly clients: number;
  /** Of the server's processes, during the load. */
  readonly cpuMs: number;
  readonly peakMib: number;
};

export type Rounds = {
  readonly contestants: readonly Contestant[];
  readonly clients: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly folder: string;
  readonly ingestUrl: string;
  readonly note: (text: string) => void;
};

export type Running = {
  readonly contestant: Contestant;
  readonly server: ServerProcess;
  readonly jsonUrl: string;
  readonly grpcUrl: string;
  readonly baseUrl: string;
  readonly readyMs: number;
};

let nextPort = 21_000;

/** Started and with its golden answer given. */
export const start = async (
  contestant: Contestant,
  workload: Workload,
  { folder: parent, ingestUrl }: Pick<Rounds, 'folder' | 'ingestUrl'>,
): Promise<Running> => {
  const [port, grpcPort] = [nextPort, nextPort + 100];
  nextPort += 1;
  const folder = join(parent, `${workload.name}-${contestant.name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const command = await contestant.command({ workload, port, grpcPort, folder, ingestUrl });
  const server = new ServerProcess(command, `${folder}.log`);
  const baseUrl = `http://127.0.0.1:${port}`;
  try {
    const readyMs = await server.ready(`${baseUrl}/v2/health/ready`);
    const jsonUrl = `${baseUrl}/v2/models/${MODEL_NAME}/infer`;
    await checkGolden(contestant.name, jsonUrl, workload, await goldenOf(workload));
    const grpcUrl = `http://127.0.0.1:${grpcPort}/inference.GRPCInferenceService/ModelInfer`;
    return { contestant, server, baseUrl, jsonUrl, grpcUrl, readyMs };
  } catch (error) {
    await server.stop();
    throw error;
  }
};

export const measure = async (
  { contestant, server, jsonUrl, grpcUrl }: Running,
  workload: Workload,
  protocol: Protocol,
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Promise<Measurement> => {
  const before = server.cpuMs;
  const result =
    protocol === 'json'
      ? await loadJson({ url: jsonUrl, clients, seconds }, workload.jsonFile)
      : await loadGrpc({ url: grpcUrl, clients, seconds }, workload.grpcFile);
  return {
    ...result,
    ...{ contestant: contestant.name, workload: workload.name, protocol, clients },
    ...{ cpuMs: server.cpuMs - before, peakMib: server.peakMib },
  };
};

const measureAll = async (
  running: Running,
  workload: Workload,
  load: { readonly clients: number; readonly seconds: number },
): Promise<readonly Measurement[]> => {
  const json = await measure(running, workload, 'json', load);
  if (!running.contestant.hasGrpc) return [json];
  return [json, await measure(running, workload, 'grpc', load)];
};

/** Turns, so that no server has the quiet minutes of the machine to itself. */
const turned = <T>(list: readonly T[], by: number): readonly T[] => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];

export const runRounds = async (
  workload: Workload,
  options: Rounds,
): Promise<readonly Measurement[]> => {
  const { contestants, clients, seconds, rounds, note } = options;
  const running: Running[] = [];
  const measured: Measurement[] = [];
  try {
    for (const contestant of contestants) running.push(await start(contestant, workload, options));
    note(`${workload.name}: all answer right; warming up`);
    for (const each of running) await measure(each, workload, 'json', { clients: 16, seconds: 1 });
    const turns = Array.from({ length: rounds }, (_, round) =>
      clients.map((count) => ({ round, count })),
    ).flat();
    for (const { round, count } of turns) {
      for (const each of turned(running, round)) {
        measured.push(...(await measureAll(each, workload, { clients: count, seconds })));
      }
      note(`${workload.name}: round ${round + 1}, ${count} clients`);
    }
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()));
  }
  return measured;
};
