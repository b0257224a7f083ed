import { describe, expect, test } from '@jest/globals';

import { wordsOfStep } from './step-words.ts';

const match = [{ headerName: 'x-tester', exact: 'yes' }];

describe('a step of a canary is', () => {
  test.each([
    [{ setWeight: 20 }, '20 % of the requests'],
    [{ pause: { duration: '30s' } }, 'a pause of 30s'],
    [{ pause: {} }, 'a pause until somebody goes on'],
    [{ analysis: {} }, 'until its metrics are good'],
    [{ analysis: { duration: '5m' } }, 'until its metrics are good, for 5m'],
    [{ setCanaryScale: { replicas: 3 } }, '3 pod(s)'],
    [{ setCanaryScale: { weight: 100 } }, '100 % of the number of stable pods'],
    [
      { setCanaryScale: { matchTrafficWeight: true } },
      'as many pods as its share of the requests asks for',
    ],
    [{ setMirrorRoute: { name: 'shadow' } }, 'copies of 100 % of the requests by route shadow'],
    [
      { setMirrorRoute: { name: 'shadow', percentage: 0 } },
      'no more copies of requests by route shadow',
    ],
    [
      { setHeaderRoute: { name: 'testers', match } },
      'requests with the header x-tester by route testers',
    ],
    [{ setHeaderRoute: { name: 'testers' } }, 'route testers ends'],
  ])('%j: %s', (step, words) => {
    expect(wordsOfStep(step)).toBe(words);
  });
});
