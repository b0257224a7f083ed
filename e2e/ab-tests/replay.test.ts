import { describe, expect, test } from '@jest/globals';
import { RecordedMeasure } from './recorded-measure.ts';
import { readUnits } from './recorded-units.ts';
import { replay } from './replay.ts';
import { aSpec } from './testing/a-test.ts';

const HEAD = 'unit,variant,metric,value,at';
const read = (...lines: readonly string[]) =>
  readUnits([HEAD, ...lines].join('\n'), 'outcomes.csv', aSpec());

describe('recorded units', () => {
  test('are put in the order of their times, and may be there without an outcome', () => {
    const rows = read(
      'u2,control,conversion,1,2026-02-01T12:00:01Z',
      '',
      'u1,challenger,,,2026-02-01T13:00:00+01:00',
    );
    expect(rows.map(({ unit, metric, value }) => [unit, metric, value])).toEqual([
      ['u1', undefined, 0],
      ['u2', 'conversion', 1],
    ]);
  });

  test.each([
    ['u1,control', 'outcomes.csv:2: has 2 cells; there are unit, variant, metric, value, at'],
    [',control,,,2026-02-01T12:00:00Z', 'outcomes.csv:2: has no unit'],
    ['u,c,,,2026-02-01T12:00:00Z', 'has the variant c; this test has control, challenger'],
    ['u,control,,,yesterday', 'at is yesterday, not a time such as 2026-02-01T12:00:00Z'],
    ['u,control,x,1,2026-02-01T12:00:00Z', 'has the metric x; this test takes conversion'],
    ['u,control,conversion,much,2026-02-01T12:00:00Z', 'value is much, not a number'],
  ])('that cannot be read are named with their line: %s', (line, message) => {
    expect(() => read(line)).toThrow(message);
  });

  test('need a head, and one line', () => {
    expect(() => readUnits('a,b', 'x.csv', aSpec())).toThrow('x.csv:1: the first line must be');
    expect(() => readUnits(HEAD, 'x.csv', aSpec())).toThrow('x.csv has no units');
  });
});

describe('a measurement of recorded units', () => {
  const at = Date.UTC(2026, 1, 1);
  const measured = (type: 'proportion' | 'mean' | 'ratio' | 'quantile', metric = 'm') => {
    const measure = new RecordedMeasure(
      ['control', 'b'],
      [{ name: metric, type, numerator: 'm', denominator: 'n' }],
    );
    const take = (unit: string, variant: string, of: string | undefined, value: number) =>
      measure.take({ unit, variant, metric: of, value, at });
    take('u1', 'control', metric, 2);
    take('u1', 'control', metric, 4);
    take('u1', 'control', 'n', 3);
    take('u2', 'control', undefined, 0);
    take('u2', 'control', 'n', 1);
    take('u3', 'b', metric, 1);
    take('u4', 'b', metric, 9);
    take('u4', 'control', metric, 9);
    return measure.measure();
  };

  test('leaves out units that were seen in two variants', () => {
    expect(measured('mean')).toMatchObject({
      conflictingUnits: 1,
      variants: [
        { variant: 'control', units: 2 },
        { variant: 'b', units: 1 },
      ],
    });
  });

  test.each([
    ['proportion', 'm', { type: 'proportion', units: 2, successes: 1 }],
    ['mean', 'm', { type: 'mean', values: { count: 2, mean: 3, m2: 18 } }],
    ['ratio', 'm', { pairs: { first: { mean: 3, m2: 18 }, second: { mean: 2, m2: 2 }, cross: 6 } }],
    ['quantile', 'm', { type: 'quantile', bins: [{ count: 1 }] }],
    ['mean', 'request-duration', { values: { mean: 1.5, m2: 4.5 } }],
    ['proportion', 'request-error-rate', { pairs: { first: { mean: 3 }, second: { mean: 1 } } }],
  ] as const)('sums up per unit: %s of %s', (type, metric, expected) => {
    const control = measured(type, metric).metrics.find(({ variant }) => variant === 'control');
    expect(control?.aggregate).toMatchObject(expected);
  });
});

describe('a replay', () => {
  /** One unit a minute and variant, of which every `each`-th converts. */
  const recorded = (each: { readonly control: number; readonly challenger: number }) =>
    read(
      ...Array.from({ length: 2000 }, (_minute, minute) => {
        const at = new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString();
        return (['control', 'challenger'] as const).map(
          (variant) =>
            `${variant}-${minute},${variant},conversion,${minute % each[variant] === 0 ? 1 : 0},${at}`,
        );
      }).flat(),
    );

  test('tells when the controller would have decided what', () => {
    const lines = replay(aSpec(), recorded({ control: 10, challenger: 4 }), 100);
    expect(lines.at(-2)).toMatch(
      /^2026-02-01T\d\d:\d\d:.*\(day 0\.\d\d\): challenger: challenger is better than control\. Alias champion moves to 1\.1\.0\. Units: control \d+, /,
    );
    expect(lines.at(-1)).toMatch(
      /^Decided: challenger, and version 1\.1\.0 promoted; challenger is better than control\. \d+ later rows were not needed\.$/,
    );
  });

  test('tells what the test would still have waited for', () => {
    const lines = replay(aSpec(), recorded({ control: 10, challenger: 10 }), 100);
    expect(lines.at(-1)).toMatch(
      /^Not decided by the last unit: .* Awaits a sure difference in a goal\.$/,
    );
  });

  test('ends inconclusive at the end of maximumRuntime', () => {
    const lines = replay(
      aSpec({ maximumRuntime: '1d' }),
      recorded({ control: 10, challenger: 10 }),
      100,
    );
    expect(lines.at(-1)).toMatch(
      /^Decided: inconclusive; no candidate was shown to be better within 1d\. 11\d\d later rows/,
    );
  });

  test('notices that units are not split as the weights say', () => {
    const rows = recorded({ control: 10, challenger: 10 }).filter(
      ({ variant, at }) => variant === 'control' || at % 180_000 !== 0,
    );
    expect(replay(aSpec(), rows, 100).at(-1)).toMatch(/sample ratio mismatch/);
  });
});
