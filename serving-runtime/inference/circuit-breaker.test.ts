import { beforeEach, describe, expect, test } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.ts';

let now: number;
let states: string[];
let breaker: CircuitBreaker;

beforeEach(() => {
  now = 5_000;
  states = [];
  breaker = new CircuitBreaker(
    { failureShare: 0.5, minRequests: 4, windowMs: 10_000, openMs: 2_000 },
    () => now,
    (state) => states.push(state),
  );
});

const fail = () => {
  breaker.enter();
  breaker.failed();
};
const succeed = () => {
  breaker.enter();
  breaker.succeeded();
};

describe('a circuit breaker', () => {
  test('opens when half of enough requests failed, and says when to come back', () => {
    succeed();
    succeed();
    fail();
    expect(states).toEqual([]);
    fail();
    expect(states).toEqual(['open']);
    expect(() => {
      breaker.enter();
    }).toThrow(expect.objectContaining({ code: 'CircuitOpen', headers: { 'retry-after': '2' } }));
  });

  test('forgets what is older than its window', () => {
    for (let i = 0; i < 3; i++) fail();
    now += 11_000;
    fail();
    expect(states).toEqual([]);
  });

  test('lets one try when it has rested, and closes on its success', () => {
    for (let i = 0; i < 4; i++) fail();
    now += 2_000;
    breaker.enter();
    expect(() => {
      breaker.enter();
    }).toThrow('rests');
    breaker.succeeded();
    expect(states).toEqual(['open', 'half-open', 'closed']);
    fail();
    expect(breaker.state).toBe('closed');
  });

  test('opens again when the one that tries fails, and lets another try when it only left', () => {
    for (let i = 0; i < 4; i++) fail();
    now += 2_000;
    breaker.enter();
    breaker.left();
    breaker.enter();
    breaker.failed();
    expect(states).toEqual(['open', 'half-open', 'open']);
  });
});
