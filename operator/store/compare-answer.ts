/** How far a logged answer is from the truth. Pure. */
import { mergeMoments, momentsOf } from '../statistics/moments.ts';
import { noErrors, type ErrorTally, type NewLabel, type Truth } from './labels.ts';

type Tensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
};

export type Compared = {
  /** Name of the output that was compared; that of the label where there is none. */
  readonly output: string;
  readonly tally: ErrorTally;
};

/** PostgreSQL refuses squares that are beyond a number of 64 bits, or nearer to 0 than one can be. */
const MAX_DISTANCE = 1e100;
const orZero = (distance: number): number => (distance < 1 / MAX_DISTANCE ? 0 : distance);

/**
 * One value of the output for each truth; where truths are as many as rows, the class with the largest
 * score of each row, from 0. `record`: JSON text as a pod sent it, which may be anything.
 */
export const compareAnswer = (
  record: string,
  { output, truths }: Pick<NewLabel, 'output' | 'truths'>,
): Compared => {
  const tensor = outputsOf(record).find(({ name }) => output === undefined || name === output);
  const answers = tensor && answersOf(tensor, truths.length);
  if (tensor === undefined || answers === undefined) {
    return { output: output ?? tensor?.name ?? '', tally: { ...noErrors, incomparable: 1 } };
  }
  const pairs = answers.map((answer, i) => [answer, truths[i] as Truth] as const);
  const distances = pairs.flatMap(([answer, truth]) =>
    typeof answer === 'number' && typeof truth === 'number' ? [Math.abs(answer - truth)] : [],
  );
  return {
    output: tensor.name,
    tally: {
      answers: pairs.length,
      wrong: pairs.filter(([answer, truth]) => !isSame(answer, truth)).length,
      distances: momentsOf(distances.filter((each) => each <= MAX_DISTANCE).map(orZero)),
      incomparable: 0,
    },
  };
};

export const addTallies = (a: ErrorTally, b: ErrorTally): ErrorTally => ({
  answers: a.answers + b.answers,
  wrong: a.wrong + b.wrong,
  distances: mergeMoments(a.distances, b.distances),
  incomparable: a.incomparable + b.incomparable,
});

const outputsOf = (record: string): readonly Tensor[] => {
  const { outputs } = JSON.parse(record) as { readonly outputs?: unknown };
  return Array.isArray(outputs) ? outputs.filter(isTensor) : [];
};

const isTensor = (value: unknown): value is Tensor => {
  if (typeof value !== 'object' || value === null) return false;
  const { name, shape, data } = value as Partial<Record<keyof Tensor, unknown>>;
  return typeof name === 'string' && Array.isArray(shape) && Array.isArray(data);
};

const answersOf = ({ shape, data }: Tensor, wanted: number): readonly unknown[] | undefined => {
  if (data.length === wanted) return data;
  const [rows, width] = [Number(shape[0]), data.length / Number(shape[0])];
  const isScores = shape.length === 2 && rows === wanted && Number.isInteger(width) && width > 0;
  if (!isScores) return undefined;
  return Array.from({ length: rows }, (_, row) =>
    largest(data.slice(row * width, (row + 1) * width)),
  );
};

/** Undefined where none is a number, as where all are NaN: that is wrong whatever the truth is. */
const largest = (scores: readonly unknown[]): number | undefined => {
  let best: number | undefined;
  scores.forEach((score, i) => {
    if (typeof score !== 'number') return;
    if (best === undefined || score > Number(scores[best])) best = i;
  });
  return best;
};

/** A class may be 3, "3" or true in one place and another of these in the other. */
const isSame = (answer: unknown, truth: Truth): boolean =>
  String(answer) === String(truth) || textOf(answer) === textOf(truth);

const textOf = (value: unknown): string =>
  String(typeof value === 'boolean' ? Number(value) : value);
