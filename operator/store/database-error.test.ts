import { expect, test } from '@jest/globals';
import { DatabaseUnavailable, reachingDatabase } from './database-error.ts';

const failing = (error: unknown) => () =>
  reachingDatabase('answer', () => Promise.reject(error as Error));
const withCode = (code: string): Error => Object.assign(new Error('failed'), { code });

test.each([
  withCode('ECONNREFUSED'),
  withCode('08006'),
  withCode('57P01'),
  withCode('57014'),
  withCode('53300'),
  withCode('40001'),
  withCode('25006'),
  withCode('42P01'),
  new Error('Connection terminated unexpectedly'),
  new Error('timeout exceeded when trying to connect'),
  new AggregateError([withCode('ECONNREFUSED')], ''),
])('%p may pass by waiting', async (error) => {
  await expect(failing(error)).rejects.toThrow(DatabaseUnavailable);
});

test.each([withCode('23505'), withCode('42703'), new TypeError('a bug'), 'text'])(
  '%p stays what it is',
  async (error) => {
    await expect(failing(error)()).rejects.toBe(error);
  },
);

test('the message says what was tried', () => {
  expect(new DatabaseUnavailable('answer', 'no route').message).toBe(
    'The database could not answer: no route',
  );
});
