import type { ABTestSpec } from '../../../crds/schema/ab-test.ts';

/** What of a test its numbers are judged by. */
export type TestPlan = Pick<
  ABTestSpec,
  'metrics' | 'alpha' | 'minimumSamples' | 'candidates' | 'inference' | 'allocation'
>;

export const CONTROL = 'control';

/** Whether weights follow from the numbers. */
export const isBandit = ({ allocation }: Pick<ABTestSpec, 'allocation'>): boolean =>
  allocation?.mode === 'bandit';
