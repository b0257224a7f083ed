import { describe, expect, test } from '@jest/globals';
import { MlflowError } from './mlflow-error.ts';
import { inOrder, parseFilter, parseOrder } from './run-filter.ts';
import type { Searchable } from './run-filter.ts';

const subject = (more: Partial<Searchable> = {}): Searchable => ({
  attributes: { status: 'FINISHED', start_time: 1000, run_name: 'a b' },
  metrics: { accuracy: 0.95, 'val/loss': 0.1, broken: NaN },
  params: { optimizer: 'adam', depth: '3' },
  tags: { 'mlflow.user': 'ada', note: "it's 100%" },
  ...more,
});

describe('a filter', () => {
  test.each([
    ['', true],
    ['metrics.accuracy > 0.9', true],
    ['metrics.accuracy >= 0.95 and metrics.accuracy <= 0.95', true],
    ['metrics.accuracy < .9', false],
    ['metrics.accuracy != 0.95', false],
    ['metrics.`val/loss` = 1e-1', true],
    ['metrics.broken = 0', false],
    ['params.optimizer = \'adam\' AND tags.mlflow.user = "ada"', true],
    ["params.optimizer != 'sgd'", true],
    ["params.missing != 'sgd'", false],
    ["parameters.depth = '3'", true],
    ["tags.note LIKE '%100\\%'", true],
    ["tags.note LIKE '100%'", false],
    ["tags.`mlflow.user` ILIKE 'A_A'", true],
    ["tags.`mlflow.user` LIKE 'A_A'", false],
    ["attributes.status = 'FINISHED'", true],
    ["status IN ('FAILED', 'FINISHED')", true],
    ["run_name NOT IN ('a b')", false],
    ["`run name` = 'a b'", true],
    ['start_time > 999', true],
    ["tags.note = 'it\\'s 100%'", true],
  ])('%s is %s', (filter, want) => {
    expect(parseFilter(filter)(subject())).toBe(want);
  });

  test.each([
    'metrics.accuracy >',
    'metrics.accuracy > 0.9 OR params.a = 1',
    'metrics.accuracy > 0.9 AND',
    'colour.x = 1',
    'metrics. = ',
    'metrics.',
    "status IN 'FAILED'",
    'status IN (1)',
    "status IN ('a' 'b')",
    "status NOT LIKE 'x'",
    "= 'x'",
    "a = 'unended",
    'a = b',
    '; DROP TABLE runs',
  ])('%s is refused', (filter) => {
    expect(() => parseFilter(filter)).toThrow('is no filter this API understands');
  });

  test('is not made slow by wildcards', () => {
    const hostile = parseFilter(`tags.note LIKE '${'%a'.repeat(100)}b'`);
    expect(hostile(subject({ tags: { note: 'a'.repeat(8000) } }))).toBe(false);
    expect(() => parseFilter(`tags.note LIKE '${'x'.repeat(257)}'`)(subject())).toThrow(
      'at most 256',
    );
  });
});

describe('an order', () => {
  const items = [3, undefined, 1, NaN, 2].map((value) =>
    subject({ metrics: value === undefined ? {} : { m: value } }),
  );
  const sorted = (...clauses: readonly string[]) =>
    inOrder(items, clauses.map(parseOrder), (each) => each).map(({ metrics }) => metrics['m']);

  test('puts what lacks a value last, either way', () => {
    expect(sorted('metrics.m ASC').slice(0, 3)).toEqual([1, 2, 3]);
    expect(sorted('metrics.m DESC').slice(0, 3)).toEqual([3, 2, 1]);
    expect(sorted('start_time', 'metrics.m').slice(0, 3)).toEqual([1, 2, 3]);
  });

  test('is refused when it is none', () => {
    expect(() => parseOrder('metrics.m UP')).toThrow();
    expect(() => parseOrder('metrics.m DESC please')).toThrow();
  });

  test.each(['constructor', '__proto__', 'toString'])('finds nothing named %s', (word) => {
    const run = { attributes: {}, metrics: {}, params: {}, tags: {} };
    expect(parseFilter(`params.${word} IS NOT NULL`)(run)).toBe(false);
    expect(parseFilter(`tags.${word} IS NULL`)(run)).toBe(true);
    expect(() => parseFilter(`${word}.x = 'y'`)).toThrow('no filter this API understands');
  });

  test.each(["metrics.a > '1'", "params.a > '1'", 'params.a = 1', "tags.a < 'x'", 'name = 5'])(
    'refuses an operator that does not go with the type: %s',
    (filter) => {
      expect(() => parseFilter(filter)).toThrow(MlflowError);
    },
  );

  test('asks for what a run read', () => {
    const run = {
      attributes: {},
      metrics: {},
      params: {},
      tags: {},
      datasets: { name: ['a', 'b'] },
    };
    expect(parseFilter("dataset.name = 'b'")(run)).toBe(true);
    expect(parseFilter("datasets.name = 'c'")(run)).toBe(false);
    expect(parseFilter('dataset.digest IS NULL')(run)).toBe(true);
  });
});
