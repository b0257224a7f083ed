import { describe, expect, test } from '@jest/globals';
import { readArguments } from './arguments.ts';

const read = (...args: readonly string[]) => readArguments(['--test', 'abtest.yaml', ...args]);

describe('arguments', () => {
  test('have the defaults the help names', () => {
    expect(read()).toMatchObject({
      ...{
        unitsPerDay: 5000,
        tests: 1000,
        looks: 200,
        seed: 1,
        spread: 1,
        first: {},
        check: false,
      },
    });
  });

  test('say what the first goal is, and what others are', () => {
    const { first, values } = read(
      '--control',
      '0.2',
      '--effect=-0.01',
      '--metric',
      'refunds=0.02,0.001,0',
    );
    expect(first).toEqual({ control: 0.2, effects: [-0.01] });
    expect([...values]).toEqual([['refunds', { control: 0.02, effects: [0.001, 0] }]]);
  });

  test.each([
    [['--looks', '0'], '--looks is 0; give a whole number from 1.'],
    [['--effect', 'much'], '--effect is much; give a number, as in --effect 0.1.'],
    [['--days', '-1'], /argument is ambiguous|--days is -1/],
    [['--metric', 'refunds'], '--metric is refunds; give name=control or name=control,effect.'],
    [['--metric', 'refunds=0.1,'], '--metric refunds= is ; give a number'],
  ])('that are wrong are named: %s', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });

  test('need a test, or the proof', () => {
    expect(() => readArguments([])).toThrow('--test is missing');
    expect(readArguments(['--proof']).proof).toBe(true);
  });
});
