/** Judges a metric that something else measured, by its measurements so far. Pure. */
import type { Measurement, Reading } from '../../../probing/measurement.ts';
import type { Metric, Verdict } from './verdict.ts';
import { isWithin, plain, wanted } from './threshold.ts';

/** What was found out since the candidate has its share of the requests. */
export type Measured = {
  /** The oldest first. */
  readonly measurements: readonly Measurement[];
  /** What is under way. */
  readonly pending?: string | undefined;
};

type Grade = 'good' | 'bad' | 'no-data' | 'error';
type Graded = { readonly grade: Grade; readonly words: string };

/**
 * One bad measurement more than failureLimit fails the metric, and one error in a row more than
 * consecutiveErrorLimit, where that is stated; consecutiveSuccessLimit good ones at the end pass it.
 * All else is inconclusive: without an answer nothing is promoted, and nothing is held against the
 * candidate.
 */
export const judgeMeasured = (metric: Metric, measured: Measured | undefined): Verdict => {
  const graded = (measured?.measurements ?? []).map(({ reading }) => grade(metric, reading));
  const failure = failureOf(metric, graded);
  if (failure !== undefined) return { is: 'fail', words: failure };
  const { consecutiveSuccessLimit: needed = 1 } = metric;
  const good = streak(graded, 'good');
  const last = graded.at(-1);
  const said = last === undefined ? `${metric.name}: not measured yet` : last.words;
  if (good >= needed) return { is: 'pass', words: said };
  const count = good === 0 ? '' : `, ${good} of ${needed} good measurements in a row`;
  const pending = measured?.pending === undefined ? '' : ` (${measured.pending})`;
  return { is: 'inconclusive', words: `${said}${count}${pending}` };
};

const failureOf = (metric: Metric, graded: readonly Graded[]): string | undefined => {
  const { failureLimit = 0, consecutiveErrorLimit = Infinity } = metric;
  const bad = graded.filter((each) => each.grade === 'bad');
  const worst = bad.at(-1);
  if (worst !== undefined && bad.length > failureLimit) {
    const forgiven = failureLimit === 0 ? 'none is' : `${failureLimit} are`;
    return `${worst.words}; ${bad.length} of ${graded.length} measurement(s) bad, ${forgiven} forgiven`;
  }
  const errors = streak(graded, 'error');
  const last = graded.at(-1);
  if (last === undefined || errors <= consecutiveErrorLimit) return undefined;
  return `${last.words}; ${errors} time(s) in a row, consecutiveErrorLimit is ${consecutiveErrorLimit}`;
};

/** How many at the end are of this grade. */
const streak = (graded: readonly Graded[], wantedGrade: Grade): number =>
  graded.length - 1 - graded.findLastIndex((each) => each.grade !== wantedGrade);

const grade = ({ name, thresholdRange }: Metric, reading: Reading): Graded => {
  if (reading.is === 'no-data') return { grade: 'no-data', words: `${name}: ${reading.words}` };
  if (reading.is === 'error') return { grade: 'error', words: `${name}: ${reading.words}` };
  const { value, words: more } = reading;
  const beside = more === undefined ? '' : `: ${more}`;
  if (typeof value === 'boolean') {
    return thresholdRange === undefined
      ? { grade: value ? 'good' : 'bad', words: `${name} is ${value}${beside}` }
      : { grade: 'error', words: `${name} is ${value}, which no thresholdRange fits; remove it` };
  }
  if (thresholdRange === undefined) {
    return {
      grade: 'error',
      words: `${name} is ${plain(value)}; state thresholdRange to judge it`,
    };
  }
  return {
    grade: isWithin(value, thresholdRange) ? 'good' : 'bad',
    words: `${name} is ${plain(value)}${beside}, ${wanted(thresholdRange, plain)}`,
  };
};
