import { expect, test } from '@jest/globals';
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import { aReadyVersion, meta } from '../testing/builders.ts';
import { trialOf } from './trial.ts';

const testWith = (mode: 'fixed' | 'bandit', weight: number): ABTest =>
  ({
    metadata: meta('test'),
    spec: {
      candidates: [{ name: 'bigger', version: '1.1.0', weight: 30 }],
      allocation: { mode, floor: 5, interval: '1h', probabilityToBeBest: 0.95 },
    },
    status: {
      variants: [
        { name: 'control', weight: 100 - weight },
        { name: 'bigger', weight },
      ],
    },
  }) as unknown as ABTest;

const seen = {
  versions: [aReadyVersion('1.1.0')],
  ...{ fleets: new Map(), stablePods: 10 },
};

test('the buckets of a bandit follow its status, those of other tests its spec', () => {
  expect(trialOf(testWith('bandit', 80), seen)).toMatchObject({
    shares: [{ name: 'bigger', weight: 80 }],
    variants: [{ name: 'bigger', weight: 80, replicas: 8 }],
  });
  expect(trialOf(testWith('fixed', 30), seen)?.shares).toMatchObject([{ weight: 30 }]);
});
