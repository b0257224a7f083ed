import { expect, test } from '@jest/globals';
import { compareAnswer } from './compare-answer.ts';
import type { Truth } from './labels.ts';

const record = (...outputs: readonly object[]) => JSON.stringify({ type: 'prediction', outputs });
const label = { name: 'label', datatype: 'INT64', shape: [3], data: [0, 2, 1] };
const scores = { name: 'probabilities', shape: [2, 3], data: [0.1, 0.7, 0.2, 'NaN', 0.2, 0.8] };
const compare = (text: string, truths: readonly Truth[], output?: string) => {
  const { output: of, tally } = compareAnswer(text, { output, truths });
  const { answers, wrong, distances, incomparable } = tally;
  return [of, answers, wrong, distances.count, distances.mean, incomparable];
};

type Case = {
  readonly compares: string;
  readonly with: object;
  readonly truths: readonly Truth[];
  readonly named?: string;
  /** Output, answers, wrong ones, distances, their mean, incomparable labels. */
  readonly is: readonly unknown[];
};
const y = (value: unknown) => ({ name: 'y', shape: [1], data: [value] });

test.each<Case>([
  {
    compares: 'the first output, unless one is named',
    with: label,
    truths: [0, 2, 2],
    is: ['label', 3, 1, 3, 1 / 3, 0],
  },
  {
    compares: 'a class that is a text, or true, elsewhere',
    with: label,
    truths: ['0', '2', true],
    named: 'label',
    is: ['label', 3, 0, 0, 0, 0],
  },
  {
    compares: 'the class of the largest score of a row',
    with: scores,
    truths: [1, 0],
    named: 'probabilities',
    is: ['probabilities', 2, 1, 2, 1, 0],
  },
  { compares: 'texts with texts', with: y('cat'), truths: ['dog'], is: ['y', 1, 1, 0, 0, 0] },
  {
    compares: 'NaN with nothing: it is wrong, and has no distance',
    with: y('NaN'),
    truths: [1],
    is: ['y', 1, 1, 0, 0, 0],
  },
  {
    compares: 'no distance that cannot be squared',
    with: y(1e200),
    truths: [1],
    is: ['y', 1, 1, 0, 0, 0],
  },
  {
    compares: 'nothing where the number of values differs',
    with: label,
    truths: [1],
    is: ['label', 0, 0, 0, 0, 1],
  },
  {
    compares: 'nothing where there is no such output',
    with: label,
    truths: [1],
    named: 'other',
    is: ['other', 0, 0, 0, 0, 1],
  },
])('compares $compares', ({ with: output, truths, named, is }) => {
  expect(compare(record(output), truths, named)).toEqual(is);
});

test.each(['{}', '{"outputs":null}', '{"outputs":[null,3,{"name":"y"}]}'])(
  'has nothing to compare in %s',
  (text) => {
    expect(compare(text, [1])).toEqual(['', 0, 0, 0, 0, 1]);
  },
);
