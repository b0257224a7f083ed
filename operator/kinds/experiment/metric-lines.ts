import type { Metric } from './run-store.ts';

/** How far a trial's log was read. */
export type LogCursor = {
  /** The timestamp of the last line that was read, as the kubelet writes it; '' before the first. */
  readonly time: string;
  /** How many lines with that timestamp were read. */
  readonly lines: number;
  /** The step of the next value of each metric that names none. */
  readonly steps: Readonly<Record<string, number>>;
};

export const LOG_START: LogCursor = { time: '', lines: 0, steps: {} };

export type LogReading = { readonly metrics: readonly Metric[]; readonly cursor: LogCursor };

/** Lines longer than this are no metrics; searching them would take its time. */
const LONGEST_LINE = 4096;
/** `name=value`, as Katib's StdOut collector reads it; spaces around = are fine. */
const PAIR =
  /(?<![^\s,;[{(|])([A-Za-z0-9_./:-]{1,250})\s{0,8}[=]\s{0,8}([-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,5})?|[-+]?(?:nan|inf|infinity))(?![\w.])/gi;
const STEP_NAMES = ['step', 'epoch'];

/**
 * The values of the named metrics in a piece of a pod's log, whose lines begin with timestamps.
 * Lines up to the cursor were read before and are skipped; a last line without an end is left for
 * the next time. A line's `step=` or `epoch=` is the step of its values; else values are numbered,
 * so that reading the same lines again gives the same points.
 */
export const readMetricLines = (
  text: string,
  names: readonly string[],
  from: LogCursor,
  atEnd = false,
): LogReading => {
  const metrics: Metric[] = [];
  const steps: Record<string, number> = { ...from.steps };
  let { time, lines } = from;
  let seen = 0;
  for (const { stamp, words } of stampedLines(text, atEnd)) {
    if (stamp < from.time) continue;
    if (stamp === from.time && seen < from.lines) {
      seen += 1;
      continue;
    }
    lines = stamp === time ? lines + 1 : 1;
    time = stamp;
    metrics.push(...metricsOf(words, names, Date.parse(stamp), steps));
  }
  return { metrics, cursor: { time, lines, steps } };
};

type StampedLine = { readonly stamp: string; readonly words: string };

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;

const stampedLines = (text: string, atEnd: boolean): readonly StampedLine[] => {
  const all = text.split('\n');
  const last = all.pop() ?? '';
  if (atEnd && last !== '') all.push(last);
  return all.flatMap((line) => {
    const found = STAMPED.exec(line.slice(0, 64));
    // RFC3339Nano drops trailing zeros, which would not sort as text.
    return found === null
      ? []
      : [{ stamp: padded(found[1] ?? ''), words: line.slice(found[0].length) }];
  });
};

const padded = (stamp: string): string => {
  const [whole = '', fraction = ''] = stamp.replace('Z', '').split('.');
  return `${whole}.${fraction.padEnd(9, '0').slice(0, 9)}Z`;
};

const metricsOf = (
  words: string,
  names: readonly string[],
  timestamp: number,
  steps: Record<string, number>,
): readonly Metric[] => {
  if (words.length > LONGEST_LINE || !words.includes('=')) return [];
  const pairs = [...words.matchAll(PAIR)].map(([, name = '', value = '']) => ({ name, value }));
  const named = pairs.find(({ name }) => STEP_NAMES.includes(name.toLowerCase()));
  const step = named === undefined ? Number.NaN : Number(named.value);
  return pairs
    .filter(({ name }) => names.includes(name))
    .map(({ name, value }) => {
      const own = steps[name] ?? 0;
      const at = Number.isSafeInteger(step) ? step : own;
      steps[name] = Math.max(own, at) + 1;
      return { key: name, value: numberOf(value), step: at, timestamp };
    });
};

const numberOf = (text: string): number => {
  const word = text.toLowerCase().replace(/^[-+]/, '');
  if (word === 'nan') return Number.NaN;
  const sign = text.startsWith('-') ? -1 : 1;
  return word.startsWith('inf') ? sign * Number.POSITIVE_INFINITY : Number(text);
};
