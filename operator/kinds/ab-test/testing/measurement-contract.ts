import { beforeAll, describe, expect, test } from '@jest/globals';
import { CONVERSION, REVENUE, openTestOf } from './outcome-fixture.ts';
import type { Stores } from './outcome-fixture.ts';

/** What the numbers of a test are made of. Values by hand. */
export const describeMeasurement = (name: string, make: () => Promise<Stores>): void => {
  describe(`${name} measures`, () => {
    let stores: Stores;
    beforeAll(async () => {
      stores = await make();
    });

    test('a proportion: the share of units with any value above 0', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'proportion');
      for (const unit of ['a', 'b', 'c', 'd']) await log(unit, 'control', '12:00');
      await absorb();
      await send(
        ['a', 'conversion', 1, '13:00'],
        ['a', 'conversion', 1, '14:00'],
        ['b', 'conversion', 0, '13:00'],
        ['c', 'conversion', -1, '13:00'],
        ['d', 'revenue', 1, '13:00'],
      );
      expect(await aggregates(CONVERSION)).toEqual({
        control: { type: 'proportion', units: 4, successes: 1 },
        bigger: { type: 'proportion', units: 0, successes: 0 },
      });
    });

    test('a mean: of the sums of units, 0 for those without outcomes', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'mean');
      for (const unit of ['a', 'b', 'c']) await log(unit, 'control', '12:00');
      await log('d', 'bigger', '12:00');
      await absorb();
      await send(
        ['a', 'revenue', 2, '13:00'],
        ['a', 'revenue', 4, '14:00'],
        ['b', 'revenue', 3, '13:00'],
      );
      expect(await aggregates(REVENUE)).toEqual({
        control: { type: 'mean', values: { count: 3, mean: 3, m2: 18 } },
        bigger: { type: 'mean', values: { count: 1, mean: 0, m2: 0 } },
      });
    });

    test('a mean of large values that differ little, to all digits', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'digits');
      // NIST StRD "NumAcc4": sums of squares lose the variance of 10000000.1, .2 and .3 altogether.
      for (const [unit, value] of [
        ['a', 10000000.2],
        ['b', 10000000.1],
        ['c', 10000000.3],
      ] as const) {
        await log(unit, 'control', '12:00');
        await send([unit, 'revenue', value, '13:00']);
      }
      await absorb();
      const { control } = await aggregates(REVENUE);
      expect(control).toMatchObject({ type: 'mean', values: { count: 3 } });
      const { values } = control as {
        readonly values: { readonly mean: number; readonly m2: number };
      };
      expect(values.mean).toBeCloseTo(10000000.2, 7);
      expect(values.m2).toBeCloseTo(0.02, 7);
    });

    test('a ratio: the sums of both parts of each unit, and how they vary together', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'ratio');
      for (const unit of ['a', 'b']) await log(unit, 'control', '12:00');
      await absorb();
      await send(
        ['a', 'clicks', 1, '13:00'],
        ['a', 'clicks', 1, '13:30'],
        ['a', 'views', 10, '13:00'],
        ['b', 'views', 4, '13:00'],
      );
      const metric = {
        name: 'ctr',
        type: 'ratio',
        numerator: 'clicks',
        denominator: 'views',
      } as const;
      const { control } = await aggregates(metric);
      expect(control).toEqual({
        type: 'ratio',
        pairs: { count: 2, first: { mean: 1, m2: 2 }, second: { mean: 7, m2: 18 }, cross: 6 },
      });
    });

    test('a quantile: the means of units that have outcomes, exact where values are far apart', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'quantile');
      const values = { a: 4, b: 4, c: -2.5, d: 0, e: 100, f: 101, g: 1e-12 };
      for (const [unit, value] of Object.entries(values)) {
        await log(unit, 'control', '12:00');
        await send([unit, 'wait', value, '13:00'], [unit, 'wait', value, '14:00']);
      }
      await log('silent', 'control', '12:00');
      await absorb();
      const { control } = await aggregates({ name: 'wait', type: 'quantile' });
      // ln(100) / ln(1.01 / 0.99) = 230.25 and ln(101) / … = 230.75: one bin, up to 231.
      expect(control).toEqual({
        type: 'quantile',
        bins: [
          { lower: -2.5, upper: -2.5, count: 1 },
          { lower: 0, upper: 1e-12, count: 2 },
          { lower: 4, upper: 4, count: 2 },
          { lower: 100, upper: 101, count: 2 },
        ],
      });
    });

    test('the requests themselves: rates over all of them, and their mean duration for each unit', async () => {
      const { log, absorb, aggregates } = openTestOf(stores, 'requests');
      await log('a', 'control', '12:00', { status: 200, latencyMs: 10 });
      await log('a', 'control', '12:01', { status: 503, latencyMs: 30 });
      await absorb();
      await log('a', 'control', '12:02', { status: 499, latencyMs: 20 });
      await log('a', 'control', '12:03', { status: 500, latencyMs: 20 });
      await log('b', 'control', '12:00', { status: 200, latencyMs: 50 });
      await absorb();
      const of = async (name: string, type: 'proportion' | 'mean' | 'quantile') =>
        (await aggregates({ name, type }))['control'];
      expect(await of('request-error-rate', 'proportion')).toEqual({
        type: 'ratio',
        pairs: { count: 2, first: { mean: 1, m2: 2 }, second: { mean: 2.5, m2: 4.5 }, cross: 3 },
      });
      expect(await of('request-success-rate', 'proportion')).toEqual({
        type: 'ratio',
        pairs: {
          count: 2,
          first: { mean: 1.5, m2: 0.5 },
          second: { mean: 2.5, m2: 4.5 },
          cross: 1.5,
        },
      });
      expect(await of('request-error-rate', 'mean')).toEqual({
        type: 'mean',
        values: { count: 2, mean: 0.25, m2: 0.125 },
      });
      expect(await of('request-duration', 'mean')).toEqual({
        type: 'mean',
        values: { count: 2, mean: 35, m2: 450 },
      });
      expect(await of('request-duration', 'quantile')).toEqual({
        type: 'quantile',
        bins: [
          { lower: 20, upper: 20, count: 1 },
          { lower: 50, upper: 50, count: 1 },
        ],
      });
    });

    test('the largest and smallest values there can be, without an overflow', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'extremes');
      for (const unit of ['a', 'b']) await log(unit, 'control', '12:00', { latencyMs: 5e-324 });
      await log('a', 'control', '12:01', { latencyMs: 0 });
      await absorb();
      await send(['a', 'revenue', 1e15, '13:00'], ['b', 'revenue', -1e15, '13:00']);
      await send(['a', 'tiny', 1e-100, '13:00'], ['a', 'tiny', 0, '13:00']);
      expect((await aggregates(REVENUE))['control']).toEqual({
        type: 'mean',
        values: { count: 2, mean: 0, m2: 2e30 },
      });
      const tiny = await aggregates({ name: 'tiny', type: 'quantile' });
      expect(tiny['control']).toMatchObject({ bins: [{ count: 1 }] });
      const duration = await aggregates({ name: 'request-duration', type: 'mean' });
      expect(duration['control']).toMatchObject({ values: { count: 2, mean: 0 } });
    });
  });
};
