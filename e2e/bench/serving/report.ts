import type { Cell, Goal } from './goals.ts';
import { figuresOf } from './goals.ts';
import type { Measurement } from './rounds.ts';

/** A table for each workload and protocol; `x` columns are multiples of ours. */
export const report = (
  all: readonly Measurement[],
  contestants: readonly string[],
  clients: readonly number[],
): readonly string[] => {
  const tables = [...new Set(all.map(({ workload, protocol }) => `${workload} ${protocol}`))];
  return tables.flatMap((table) => {
    const [workload = '', protocol] = table.split(' ') as [string, Cell['protocol']];
    const lines = clients.flatMap((count) =>
      contestants.flatMap((contestant) =>
        lineOf(all, contestant, { workload, protocol, clients: count }),
      ),
    );
    const head = row('', 'clients', [
      'req/s',
      'x',
      'CPU µs',
      'x',
      'p50 ms',
      'p99 ms',
      'MiB',
      'errors',
    ]);
    return ['', `${workload}, ${protocol}`, head, ...lines];
  });
};

const lineOf = (all: readonly Measurement[], contestant: string, cell: Cell): readonly string[] => {
  const figures = figuresOf(all, contestant, cell);
  const ours = figuresOf(all, 'ours', cell);
  if (figures === undefined || ours === undefined) return [];
  const { requestsPerSecond, cpuMicros, p50, p99, peakMib, errors } = figures;
  return [
    row(contestant, String(cell.clients), [
      requestsPerSecond.toFixed(0),
      (requestsPerSecond / ours.requestsPerSecond).toFixed(2),
      cpuMicros.toFixed(0),
      (cpuMicros / ours.cpuMicros).toFixed(2),
      p50.toFixed(2),
      p99.toFixed(2),
      peakMib.toFixed(0),
      String(errors),
    ]),
  ];
};

const row = (name: string, clients: string, figures: readonly string[]): string =>
  name.padEnd(12) + clients.padStart(8) + figures.map((figure) => figure.padStart(9)).join('');

export const goalLines = (goals: readonly Goal[]): readonly string[] =>
  goals.map(
    ({ text, measured, met }) => `${met ? 'met   ' : 'MISSED'} ${measured.padStart(8)}  ${text}`,
  );
