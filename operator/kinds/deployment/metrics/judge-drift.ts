/** Judges whether the candidate's distributions are those of the stable version, by sketches. Pure. */
import {
  binsOf,
  countsOf,
  leastCountsOf,
} from '../../../../serving-runtime/protocol/sketch-cells.ts';
import type { FeatureSummary } from '../../../../serving-runtime/protocol/sketch-record.ts';
import { cellEnds, countByValue, countInCells } from '../../../statistics/cells.ts';
import {
  populationStability,
  stabilityBeyond,
  type CellCounts,
  type StabilityIndex,
} from '../../../statistics/population-stability.ts';
import type { Distribution } from '../own-data.ts';
import type { OwnEvidence } from './own-evidence.ts';
import { plain } from './threshold.ts';
import { ALPHA, type BuiltIn, type Verdict } from './verdict.ts';

/** Fewer say nothing of a distribution. */
const LEAST_VALUES = 200;
const NUMBER_CELLS = 10;
const VALUE_CELLS = 20;
const NOTHING: Distribution = new Map();

/**
 * The population stability index of each feature, stable version against candidate over the same windows. It
 * fails when one is surely above thresholdRange.max, at every look and over all features (Bonferroni); it
 * passes when all are in range on enough values.
 */
export const judgeDrift = (metric: BuiltIn, own: OwnEvidence, minimum: number): Verdict => {
  const { distributions, failed, unreadable = 0 } = own.data ?? {};
  const unclear = (words: string): Verdict => ({
    is: 'inconclusive',
    words: `drift: ${words}${unreadable === 0 ? '' : `; ${unreadable} sketches could not be read`}`,
  });
  if (distributions === undefined) return unclear(failed ?? 'nothing was read yet');
  const stable = distributions.get(own.stable) ?? NOTHING;
  const candidate = distributions.get(own.candidate) ?? NOTHING;
  const needed = Math.max(LEAST_VALUES, minimum);
  const names =
    metric.feature === undefined
      ? [...new Set([...stable.keys(), ...candidate.keys()])]
      : [metric.feature];
  const few = fewValues(
    names,
    [
      [own.stable, stable],
      [own.candidate, candidate],
    ],
    needed,
  );
  if (few !== undefined) return unclear(`InsufficientData: ${few}`);
  const compared = names.map((name) => compare(name, stable.get(name), candidate.get(name)));
  return judgeAll(metric, compared, own, needed);
};

type Compared = {
  readonly name: string;
  readonly counts: readonly [stable: number, candidate: number];
  readonly found: StabilityIndex;
};

const EMPTY: FeatureSummary = { count: 0, nulls: 0, infinite: 0 };

const compare = (name: string, stable = EMPTY, candidate = EMPTY): Compared => ({
  name,
  counts: [stable.count, candidate.count],
  found: populationStability(cellsOf(stable, candidate)),
});

type Side = readonly [version: string, features: Distribution];

const fewValues = (
  names: readonly string[],
  sides: readonly [Side, Side],
  needed: number,
): string | undefined => {
  if (names.length === 0)
    return 'no sketch of either version has come, of which pods send one a minute';
  for (const name of names) {
    for (const [version, features] of sides) {
      const count = features.get(name)?.count ?? 0;
      if (count < needed) {
        return `${count} of ${needed} values of ${name} of version ${version} that are needed to judge`;
      }
    }
  }
  return undefined;
};

const judgeAll = (
  { thresholdRange: { max = Infinity } }: BuiltIn,
  compared: readonly Compared[],
  { stable, candidate }: OwnEvidence,
  needed: number,
): Verdict => {
  const alpha = ALPHA / compared.length;
  const options = { threshold: max, alpha, plannedUnits: 10 * needed };
  const isBad = ({ found }: Compared) => stabilityBeyond(found, options).pValue <= alpha;
  const worst = compared.reduce((a, b) => (b.found.excess > a.found.excess ? b : a));
  const told = compared
    .filter(isBad)
    .reduce((a, b) => (b.found.excess > a.found.excess ? b : a), worst);
  const [of, against] = [
    `${told.counts[1]} values of version ${candidate}`,
    `${told.counts[0]} of ${stable}`,
  ];
  const words = `drift (population stability index) of ${told.name} is ${plain(told.found.excess)} on ${of} against ${against}, wanted at most ${plain(max)}`;
  if (compared.some(isBad)) return { is: 'fail', words };
  return { is: worst.found.excess <= max ? 'pass' : 'inconclusive', words };
};

/** By value where values are few or texts; else by tenths of the stable version's numbers. */
const cellsOf = (stable: FeatureSummary, candidate: FeatureSummary): CellCounts => {
  const isListed = [stable, candidate].every((each) => countsOf(each) !== undefined);
  const isText = stable.numbers === undefined && candidate.numbers === undefined;
  if (isListed || isText) {
    return countByValue(
      [leastCountsOf(stable), stable.count],
      [leastCountsOf(candidate), candidate.count],
      VALUE_CELLS,
    );
  }
  const [before, after] = [stable, candidate].map(({ numbers }) =>
    numbers ? binsOf(numbers) : [],
  );
  const ends = cellEnds(before ?? [], NUMBER_CELLS);
  const cells = (bins = before, { nulls, infinite }: FeatureSummary) => [
    ...countInCells(bins ?? [], ends),
    nulls + infinite,
  ];
  return { reference: cells(before, stable), current: cells(after, candidate) };
};
