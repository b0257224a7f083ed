/**
 * What a test's numbers are made of, in a form that merges and that the statistics take as it is. The
 * unit (say, a user) is what was randomised, so values are summed up for each unit first.
 */
export type Aggregate =
  | { readonly type: 'proportion'; readonly units: number; readonly successes: number }
  | { readonly type: 'mean'; readonly values: Moments }
  /** First the value, second what the unit did before its first exposure (CUPED). */
  | { readonly type: 'covariate-mean'; readonly pairs: JointMoments }
  /** First the numerator, second the denominator. */
  | { readonly type: 'ratio'; readonly pairs: JointMoments }
  /** Ascending. A bin is at most 2 % wide; its ends are the least and the largest value in it. */
  | { readonly type: 'quantile'; readonly bins: readonly Bin[] };

/** m2: sum of squared deviations from the mean. */
type Spread = { readonly mean: number; readonly m2: number };
export type Moments = Spread & { readonly count: number };
/** cross: sum of products of the deviations. */
export type JointMoments = {
  readonly count: number;
  readonly first: Spread;
  readonly second: Spread;
  readonly cross: number;
};
export type Bin = { readonly lower: number; readonly upper: number; readonly count: number };

/** One metric of the spec, as far as its value is concerned. */
export type MetricDefinition = {
  readonly name: string;
  readonly type: 'proportion' | 'mean' | 'ratio' | 'quantile';
  readonly numerator?: string | undefined;
  readonly denominator?: string | undefined;
};

export type Measured = {
  readonly variant: string;
  readonly metric: string;
  readonly aggregate: Aggregate;
};

export type Measurement = {
  /** Of each variant, in the order the test has them: distinct units that count. */
  readonly variants: readonly { readonly variant: string; readonly units: number }[];
  /** Seen in more than one variant; left out of everything else. */
  readonly conflictingUnits: number;
  /** Whose unit no logged request has named so far. */
  readonly outcomesOfUnknownUnits: number;
  /** At or before the first exposure of their unit; they are the covariate. */
  readonly outcomesBeforeExposure: number;
  readonly metrics: readonly Measured[];
};

/** Units by the hour of their first exposure. */
export type Arrivals = {
  readonly variant: string;
  /** RFC 3339, the beginning of the hour. */
  readonly hour: string;
  readonly units: number;
};

/** How large a step from bin to bin is: values of one bin differ by 2 %, its middle is right to 1 %. */
export const BIN_GROWTH = 1.01 / 0.99;
/** Values nearer to 0 than this share a bin. */
export const SMALLEST_BINNED = 1e-9;

const nothing: Spread = { mean: 0, m2: 0 };
export const noJointMoments: JointMoments = { count: 0, first: nothing, second: nothing, cross: 0 };

/** Without the second value of each pair. */
export const firstOf = ({ count, first }: JointMoments): Moments => ({ count, ...first });
