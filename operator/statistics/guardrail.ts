import type { Aggregate } from './aggregates.ts';
import type { Comparison, ComparisonOptions } from './sequential-comparison.ts';
import { compareSequentially } from './sequential-comparison.ts';

/** How much worse is not worse yet: in the metric's own unit, or as a share of control's value. */
type Margin =
  | { readonly absolute: number; readonly relative?: never }
  | { readonly relative: number; readonly absolute?: never };

export type GuardrailOptions = Pick<ComparisonOptions, 'alpha' | 'plannedUnits' | 'quantile'> & {
  /** Which way is better. */
  readonly direction: 'increase' | 'decrease';
  readonly margin: Margin;
};

/**
 * safe: surely not worse than control by the margin. harmful: surely worse by more than it. Each is
 * wrong with chance alpha at most over all looks; at exactly the margin both stay undecided.
 */
export type GuardrailResult = {
  readonly verdict: 'safe' | 'harmful' | 'undecided';
  /** Evidence that it is safe, and that it is harmful. */
  readonly safe: Comparison;
  readonly harmful: Comparison;
};

/**
 * Non-inferiority by two one-sided confidence sequences. A relative margin is tested on treatment minus
 * (1 - margin) or (1 + margin) times control, without division; it takes control's value to be above 0
 * (a share, a time, a count), as a share of a value around 0 means nothing.
 */
export const judgeGuardrail = (
  control: Aggregate,
  treatment: Aggregate,
  options: GuardrailOptions,
): GuardrailResult =>
  judgeGuardrailBy((wanted) => compareSequentially(control, treatment, wanted), options);

/** The same by any comparison that is valid at every look. */
export const judgeGuardrailBy = (
  compare: (options: ComparisonOptions) => Comparison,
  { direction, margin, ...options }: GuardrailOptions,
): GuardrailResult => {
  const worse = direction === 'increase' ? -1 : 1;
  const limit: Pick<ComparisonOptions, 'factor' | 'null'> =
    margin.relative === undefined
      ? { null: worse * margin.absolute }
      : { factor: Math.max(LEAST_FACTOR, 1 + worse * margin.relative) };
  const [better, bad] =
    direction === 'increase' ? (['greater', 'less'] as const) : (['less', 'greater'] as const);
  const test = (alternative: 'greater' | 'less'): Comparison =>
    compare({ ...options, ...limit, alternative });
  const [safe, harmful] = [test(better), test(bad)];
  return { verdict: verdictOf(safe, harmful, options.alpha), safe, harmful };
};

/** A margin of 100 % and more of what cannot be below 0: a little stricter than no limit at all. */
const LEAST_FACTOR = 1e-9;

const verdictOf = (
  safe: Comparison,
  harmful: Comparison,
  alpha: number,
): GuardrailResult['verdict'] => {
  if (harmful.pValue <= alpha) return 'harmful';
  return safe.pValue <= alpha ? 'safe' : 'undecided';
};
