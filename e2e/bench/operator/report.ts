import { goalsOf, meanOf, type Goal } from './goals.ts';
import { PHASES, type PhaseName, type PhaseResult, type RoundResult } from './rounds.ts';

/** The figures of all rounds as text, by number of objects. */
export const roundsReport = (rounds: readonly RoundResult[]): readonly string[] =>
  bySize(rounds).flatMap(([objects, some]) => [
    '',
    `${objects} objects, ${some.length / 2} round(s) each   ours / go (ratio)`,
    ...table([HEADINGS, ...PHASES.map((phase) => rowOf(some, phase, objects))]),
    ...idleLines(some),
  ]);

const bySize = (
  rounds: readonly RoundResult[],
): readonly (readonly [number, readonly RoundResult[]])[] => [
  ...Map.groupBy(rounds, ({ objects }) => objects),
];

export const allGoals = (rounds: readonly RoundResult[]): readonly Goal[] => {
  const largest = Math.max(...rounds.map(({ objects }) => objects));
  return bySize(rounds).flatMap(([objects, some]) => goalsOf(some, objects === largest));
};

export const goalLines = (goals: readonly Goal[]): readonly string[] =>
  table(goals.map(({ text, measured, met }) => [met ? 'ok' : 'MISSED', text, measured]));

const HEADINGS = [
  'phase',
  'seconds',
  'objects/s',
  'p50 ms',
  'p99 ms',
  'requests/object',
  'CPU ms/object',
  'peak MiB',
];

const rowOf = (
  rounds: readonly RoundResult[],
  phase: PhaseName,
  objects: number,
): readonly string[] => {
  const ours = meanOf(rounds, 'ours', phase);
  const go = meanOf(rounds, 'go', phase);
  const pair = (value: (result: PhaseResult) => number, digits: number): string =>
    `${value(ours).toFixed(digits)} / ${value(go).toFixed(digits)} (${(value(ours) / value(go)).toFixed(2)})`;
  return [
    phase,
    pair(({ seconds }) => seconds, 1),
    pair(({ seconds, left }) => (objects - left) / seconds, 0),
    pair(({ p50 }) => p50, 0),
    pair(({ p99 }) => p99, 0),
    pair(({ requests }) => requests / objects, 2),
    pair(({ cpuMs }) => cpuMs / objects, 2),
    pair(({ peakMib }) => peakMib, 0),
  ];
};

const idleLines = (rounds: readonly RoundResult[]): readonly string[] =>
  rounds.flatMap(({ contestant, idle }) =>
    idle === undefined
      ? []
      : [
          `idle ${idle.seconds} s, ${contestant}: ${idle.cpuPercent.toFixed(2)} % CPU, ${idle.writes} writes, ` +
            `${idle.requests} requests, ${idle.residentMib.toFixed(0)} MiB resident`,
        ],
  );

/** Columns as wide as their widest cell. */
export const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const width = (column: number): number =>
    Math.max(...rows.map((row) => (row[column] ?? '').length));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join('  ')
      .trimEnd(),
  );
};
