import { describe, expect, test } from '@jest/globals';
import { Vanished } from './vanished.ts';

describe('what has vanished', () => {
  test('is of the past in every state up to then, and may come back later', () => {
    const vanished = new Vanished();
    vanished.add('u', '10');
    expect(vanished.covers('u', '9')).toBe(true);
    expect(vanished.covers('u', '10')).toBe(true);
    expect(vanished.covers('u', '11')).toBe(false);
    expect(vanished.covers('other', '1')).toBe(false);
    expect(vanished.covers(undefined, '1')).toBe(false);
  });

  test('for good never comes back', () => {
    const vanished = new Vanished();
    vanished.add('u', undefined);
    vanished.add('u', '10');
    vanished.revive('u', '99');
    vanished.revive('u', undefined);
    expect(vanished.covers('u', '99')).toBe(true);
  });

  test('is alive after all when something later still shows it', () => {
    const vanished = new Vanished();
    vanished.add('u', '10');
    vanished.revive('u', '10');
    expect(vanished.covers('u', '5')).toBe(true);
    vanished.revive('u', '11');
    expect(vanished.covers('u', '5')).toBe(false);
  });

  test('is forgotten when very many have vanished since', () => {
    const vanished = new Vanished();
    for (let index = 0; index <= 16_384; index++) vanished.add(`u${index}`, '1');
    expect(vanished.covers('u0', '1')).toBe(false);
    expect(vanished.covers('u1', '1')).toBe(true);
  });
});
