import { beforeAll, describe, expect, test } from '@jest/globals';
import { TestClosed } from '../outcome-store.ts';
import { CONVERSION, NOW, REVENUE, at, openTestOf } from './outcome-fixture.ts';
import type { Stores } from './outcome-fixture.ts';

/** Who counts, when, and how often: what every store of outcomes must do. */
export const describeOutcomeStore = (name: string, make: () => Promise<Stores>): void => {
  describe(`${name} keeps the contract of outcome stores`, () => {
    let stores: Stores;
    beforeAll(async () => {
      stores = await make();
    });

    test('counts the units that logged requests name, once each, from the start of the test', async () => {
      const { log, absorb, measure } = openTestOf(stores, 'units');
      await log('early', 'control', '09:59');
      for (const unit of ['a', 'b', 'a']) await log(unit, 'control', '12:00');
      await log('c', 'bigger', '12:00');
      await log('d', 'another-test', '12:00');
      await log(undefined, 'control', '12:00');
      await log('e', undefined, '12:00');
      expect(await measure()).toEqual({
        variants: [
          { variant: 'control', units: 0 },
          { variant: 'bigger', units: 0 },
        ],
        ...{ conflictingUnits: 0, outcomesOfUnknownUnits: 0, outcomesBeforeExposure: 0 },
        ...{ metrics: [], periods: [] },
      });
      await absorb();
      expect(await absorb()).toBe(0);
      expect((await measure()).variants).toEqual([
        { variant: 'control', units: 2 },
        { variant: 'bigger', units: 1 },
      ]);
    });

    test('leaves out a unit that saw two variants, and says how many there are', async () => {
      const { log, absorb, measure, send } = openTestOf(stores, 'conflicts');
      await log('torn', 'control', '12:00');
      await log('whole', 'control', '12:00');
      await absorb();
      await log('torn', 'bigger', '13:00');
      await log('torn-at-once', 'bigger', '13:00');
      await log('torn-at-once', 'control', '13:00');
      await absorb();
      await send(['torn', 'conversion', 1, '14:00']);
      expect(await measure(CONVERSION)).toMatchObject({
        variants: [{ units: 1 }, { units: 0 }],
        conflictingUnits: 2,
        metrics: [
          { variant: 'control', aggregate: { units: 1, successes: 0 } },
          { variant: 'bigger', aggregate: { units: 0, successes: 0 } },
        ],
      });
    });

    test('counts an outcome once, however often and at what time at once it is sent', async () => {
      const { log, absorb, aggregates, outcome, outcomes, scope } = openTestOf(stores, 'repeats');
      await log('a', 'control', '12:00');
      await absorb();
      const batch = Array.from({ length: 20 }, () => outcome('a', 'revenue', 2, '13:00'));
      const orders = [batch, batch.toReversed(), [...batch, ...batch], batch];
      const answers = await Promise.all(orders.map((each) => outcomes.append(scope, each)));
      const sum = (of: 'taken' | 'duplicates') =>
        answers.reduce((total, answer) => total + answer[of], 0);
      expect([sum('taken'), sum('duplicates')]).toEqual([20, 80]);
      const { control } = await aggregates(REVENUE);
      expect(control).toEqual({ type: 'mean', values: { count: 1, mean: 40, m2: 0 } });
    });

    test('keeps the outcomes of two tests apart, with the same keys and units', async () => {
      const one = openTestOf(stores, 'apart');
      const other = { ...one.scope, uid: 'uid-apart-2' };
      await one.log('a', 'control', '12:00');
      await one.absorb();
      const outcome = one.outcome('a', 'conversion', 1, '13:00');
      expect((await one.outcomes.append(one.scope, [outcome])).taken).toBe(1);
      expect((await one.outcomes.append(other, [outcome])).taken).toBe(1);
      expect((await one.measure()).outcomesOfUnknownUnits).toBe(0);
      expect((await one.outcomes.measure(other, [])).outcomesOfUnknownUnits).toBe(1);
    });

    test('lets outcomes wait for the request that names their unit', async () => {
      const { log, absorb, measure, send } = openTestOf(stores, 'waiting');
      await send(
        ['a', 'conversion', 1, '13:00'],
        ['#late', 'conversion', 1, '13:00'],
        ['#twice', 'conversion', 1, '13:00'],
        ['nobody', 'conversion', 1, '13:00'],
        ['#nothing', 'conversion', 1, '13:00'],
      );
      expect((await measure()).outcomesOfUnknownUnits).toBe(5);
      await log('a', 'control', '12:00');
      await log('b', 'bigger', '12:00', { id: 'late' });
      await log('c', 'bigger', '12:00', { id: 'twice' });
      await log('d', 'bigger', '12:00', { id: 'twice' });
      await absorb();
      await send(['#late', 'conversion', 1, '14:00']);
      expect(await measure(CONVERSION)).toMatchObject({
        outcomesOfUnknownUnits: 2,
        metrics: [
          { aggregate: { units: 1, successes: 1 } },
          { aggregate: { units: 3, successes: 2 } },
        ],
      });
    });

    test('gives a request that comes for a unit known before its outcomes too', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'known');
      await log('a', 'control', '12:00');
      await absorb();
      await send(['#second', 'revenue', 3, '13:00']);
      await log('a', 'control', '12:30', { id: 'second' });
      await absorb();
      expect((await aggregates(REVENUE))['control']).toMatchObject({ values: { mean: 3 } });
    });

    test('takes what came before the first exposure as covariate, and the same moment as before', async () => {
      const { log, absorb, measure, send } = openTestOf(stores, 'before');
      for (const unit of ['a', 'b']) await log(unit, 'control', '12:00');
      await absorb();
      await send(
        ['a', 'revenue', 5, '11:00'],
        ['a', 'revenue', 7, '12:00'],
        ['a', 'revenue', 100, '12:01'],
        ['b', 'revenue', 4, '08:00'],
      );
      // x: 12 and 4, y: 100 and 0; by hand.
      expect(await measure(REVENUE)).toMatchObject({
        outcomesBeforeExposure: 3,
        metrics: [
          {
            aggregate: {
              type: 'covariate-mean',
              pairs: {
                count: 2,
                first: { mean: 50, m2: 5000 },
                second: { mean: 8, m2: 32 },
                cross: 400,
              },
            },
          },
          { aggregate: { type: 'covariate-mean', pairs: { count: 0 } } },
        ],
      });
    });

    test('moves outcomes after the exposure when an earlier request comes late', async () => {
      const { log, absorb, measure, send } = openTestOf(stores, 'moved');
      await log('a', 'control', '15:00');
      await absorb();
      await send(['a', 'revenue', 10, '11:00'], ['a', 'revenue', 3, '14:00']);
      expect(await measure(REVENUE)).toMatchObject({
        outcomesBeforeExposure: 2,
        metrics: [{ aggregate: { values: { mean: 0 } } }, {}],
      });
      await log('a', 'control', '12:00');
      await absorb();
      expect(await measure(REVENUE)).toMatchObject({
        outcomesBeforeExposure: 1,
        metrics: [{ aggregate: { values: { mean: 3 } } }, {}],
      });
    });

    test('counts an outcome that names its request, whatever the clock of its sender says', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'skew');
      await log('a', 'control', '12:00', { id: 'skew-1' });
      await absorb();
      await log('b', 'bigger', '12:00', { id: 'skew-2' });
      await send(['#skew-1', 'revenue', 1, '11:58'], ['#skew-2', 'revenue', 2, '11:58']);
      await absorb();
      const { control, bigger } = await aggregates(REVENUE);
      expect(control).toMatchObject({ values: { mean: 1 } });
      expect(bigger).toMatchObject({ values: { mean: 2 } });
    });

    test('exposes nobody in the future, as a pod whose clock is ahead would', async () => {
      const { log, absorb, aggregates, send } = openTestOf(stores, 'ahead');
      await log('a', 'control', '23:00');
      await absorb();
      await send(['a', 'revenue', 1, '18:01']);
      expect((await aggregates(REVENUE))['control']).toMatchObject({ values: { mean: 1 } });
    });

    test('leaves out what was logged while a test was suspended', async () => {
      const { log, absorb, measure, outcomes, scope } = openTestOf(stores, 'suspended');
      await log('a', 'control', '12:00');
      await absorb();
      await log('b', 'control', '13:00');
      await outcomes.skip(scope);
      await log('c', 'control', '14:00');
      await absorb();
      expect((await measure()).variants[0]).toEqual({ variant: 'control', units: 2 });
    });

    test('remembers a key for 30 days, longer than an outcome may be late', async () => {
      const { log, absorb, aggregates, outcome, outcomes, scope } = openTestOf(stores, 'old');
      await log('a', 'control', '12:00');
      await absorb();
      const sent = [outcome('a', 'revenue', 1, '13:00')];
      const later = (days: number) => NOW + days * 24 * 3_600_000;
      await outcomes.append(scope, sent);
      await outcomes.absorb(scope, later(29));
      expect(await outcomes.append(scope, sent)).toEqual({ taken: 0, duplicates: 1 });
      await outcomes.absorb(scope, later(31));
      expect(await outcomes.append(scope, sent)).toEqual({ taken: 1, duplicates: 0 });
      expect((await aggregates(REVENUE))['control']).toMatchObject({ values: { mean: 2 } });
    });

    test('tells units apart by the weights there were when they came first', async () => {
      const { log, absorb, measure, outcomes, scope } = openTestOf(stores, 'periods');
      const half = { control: 50, bigger: 50 };
      await outcomes.noteSplit(scope, { since: at('11:00'), weights: half });
      await outcomes.noteSplit(scope, { since: at('11:30'), weights: { bigger: 50, control: 50 } });
      await outcomes.noteSplit(scope, { since: at('12:30'), weights: undefined });
      await outcomes.noteSplit(scope, { since: at('13:00'), weights: { control: 90, bigger: 10 } });
      await log('before', 'control', '10:30');
      await log('a', 'bigger', '12:00');
      await log('between', 'bigger', '12:45');
      await log('b', 'control', '13:00');
      await log('torn', 'bigger', '12:00');
      await log('torn', 'control', '14:00');
      await absorb();
      const counts = (control: number, bigger: number) => [
        { variant: 'control', units: control },
        { variant: 'bigger', units: bigger },
      ];
      expect((await measure(REVENUE)).periods).toEqual([
        { since: at('11:00'), weights: half, variants: counts(1, 1), metrics: [] },
        { since: at('12:30'), weights: undefined, variants: counts(0, 1), metrics: [] },
        {
          ...{ since: at('13:00'), weights: { control: 90, bigger: 10 } },
          ...{ variants: counts(1, 0), metrics: [] },
        },
      ]);
    });

    test('counts a unit that moved by design where it was first, and its metrics by period', async () => {
      const { log, absorb, measure, outcomes, scope, send } = openTestOf(stores, 'moves', {
        moves: true,
      });
      await outcomes.noteSplit(scope, { since: at('11:00'), weights: { control: 50, bigger: 50 } });
      await outcomes.noteSplit(scope, { since: at('13:00'), weights: { control: 90, bigger: 10 } });
      await log('torn', 'bigger', '12:00');
      await log('torn', 'control', '14:00');
      await log('a', 'control', '14:00');
      await absorb();
      await send(['torn', 'revenue', 3, '11:00'], ['torn', 'revenue', 5, '15:00']);
      const mean = (variant: string, count: number, value: number) => ({
        ...{ variant, metric: 'revenue' },
        aggregate: { type: 'mean', values: { count, mean: value, m2: 0 } },
      });
      const measurement = await measure(REVENUE);
      expect(measurement.conflictingUnits).toBe(1);
      expect(measurement.metrics).toEqual([mean('control', 1, 0), mean('bigger', 1, 5)]);
      expect(measurement.periods.map(({ metrics }) => metrics)).toEqual([
        [mean('control', 0, 0), mean('bigger', 1, 5)],
        [mean('control', 1, 0), mean('bigger', 0, 0)],
      ]);
    });

    test('says by the hour when units arrived', async () => {
      const { log, absorb, outcomes, scope } = openTestOf(stores, 'arrivals');
      await log('a', 'control', '12:00');
      await log('b', 'control', '12:59');
      await log('c', 'bigger', '12:30');
      await log('d', 'control', '13:00');
      await absorb();
      expect(await outcomes.arrivals(scope.uid)).toEqual([
        { variant: 'bigger', hour: at('12:00'), units: 1 },
        { variant: 'control', hour: at('12:00'), units: 2 },
        { variant: 'control', hour: at('13:00'), units: 1 },
      ]);
      expect(await outcomes.arrivals('uid-of-none')).toEqual([]);
    });

    test('deletes a test for good, and no other', async () => {
      const gone = openTestOf(stores, 'gone');
      const kept = openTestOf(stores, 'kept');
      for (const { log, absorb, send } of [gone, kept]) {
        await log('a', 'control', '12:00');
        await absorb();
        await send(['a', 'conversion', 1, '13:00'], ['b', 'conversion', 1, '13:00']);
      }
      expect(await stores.outcomes.deleteTest(gone.scope.uid)).toBeGreaterThan(0);
      expect(await stores.outcomes.deleteTest(gone.scope.uid)).toBe(0);
      await expect(gone.send(['a', 'conversion', 1, '13:00'])).rejects.toThrow(TestClosed);
      await expect(gone.absorb()).rejects.toThrow(
        'ABTest demo/gone-test is being deleted and takes no more outcomes.',
      );
      await expect(stores.outcomes.skip(gone.scope)).rejects.toThrow(TestClosed);
      const counted = async ({ measure }: typeof gone) => (await measure()).variants[0]?.units;
      expect([await counted(gone), await counted(kept)]).toEqual([0, 1]);
    });

    test('deletes a test that never had a row, and it stays closed', async () => {
      const { send, scope } = openTestOf(stores, 'never');
      expect(await stores.outcomes.deleteTest(scope.uid)).toBe(0);
      await expect(send(['a', 'conversion', 1, '13:00'])).rejects.toThrow(TestClosed);
    });
  });
};
