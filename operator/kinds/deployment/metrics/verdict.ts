/** What a metric of canary.analysis says. Pure. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import type { Verdict as Sureness } from '../../../statistics/binomial-bounds.ts';
import type { Range } from './threshold.ts';

type CanarySpec = NonNullable<NonNullable<Deployment['spec']['strategy']>['canary']>;
export type AnalysisSpec = NonNullable<CanarySpec['analysis']>;
export type Metric = AnalysisSpec['metrics'][number];
/** One that needs no source: CEL sees to it that its range is stated. */
export type BuiltIn = Metric & { readonly thresholdRange: Range };

export type Verdict = {
  /** Inconclusive: too little data, or what was measured is neither good nor surely bad. */
  readonly is: Sureness;
  /** The numbers, for people. */
  readonly words: string;
};

/** Chance that a metric whose true value is good ever brings the old version back. */
export const ALPHA = 0.01;

/** One that fails decides; one that is inconclusive keeps all from passing. */
export const worstOf = (...all: readonly Sureness[]): Sureness => {
  if (all.includes('fail')) return 'fail';
  return all.includes('inconclusive') ? 'inconclusive' : 'pass';
};
