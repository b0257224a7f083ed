import { parseArgs } from 'node:util';
import type { Assumed } from './metric-model.ts';

export const USAGE = `Simulation of A/B tests: units go through the very same decide code as in a cluster, on a virtual clock.
  node e2e/ab-tests/main.ts --test abtest.yaml [--units-per-day 5000] [--control 0.10] [--effect 0.02]
  node e2e/ab-tests/main.ts --test abtest.yaml --replay outcomes.csv
  node e2e/ab-tests/main.ts --proof [--tests 1000]
--test           an ABTest manifest
--units-per-day  new units a day, of all variants together
--control        value of the first goal in control; 0.1 of a share, 1 of anything else
--effect         the first candidate's value of the first goal minus control's; others are as control
--metric         the same of any metric, repeatable: --metric refunds=0.02 or --metric refunds=0.02,0.001;
                 a second effect is the second candidate's, and so on
--spread         standard deviation of a mean's or ratio's units, as a share of the mean; 1 unless said
--normal         values of means are normal instead of log-normal
--days           how long it runs; maximumRuntime unless said
--tests, --looks, --seed, --workers   1000 tests, looked at 200 times each, seed 1, 2 processors
--replay         recorded units instead: unit,variant,metric,value,at (at as in 2026-02-01T12:00:00Z)
--check          fails where false promotions are surely above alpha, or power is 5 points off the theory
--proof          the tests of e2e/ab-tests/plans with --check, as make test does`;

export type Arguments = {
  readonly test: string | undefined;
  readonly replay: string | undefined;
  readonly unitsPerDay: number;
  readonly days: number | undefined;
  readonly values: ReadonlyMap<string, Assumed>;
  readonly first: Assumed;
  readonly spread: number;
  readonly normal: boolean;
  readonly tests: number;
  readonly looks: number;
  readonly seed: number;
  readonly workers: number;
  readonly check: boolean;
  readonly proof: boolean;
  readonly help: boolean;
};

/** @throws Error that says which argument is wrong, and how it is given */
export const readArguments = (args: readonly string[]): Arguments => {
  const { values: given } = parseArgs({ args: [...args], options: OPTIONS });
  const { help, proof, test, replay, normal, check } = given;
  if (!help && !proof && test === undefined) {
    throw new Error('--test is missing: name the manifest of an ABTest, as in --test abtest.yaml.');
  }
  return {
    ...{ help, proof, test, replay, normal, check },
    values: new Map((given.metric ?? []).map(metricValue)),
    first: {
      ...(given.control === undefined ? {} : { control: numberOf('control', given.control) }),
      ...(given.effect === undefined ? {} : { effects: [numberOf('effect', given.effect)] }),
    },
    unitsPerDay: positive('units-per-day', given['units-per-day']),
    days: given.days === undefined ? undefined : positive('days', given.days),
    spread: positive('spread', given.spread),
    tests: whole('tests', given.tests),
    looks: whole('looks', given.looks),
    seed: whole('seed', given.seed),
    workers: whole('workers', given.workers),
  };
};

const text = { type: 'string' } as const;
const withDefault = (value: string) => ({ type: 'string', default: value }) as const;
const flag = { type: 'boolean', default: false } as const;

const OPTIONS = {
  ...{ test: text, replay: text, control: text, effect: text, days: text },
  metric: { type: 'string', multiple: true },
  'units-per-day': withDefault('5000'),
  ...{ spread: withDefault('1'), tests: withDefault('1000'), looks: withDefault('200') },
  ...{ seed: withDefault('1'), workers: withDefault('2') },
  ...{ normal: flag, check: flag, proof: flag, help: flag },
} as const;

const numberOf = (name: string, value: string): number => {
  const number = value.trim() === '' ? NaN : Number(value);
  if (Number.isFinite(number)) return number;
  throw new Error(`--${name} is ${value}; give a number, as in --${name} 0.1.`);
};

const positive = (name: string, value: string): number => {
  const number = numberOf(name, value);
  if (number > 0) return number;
  throw new Error(`--${name} is ${value}; give a number above 0.`);
};

const whole = (name: string, value: string): number => {
  const number = numberOf(name, value);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new Error(`--${name} is ${value}; give a whole number from 1.`);
};

const metricValue = (given: string): readonly [string, Assumed] => {
  const [, name, numbers] = /^([^=]+)=(.+)$/.exec(given) ?? [];
  if (name === undefined || numbers === undefined) {
    throw new Error(`--metric is ${given}; give name=control or name=control,effect.`);
  }
  const [control = 0, ...effects] = numbers
    .split(',')
    .map((each) => numberOf(`metric ${name}=`, each));
  return [name, { control, effects }];
};
