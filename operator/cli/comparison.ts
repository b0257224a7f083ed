/** What the API answers to a comparison; operator/api/README.md says what it means. */
export type Unknown = {
  readonly reason?: string;
  readonly needed?: number;
  readonly message?: string;
};
type Interval = { readonly lower: number; readonly upper: number };

export type Summary = Unknown & {
  readonly group: string;
  readonly count: number;
  readonly missing: readonly string[];
  readonly notFinite: readonly string[];
  readonly mean?: number;
  readonly interval?: Interval;
};

export type Test = Unknown & {
  readonly test: 'paired-t' | 'welch-t' | 'wilcoxon-signed-rank';
  readonly pValue?: number;
  readonly adjustedPValue?: number;
  readonly interval?: Interval;
};

export type Pair = {
  readonly a: string;
  readonly b: string;
  readonly difference?: number;
  readonly pairs?: number;
  readonly t: Test;
  readonly wilcoxon?: Test;
};

type Run = { readonly runId: string; readonly name: string };

export type Comparison = Unknown & {
  readonly confidence: number;
  readonly groups: readonly { readonly name: string; readonly runs: readonly Run[] }[];
  readonly ungrouped: readonly string[];
  readonly params: readonly {
    readonly name: string;
    readonly values: readonly {
      readonly group: string;
      readonly values: readonly string[];
      readonly missing: number;
    }[];
  }[];
  readonly differingParams: number;
  readonly metrics: readonly {
    readonly name: string;
    readonly groups: readonly Summary[];
    readonly comparisons: readonly Pair[];
  }[];
};

export type Importance = Unknown & {
  readonly objective: string;
  readonly evaluator?: string;
  readonly importances: readonly { readonly parameter: string; readonly importance: number }[];
};
