import { asP } from './confidence-sequence.ts';
import { chiSquareTail, logGamma } from './special-functions.ts';

/**
 * Are the units split as the weights say? If not, something lost units of one variant (a crash, a
 * redirect, a bot), and what is left cannot be compared (Fabijan et al., KDD 2019).
 */

/** `weight` in any unit, above 0; `units` that were counted. */
export type Arm = { readonly weight: number; readonly units: number };

/** Chi-square goodness of fit, for one look at counts of which each is expected to be 5 or more. */
export const sampleRatioTest = (
  arms: readonly Arm[],
): { readonly statistic: number; readonly pValue: number } => {
  const { shares, total } = expectedShares(arms);
  const statistic = arms.reduce((sum, { units }, index) => {
    const expected = total * (shares[index] ?? 0);
    return total === 0 ? 0 : sum + (units - expected) ** 2 / expected;
  }, 0);
  return { statistic, pValue: chiSquareTail(statistic, arms.length - 1) };
};

/**
 * Valid at every look and from the first unit on: the Dirichlet-multinomial e-value of Lindon & Malek,
 * "Anytime-valid inference for multinomial count data" (NeurIPS 2022, arXiv 2011.03567). The prior has
 * the expected shares as its mean.
 * @param priorWeight units the prior counts for: heavier finds small mismatches of many units sooner
 */
export const sequentialSampleRatio = (
  arms: readonly Arm[],
  priorWeight = PRIOR_WEIGHT,
): { readonly logEvalue: number; readonly pValue: number } => {
  const { shares, total } = expectedShares(arms);
  const logEvalue = arms.reduce(
    (sum, { units }, index) => {
      const share = shares[index] ?? 0;
      const prior = priorWeight * share;
      return sum + logGamma(prior + units) - logGamma(prior) - units * Math.log(share);
    },
    logGamma(priorWeight) - logGamma(priorWeight + total),
  );
  return { logEvalue, pValue: asP(logEvalue) };
};

/** Units by variant that came while the variants had these weights. */
export type SplitUnits = ReadonlyMap<string, Arm>;

/**
 * The same where the weights change, in the order they did. What was found so far of each variant's loss is
 * the mean of the prior of what comes next, and weighs as many units as showed it: evidence multiplies, as a
 * prior may follow from the past, and weights that stay give the very same as one split.
 */
export const sampleRatioOverSplits = (
  splits: readonly SplitUnits[],
): { readonly logEvalue: number; readonly pValue: number } => {
  const seen = new Map<string, Seen>();
  let [logEvalue, before] = [0, 0];
  for (const split of splits) {
    const { shares, total } = expectedShares([...split.values()]);
    const arms = [...split].map(([name, { units }], index) => {
      const share = shares[index] ?? 0;
      const {
        prior,
        units: had,
        expected,
      } = seen.get(name) ?? { ...NOTHING, prior: PRIOR_WEIGHT * share };
      seen.set(name, { prior, units: had + units, expected: expected + total * share });
      return { share, units, mean: (share * (prior + had)) / (prior + expected) };
    });
    const weight = (PRIOR_WEIGHT + before) / arms.reduce((sum, { mean }) => sum + mean, 0);
    logEvalue += logGamma(PRIOR_WEIGHT + before) - logGamma(PRIOR_WEIGHT + before + total);
    for (const { share, units, mean } of arms) {
      logEvalue +=
        logGamma(weight * mean + units) - logGamma(weight * mean) - units * Math.log(share);
    }
    before += total;
  }
  return { logEvalue, pValue: asP(logEvalue) };
};

type Seen = { readonly prior: number; readonly units: number; readonly expected: number };
const NOTHING = { units: 0, expected: 0 };

/** Differences of some 3 % of a share are what such faults make: as much as 1,000 units vary by. */
const PRIOR_WEIGHT = 1000;

const expectedShares = (
  arms: readonly Arm[],
): { readonly shares: readonly number[]; readonly total: number } => {
  arms.forEach(({ weight, units }, index) => {
    if (!(weight > 0 && Number.isFinite(weight)) || !Number.isSafeInteger(units) || units < 0) {
      throw new Error(
        `arm ${index} has weight ${weight} and ${units} units: the weight must be above 0, the units a whole number from 0`,
      );
    }
  });
  const weights = arms.reduce((sum, { weight }) => sum + weight, 0);
  return {
    shares: arms.map(({ weight }) => weight / weights),
    total: arms.reduce((sum, { units }) => sum + units, 0),
  };
};
