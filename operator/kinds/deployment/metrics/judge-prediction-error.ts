/** Judges how wrong the answers of the candidate are, by labels. Pure. */
import type { Aggregate } from '../../../statistics/aggregates.ts';
import { judgeRate, type Verdict as Sureness } from '../../../statistics/binomial-bounds.ts';
import { pastBurnIn } from '../../../statistics/burn-in.ts';
import { confidenceSequence } from '../../../statistics/confidence-sequence.ts';
import { judgeGuardrail } from '../../../statistics/guardrail.ts';
import { variance } from '../../../statistics/moments.ts';
import { noErrors, type ErrorTally } from '../../../store/labels.ts';
import type { OwnEvidence } from './own-evidence.ts';
import { percent, plain } from './threshold.ts';
import { ALPHA, worstOf, type BuiltIn, type Verdict } from './verdict.ts';

type Figures = {
  readonly tally: ErrorTally;
  readonly units: number;
  readonly estimate: number;
  readonly aggregate: Extract<Aggregate, { readonly type: 'proportion' | 'mean' }>;
};

/**
 * Against thresholdRange.max, and against the stable version where there is a maxIncrease. It fails when
 * it is surely too wrong, at every look (decision 0009); it passes when the estimates are in range on
 * `minimum` labels of each version that counts.
 */
export const judgePredictionError = (
  metric: BuiltIn,
  own: OwnEvidence,
  minimum: number,
): Verdict => {
  const { errors, failed } = own.data ?? {};
  if (errors === undefined) {
    return { is: 'inconclusive', words: `prediction-error: ${failed ?? 'nothing was read yet'}` };
  }
  const figuresOf = (version: string) => figures(metric, errors.byVersion.get(version) ?? noErrors);
  const [candidate, stable] = [figuresOf(own.candidate), figuresOf(own.stable)];
  const needed = Math.max(1, minimum);
  const counted = metric.maxIncrease === undefined ? [candidate] : [candidate, stable];
  const short = counted.find(({ units }) => units < needed);
  if (short !== undefined) {
    const of = short === candidate ? own.candidate : own.stable;
    const found = `${short.units} of ${needed} labels of version ${of} that are needed to judge`;
    const hint = whyFew(short.tally, errors.waiting, own);
    return { is: 'inconclusive', words: `prediction-error: ${found}${hint}` };
  }
  const is = worstOf(
    againstThreshold(metric, candidate, needed),
    againstStable(metric, stable, candidate, needed),
  );
  return { is, words: `${wordsOf(metric, candidate)}${stableWords(metric, stable, own)}` };
};

const isShare = ({ error }: BuiltIn): boolean => error !== 'absolute-error';

const figures = (metric: BuiltIn, tally: ErrorTally): Figures => {
  const { answers: units, wrong, distances } = tally;
  if (!isShare(metric)) {
    const aggregate = { type: 'mean', values: distances } as const;
    return { tally, units: distances.count, estimate: distances.mean, aggregate };
  }
  const aggregate = { type: 'proportion', units, successes: wrong } as const;
  return { tally, units, estimate: units === 0 ? 0 : wrong / units, aggregate };
};

/** Where the sequence is tightest; must not depend on the data. */
const plannedUnits = (needed: number): number => 10 * needed;

const againstThreshold = (
  metric: BuiltIn,
  { aggregate, estimate, tally }: Figures,
  needed: number,
): Sureness => {
  const { max = Infinity } = metric.thresholdRange;
  const isBad =
    aggregate.type === 'proportion'
      ? judgeRate(aggregate, {
          threshold: max,
          side: 'at-most',
          minimumRequests: needed,
          alpha: ALPHA,
        }) === 'fail'
      : pastBurnIn(aggregate) && meanIsBeyond(aggregate.values, max, needed);
  if (isBad) return 'fail';
  // An answer that is no number has no distance, and must not make the others look good.
  const isWhole = aggregate.type === 'proportion' || aggregate.values.count === tally.answers;
  return estimate <= max && isWhole ? 'pass' : 'inconclusive';
};

const meanIsBeyond = (values: ErrorTally['distances'], max: number, needed: number): boolean => {
  const effect = {
    value: values.mean,
    variance: variance(values) / values.count,
    units: values.count,
  };
  const options = {
    alpha: ALPHA,
    plannedUnits: plannedUnits(needed),
    alternative: 'greater',
    null: max,
  } as const;
  return confidenceSequence(effect, options).pValue <= ALPHA;
};

const againstStable = (
  { maxIncrease }: BuiltIn,
  stable: Figures,
  candidate: Figures,
  needed: number,
): Sureness => {
  if (maxIncrease === undefined) return 'pass';
  const { verdict } = judgeGuardrail(stable.aggregate, candidate.aggregate, {
    ...{ direction: 'decrease', margin: { absolute: maxIncrease } },
    ...{ alpha: ALPHA, plannedUnits: 2 * plannedUnits(needed) },
  });
  if (verdict === 'harmful') return 'fail';
  return candidate.estimate - stable.estimate <= maxIncrease ? 'pass' : 'inconclusive';
};

const format = (metric: BuiltIn, value: number): string =>
  isShare(metric) ? percent(value) : plain(value);

const wordsOf = (metric: BuiltIn, { units, estimate, tally }: Figures): string => {
  const what = isShare(metric) ? 'share of wrong answers' : 'mean absolute error';
  const none = isShare(metric) ? 0 : tally.answers - units;
  const besides = none === 0 ? '' : `, and ${none} answers or labels are no numbers`;
  const wanted = format(metric, metric.thresholdRange.max ?? Infinity);
  return `prediction-error (${what}) is ${format(metric, estimate)} on ${units} labels${besides}, wanted at most ${wanted}`;
};

const stableWords = (
  metric: BuiltIn,
  { units, estimate }: Figures,
  { stable }: OwnEvidence,
): string =>
  metric.maxIncrease === undefined
    ? ''
    : ` and at most ${format(metric, metric.maxIncrease)} more than the ${format(metric, estimate)} on ${units} labels of version ${stable}`;

const whyFew = ({ incomparable }: ErrorTally, waiting: number, { path }: OwnEvidence): string => {
  const parts = [
    ...(waiting === 0 ? [] : [`${waiting} labels name no request that is logged`]),
    ...(incomparable === 0
      ? []
      : [
          `${incomparable} labels name an output that is not logged, or have another number of values`,
        ]),
    `POST the truth to ${path}`,
  ];
  return `; ${parts.join('; ')}`;
};
