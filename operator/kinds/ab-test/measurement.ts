import type { Aggregate } from '../../statistics/aggregates.ts';
import type { JointMoments, Moments } from '../../statistics/moments.ts';

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

/** Percent of the units by variant, control included. */
export type Weights = Readonly<Record<string, number>>;

/** Who was to get how many units from then on; without weights while routes change to others. */
export type Split = {
  /** RFC 3339. */
  readonly since: string;
  readonly weights: Weights | undefined;
};

/** What came while the variants had these weights. */
export type Period = Split & {
  /** Units whose first request came then. */
  readonly variants: readonly { readonly variant: string; readonly units: number }[];
  /** Where units move by design, all metrics of these units; else none. */
  readonly metrics: readonly Measured[];
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
  /** Oldest first; none where no weights were noted. */
  readonly periods: readonly Period[];
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

/** Without the second value of each pair. */
export const firstOf = ({ count, first }: JointMoments): Moments => ({ count, ...first });
