import type { ABTestSpec } from '../../../crds/schema/ab-test.ts';

/** Conversion of one candidate against control, half of the units each; tests change one thing at a time. */
export const aSpec = (changes: Partial<ABTestSpec> = {}): ABTestSpec => ({
  deploymentRef: { name: 'shop' },
  candidates: [{ name: 'challenger', version: '1.1.0', weight: 50 }],
  unit: { header: 'x-user-id' },
  metrics: { goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }] },
  ...{ alpha: 0.05, minimumRuntime: '1h', minimumSamples: 100, maximumRuntime: '14d' },
  ...{ onDecision: 'promote', suspend: false },
  ...changes,
});
