import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import { definitionsOf } from '../../operator/kinds/ab-test/test-metrics.ts';
import { parseDuration } from '../../serving-runtime/protocol/duration.ts';
import { RecordedMeasure } from './recorded-measure.ts';
import type { RecordedUnit } from './recorded-units.ts';
import { DAY_MS } from './simulate-test.ts';
import {
  lookAt,
  messageOf,
  startTest,
  variantsOf,
  weightsOf,
  type VirtualTest,
} from './virtual-test.ts';

/**
 * What the controller would have decided when, of units in time order. The test begins with the first of
 * them, is looked at at equal intervals until the last or the end of maximumRuntime, and ends where it is
 * decided: what came later would have been another test.
 * @returns lines: each look at which a verdict or a variant's share changed, and how it ended
 */
export const replay = (
  spec: ABTestSpec,
  rows: readonly RecordedUnit[],
  looks: number,
): readonly string[] => {
  const begin = rows[0]?.at ?? 0;
  const longest = parseDuration(spec.maximumRuntime) ?? Infinity;
  const span = Math.min((rows.at(-1)?.at ?? begin) - begin, longest);
  const measure = new RecordedMeasure(variantsOf(spec), definitionsOf(spec));
  const lines: string[] = [];
  let state = startTest(spec, new Date(begin));
  let taken = 0;
  for (let look = 1; look <= looks && state.plan.is === 'running'; look += 1) {
    // The status has whole seconds; a look a fraction earlier would miss the end of maximumRuntime.
    const at = Math.ceil(begin + (span * look) / looks);
    for (let row = rows[taken]; row !== undefined && row.at <= at; row = rows[taken]) {
      measure.take(row);
      taken += 1;
    }
    const before = verdictsOf(state);
    state = lookAt(state, measure.measure(), new Date(at));
    if (verdictsOf(state) !== before) lines.push(lineOf(state, at, begin));
  }
  return [...lines, endOf(state, begin + span, rows.length - taken)];
};

/** What is worth a line when it changes. */
const verdictsOf = (state: VirtualTest): string => {
  const { plan } = state;
  const judgement = plan.is === 'running' || plan.is === 'decided' ? plan.judgement : undefined;
  const verdicts = judgement?.findings.map(({ verdict }) => verdict);
  return JSON.stringify([plan.is, verdicts, judgement?.isMismatched, weightsOf(state)]);
};

const lineOf = (state: VirtualTest, at: number, begin: number): string =>
  `${new Date(at).toISOString()} (day ${((at - begin) / DAY_MS).toFixed(2)}): ${messageOf(state, new Date(at))}`;

const endOf = (state: VirtualTest, at: number, left: number): string => {
  const { plan } = state;
  if (plan.is !== 'decided') {
    return `Not decided by the last unit: ${messageOf(state, new Date(at))}`;
  }
  const promoted = plan.promote === undefined ? '' : `, and version ${plan.promote} promoted`;
  const rest = left === 0 ? '' : ` ${left} later rows were not needed.`;
  return `Decided: ${plan.decision.winner}${promoted}; ${plan.decision.words}.${rest}`;
};
