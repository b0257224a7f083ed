import { table } from '../operator/report.ts';
import type { SearchResult } from './measure.ts';

/** The figures as text: ours, by hand, and how many times one the other is. */
export const searchReport = (results: readonly SearchResult[]): readonly string[] =>
  results.flatMap((result) => ['', title(result), ...table(rowsOf(result))]);

const title = ({ algorithm, trials, parallel }: SearchResult): string =>
  `${algorithm}: ${trials} trials, ${parallel} at once   ours / by hand (ratio)`;

const rowsOf = ({ trials, ours, byHand }: SearchResult): readonly (readonly string[])[] => {
  const per = (value: number, digits = 1): string => (value / trials).toFixed(digits);
  const beside = (of: number, other: number, digits = 0): string =>
    `${of.toFixed(digits)} / ${other.toFixed(digits)} (${(of / other).toFixed(2)})`;
  return [
    ['end to next Job, p50 ms', beside(ours.p50, byHand.p50)],
    ['end to next Job, p99 ms', beside(ours.p99, byHand.p99)],
    ['trials/s', beside(trials / ours.seconds, trials / byHand.seconds, 1)],
    ['Jobs created', `${ours.jobs} / ${byHand.jobs}`],
    ['operator, CPU ms/trial', per(ours.cpuMs)],
    ['operator, MiB at start, at most', `${ours.startMib.toFixed(0)}, ${ours.peakMib.toFixed(0)}`],
    ['Kubernetes requests/trial', per(ours.requests, 2)],
    ['SQL statements/trial', per(ours.statements.calls, 1)],
    ['SQL ms/trial', per(ours.statements.ms, 2)],
    ['status writes/s', (ours.statusWrites / ours.seconds).toFixed(2)],
    ['Experiment, bytes', String(ours.objectBytes)],
  ];
};
