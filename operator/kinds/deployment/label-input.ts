import type { NewLabel, Truth } from '../../store/labels.ts';

export type Refused = { readonly index: number; readonly reason: string };

export type ReadLabels = {
  readonly labels: readonly NewLabel[];
  /** Position of each label among what was sent. */
  readonly indexes: readonly number[];
  readonly refused: readonly Refused[];
};

const MAX_TEXT = 512;
/** Of one label: far more than a request has rows of. */
export const MAX_TRUTHS = 10_000;
/** Far from where sums of squares overflow. */
const MAX_VALUE = 1e15;
const FIELDS = ['predictionId', 'output', 'truth'];

/** Thrown and caught in this file: why one label is not taken. */
class Fault extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** Each by itself: one that is wrong is named by its index, and the others are taken. */
export const readLabels = (sent: readonly unknown[]): ReadLabels => {
  const labels: NewLabel[] = [];
  const indexes: number[] = [];
  const refused: Refused[] = [];
  sent.forEach((each, index) => {
    try {
      labels.push(readLabel(each));
      indexes.push(index);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refused.push({ index, reason: error.message });
    }
  });
  return { labels, indexes, refused };
};

const readLabel = (sent: unknown): NewLabel => {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    throw new Fault('is not an object with predictionId and truth');
  }
  const fields = sent as Fields;
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    const name = JSON.stringify(unknown.slice(0, 60));
    throw new Fault(`has the unknown field ${name}; there are ${FIELDS.join(', ')}`);
  }
  const predictionId = textOf(fields, 'predictionId');
  if (predictionId === undefined) {
    throw new Fault('has no predictionId: give the x-request-id of the answer');
  }
  return { predictionId, output: textOf(fields, 'output'), truths: truthsOf(fields) };
};

const truthsOf = ({ truth }: Fields): readonly Truth[] => {
  const truths: readonly unknown[] = Array.isArray(truth) ? truth : [truth];
  if (truths.length === 0 || truths.length > MAX_TRUTHS) {
    throw new Fault(`truth has ${truths.length} values; give 1 to ${MAX_TRUTHS}`);
  }
  if (truths.every(isTruth)) return truths;
  throw new Fault(
    `truth is not a finite number from -1e15 to 1e15, a text of up to ${MAX_TEXT} characters, true or false, or a list of these`,
  );
};

const isTruth = (value: unknown): value is Truth =>
  typeof value === 'boolean' ||
  // JSON.parse makes Infinity of 1e999.
  (typeof value === 'number' && Math.abs(value) <= MAX_VALUE) ||
  (typeof value === 'string' && isStorable(value));

const isStorable = (text: string): boolean =>
  text.length <= MAX_TEXT && text.isWellFormed() && !text.includes('\0');

const textOf = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value !== '' && isStorable(value)) return value;
  throw new Fault(`${name} is not a text of 1 to ${MAX_TEXT} characters, without NUL`);
};
