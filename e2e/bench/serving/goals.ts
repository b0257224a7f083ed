/** What this runtime promises, and whether it held. */
import { PLACES } from './contestants.ts';
import type { Measurement, Protocol } from './rounds.ts';
import type { Scenarios } from './scenarios.ts';

export type Goal = { readonly text: string; readonly measured: string; readonly met: boolean };

export type Cell = {
  readonly workload: string;
  readonly protocol: Protocol;
  readonly clients: number;
};

export type Figures = {
  readonly requestsPerSecond: number;
  readonly cpuMicros: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly peakMib: number;
};

/** The mean over the rounds; undefined for what was not measured. */
export const figuresOf = (
  all: readonly Measurement[],
  contestant: string,
  { workload, protocol, clients }: Cell,
): Figures | undefined => {
  const cells = all.filter(
    (each) =>
      each.contestant === contestant &&
      each.workload === workload &&
      each.protocol === protocol &&
      each.clients === clients,
  );
  if (cells.length === 0) return undefined;
  const sum = (of: (cell: Measurement) => number) =>
    cells.reduce((total, cell) => total + of(cell), 0);
  const mean = (of: (cell: Measurement) => number) => sum(of) / cells.length;
  const requests = sum((cell) => cell.requests);
  return {
    requestsPerSecond: requests / sum((cell) => cell.seconds),
    cpuMicros: (sum((cell) => cell.cpuMs) * 1000) / requests,
    p50: mean((cell) => cell.p50),
    p99: mean((cell) => cell.p99),
    errors: sum((cell) => cell.errors),
    peakMib: Math.max(...cells.map((cell) => cell.peakMib)),
  };
};

const atLeast = (text: string, measured: number, goal: number): Goal => ({
  text: `${text}: at least ${goal}`,
  ...{ measured: measured.toFixed(2), met: measured >= goal },
});

const atMost = (text: string, measured: number, goal: number): Goal => ({
  text: `${text}: at most ${goal}`,
  ...{ measured: measured.toFixed(2), met: measured <= goal },
});

const PEERS = ['go', 'mlserver', 'kserve', 'triton'] as const;

export const goalsOf = (
  all: readonly Measurement[],
  workloads: readonly string[],
  clients: readonly number[],
): readonly Goal[] => {
  const get = (contestant: string, cell: Cell): Figures => {
    const figures = figuresOf(all, contestant, cell);
    if (figures === undefined)
      throw new Error(`${contestant} was not measured on ${cell.workload}`);
    return figures;
  };
  const iris = (protocol: Protocol, count: number): Cell => ({
    workload: 'iris',
    protocol,
    clients: count,
  });
  const busy = clients.filter((count) => count > 1);
  const cost = (mine: string, other: string, cell: Cell) =>
    get(mine, cell).cpuMicros / get(other, cell).cpuMicros;
  const pace = (other: string, cell: Cell) =>
    get('ours', cell).requestsPerSecond / get(other, cell).requestsPerSecond;
  const perCount = (count: number): readonly Goal[] => {
    const [json, grpc] = [iris('json', count), iris('grpc', count)];
    const at = `iris, ${count} clients`;
    return [
      atLeast(`${at}: MLServer's CPU per request`, 1 / cost('ours', 'mlserver', json), 8),
      atLeast(`${at}: KServe's CPU per request`, 1 / cost('ours', 'kserve', json), 8),
      atLeast(`${at}: Triton's CPU per request`, 1 / cost('ours', 'triton', json), 2.5),
      atMost(`${at}: CPU per request beside the bare loop`, cost('ours', 'bare', json), 1.6),
      atMost(`${at}: the same, every request logged`, cost('ours-logged', 'bare', json), 2.2),
      atLeast(`${at}: requests per second beside MLServer`, pace('mlserver', json), 5),
      atLeast(`${at}: beside KServe`, pace('kserve', json), 5),
      atLeast(`${at}: beside Triton`, pace('triton', json), 2),
      atLeast(`${at}: gRPC calls per second beside Triton`, pace('triton', grpc), 1),
      atMost(`${at}: gRPC CPU per call beside Triton`, cost('ours', 'triton', grpc), 0.6),
    ];
  };
  const most = Math.max(...clients);
  const image = { workload: 'cnn10m', protocol: 'json' as const };
  const cells = workloads.flatMap((workload) =>
    clients.map((count) => ({ workload, protocol: 'json' as const, clients: count })),
  );
  return [
    ...busy.flatMap(perCount),
    ...(workloads.includes('cnn10m')
      ? busy.map((count) =>
          atLeast(
            `21 KB of JSON, ${count} clients: requests per second beside Go`,
            pace('go', { ...image, clients: count }),
            2,
          ),
        )
      : []),
    ...PEERS.map((peer) =>
      atLeast(
        `geometric mean of requests per second beside ${peer}`,
        Math.exp(cells.reduce((sum, cell) => sum + Math.log(pace(peer, cell)), 0) / cells.length),
        1,
      ),
    ),
    atMost(
      'batches: median of one client beside none',
      get('ours', iris('json', 1)).p50 / get('ours-single', iris('json', 1)).p50,
      1.15,
    ),
    atLeast(
      `batches: rows per second of ${most} clients beside none`,
      get('ours', iris('json', most)).requestsPerSecond /
        get('ours-single', iris('json', most)).requestsPerSecond,
      3,
    ),
    atMost(
      'requests that failed, of all servers',
      all.reduce((sum, { errors }) => sum + errors, 0),
      0,
    ),
  ];
};

export const scenarioGoals = ({
  heavy,
  openLoop,
  closedLoop,
  atRest,
  overload,
}: Scenarios): readonly Goal[] => {
  const { connections } = openLoop;
  const cpuPerRow = (heavy.cpuMs * 1000) / heavy.requests;
  return [
    atMost('10 MFLOP, 64 clients: p99 beside p50', heavy.p99 / heavy.p50, 4),
    atMost('10 MFLOP, 64 clients: p99 of health, ms', heavy.healthP99, 10),
    atMost(
      '10 MFLOP, 64 clients: CPU per row beside one run in-process',
      cpuPerRow / heavy.inProcessMicros,
      1.5,
    ),
    atMost(`${connections} connections, 2000/s: errors`, openLoop.errors + openLoop.refused, 0),
    atMost(`${connections} connections, 2000/s: p99, ms`, openLoop.p99, 100),
    atMost(
      `${connections} connections, 2000/s: slowest beside p99`,
      openLoop.slowest / openLoop.p99,
      3,
    ),
    atMost(`${connections} connections, 2000/s: memory, MiB`, openLoop.peakMib, 500),
    atMost(
      `${connections} clients: slowest beside the median`,
      closedLoop.slowest / closedLoop.p50,
      3,
    ),
    atMost(`${connections} clients: errors`, closedLoop.errors, 0),
    atMost(
      '10 times the capacity: p99 of the admitted beside what all places take',
      overload.p99 / ((PLACES / overload.capacity) * 1000),
      2,
    ),
    atLeast(
      '10 times the capacity: answers per second beside the capacity',
      (overload.answered / (overload.answered + overload.refused)) * 10,
      0.7,
    ),
    atMost('10 times the capacity: p99 of health, ms', overload.healthP99, 100),
    atMost('10 times the capacity: neither answered nor told to come later', overload.errors, 0),
    atMost('at rest: memory, MiB', atRest.residentMib, 150),
    atMost('start to ready with a small model, ms', atRest.readyMs, 1500),
  ];
};
