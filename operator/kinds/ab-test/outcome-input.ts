import { createHash } from 'node:crypto';
import { OUTCOME_RETENTION_MS } from './outcome-store.ts';
import type { Outcome } from './outcome-store.ts';

export type Refused = { readonly index: number; readonly reason: string };

export type ReadOutcomes = {
  readonly outcomes: readonly Outcome[];
  readonly refused: readonly Refused[];
};

export type Expected = {
  /** Names under which outcomes are taken. */
  readonly metrics: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** Clocks differ; who is further ahead has a wrong one. */
const MAX_AHEAD_MS = 5 * 60_000;
const MAX_TEXT = 512;
/** Far beyond any money or count, and far from where sums of squares overflow. */
const MAX_VALUE = 1e15;
/** What is nearer to 0 is 0: its share in a mean would be too small for PostgreSQL, which refuses it. */
const MIN_VALUE = 1e-100;
/** RFC 3339, section 5.6. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** Thrown and caught in this file: why one outcome is not taken. */
class Fault extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** Each by itself: one that is wrong is named by its index, and the others are taken. */
export const readOutcomes = (sent: readonly unknown[], expected: Expected): ReadOutcomes => {
  const outcomes: Outcome[] = [];
  const refused: Refused[] = [];
  sent.forEach((each, index) => {
    try {
      outcomes.push(readOutcome(each, expected));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refused.push({ index, reason: error.message });
    }
  });
  return { outcomes, refused };
};

const FIELDS = ['id', 'unit', 'predictionId', 'metric', 'value', 'at'];

const readOutcome = (sent: unknown, { metrics, now }: Expected): Outcome => {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    throw new Fault('is not an object with unit, metric and value');
  }
  const fields = sent as Fields;
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    throw new Fault(`has the unknown field ${short(unknown)}; there are ${FIELDS.join(', ')}`);
  }
  const metric = metricOf(fields, metrics);
  const [value, of] = [valueOf(fields), subjectOf(fields)];
  const id = textOf(fields, 'id');
  const at = timeOf(fields, now);
  if (id === undefined && at === undefined) {
    throw new Fault('has neither id nor at, so that sent again it would count twice: give one');
  }
  const time = new Date(at ?? now).toISOString();
  return { key: keyOf(id, { of, metric, value, time }), of, metric, value, at: time };
};

/**
 * What is counted once. An id belongs to a metric, so that an order's id can stand for the order and its
 * revenue; without one, two outcomes that agree in everything are the same.
 */
const keyOf = (
  id: string | undefined,
  { of, metric, value, time }: Pick<Outcome, 'of' | 'metric' | 'value'> & { readonly time: string },
): string => {
  const identity = id === undefined ? ['derived', of, metric, time, value] : ['id', metric, id];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
};

const metricOf = (fields: Fields, metrics: ReadonlySet<string>): string => {
  const metric = textOf(fields, 'metric');
  if (metric !== undefined && metrics.has(metric)) return metric;
  const known = metrics.size === 0 ? 'none' : [...metrics].join(', ');
  const what = metric === undefined ? 'has no metric' : `has the metric ${short(metric)}`;
  throw new Fault(`${what}; this test takes ${known}`);
};

const valueOf = ({ value }: Fields): number => {
  // JSON.parse makes Infinity of 1e999.
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new Fault('value is not a finite number');
  }
  if (Math.abs(value) > MAX_VALUE) throw new Fault(`value is beyond ±${MAX_VALUE}`);
  return Math.abs(value) < MIN_VALUE ? 0 : value;
};

const subjectOf = (fields: Fields): Outcome['of'] => {
  const unit = textOf(fields, 'unit');
  const predictionId = textOf(fields, 'predictionId');
  if (unit !== undefined && predictionId === undefined) return { unit };
  if (predictionId !== undefined && unit === undefined) return { predictionId };
  throw new Fault('needs exactly one of unit and predictionId');
};

const textOf = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const stored = typeof value === 'string' && value.isWellFormed() && !value.includes('\0');
  if (stored && value !== '' && value.length <= MAX_TEXT) return value;
  throw new Fault(`${name} is not a text of 1 to ${MAX_TEXT} characters, without NUL`);
};

const timeOf = (fields: Fields, now: number): number | undefined => {
  const text = textOf(fields, 'at');
  if (text === undefined) return undefined;
  const at = RFC_3339.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) {
    throw new Fault('at is not a time as RFC 3339 has it, such as 2026-02-01T12:00:00Z');
  }
  if (at > now + MAX_AHEAD_MS) {
    throw new Fault(
      'at is more than 5 minutes ahead of the clock here: set the clock of the sender',
    );
  }
  if (at < now - OUTCOME_RETENTION_MS) {
    throw new Fault('at is more than 30 days ago; outcomes may be late, but not by so much');
  }
  return at;
};

const short = (text: string): string =>
  JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 60)}…`);
