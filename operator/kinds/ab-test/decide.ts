/** What becomes of a test, from what it wants, what there is, and what was measured. Pure. */
import { timestamp } from '../../../crds/schema/conditions.ts';
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
import { faultOf } from './faults.ts';
import { nextWeights, startWeights, withoutDropped } from './bandit.ts';
import { judgeTest, type Judgement } from './judge.ts';
import type { Weights } from './measurement.ts';
import type { Decision, Observation, Plan } from './plan.ts';
import { CONTROL, isBandit } from './test-plan.ts';

export const decide = (observation: Observation, now: Date): Plan => {
  const { test, deployment, before } = observation;
  const fault = faultOf(observation);
  if (fault !== undefined) return fault;
  if (deployment === undefined || before !== undefined) {
    const message = `ABTest ${before?.metadata.name ?? ''} on the same Deployment is older and not over; this one begins after it.`;
    return { is: 'waiting', message };
  }
  if (test.spec.suspend) return { is: 'suspended' };
  const started = test.status?.startTime;
  const missing = unrouted(test, deployment);
  if (started === undefined && missing.length > 0) return { is: 'starting', missing };
  return running(observation, started ?? timestamp(now), now);
};

/** Candidates that are not routed with the weight they should have. */
const unrouted = ({ spec }: ABTest, { status }: Deployment): readonly string[] =>
  spec.candidates
    .filter(
      ({ name, weight }) =>
        status?.weights?.some((each) => each.name === name && each.weight === weight) !== true,
    )
    .map(({ name }) => name);

const running = (observation: Observation, startTime: string, now: Date): Plan => {
  const { test, measurement } = observation;
  const judgement = measurement && judgeTest(test.spec, measurement, droppedBefore(test));
  const elapsedMs = now.getTime() - Date.parse(startTime);
  const awaits = awaited(test, judgement, elapsedMs);
  const decision = decisionOf(test, judgement, awaits, elapsedMs);
  if (decision !== undefined) {
    const promote = promotedBy(observation, decision);
    return { is: 'decided', startTime, judgement, decision, promote };
  }
  const unsure = judgement?.winners.length === 0 ? [unsureOf(test, judgement)] : [];
  const dropped = judgement?.harmful ?? droppedBefore(test);
  const weights = weightsNow(observation, judgement, { dropped, now });
  return { is: 'running', startTime, judgement, dropped, weights, awaits: [...awaits, ...unsure] };
};

/** Weights move with the numbers in a bandit only; else a candidate that was dropped leaves its to control. */
const weightsNow = (
  { test, measurement }: Observation,
  judgement: Judgement | undefined,
  { dropped, now }: { readonly dropped: readonly string[]; readonly now: Date },
): Weights => {
  if (!isBandit(test.spec)) return withoutDropped(startWeights(test.spec), dropped);
  const { beliefs = [], isMismatched = true } = judgement ?? {};
  return nextWeights(test, measurement ?? { periods: [] }, {
    ...{ dropped, now },
    beliefs: isMismatched ? [] : beliefs,
  });
};

/** What a candidate lacks that would win. */
const unsureOf = ({ spec }: ABTest, { findings, beliefs }: Judgement): string => {
  const enough = spec.allocation?.probabilityToBeBest ?? Infinity;
  const isBetter = isBandit(spec)
    ? beliefs.some((each) => each.variant !== CONTROL && each.probabilityBest >= enough)
    : findings.some(({ role, verdict }) => role === 'goal' && verdict === 'better');
  const open = findings.filter(({ verdict }) => verdict === 'undecided');
  return isBetter && open.length > 0
    ? `certainty that ${open.map(({ candidate, metric }) => `${candidate} is not worse in ${metric}`).join(', ')}`
    : isBandit(spec)
      ? `a variant that is the best with a probability of ${enough}`
      : 'a sure difference in a goal';
};

/**
 * Candidates that an earlier pass left without units. Evidence of harm holds from the look that found it;
 * taken back at a later one, units would move twice. All shares are 0 while a test is suspended: then
 * none was dropped, and the numbers tell again.
 */
const droppedBefore = ({ spec, status }: ABTest): readonly string[] => {
  const weightOf = (name: string) =>
    status?.variants?.find((variant) => variant.name === name)?.weight ?? 0;
  if (weightOf(CONTROL) === 0) return [];
  return spec.candidates.map(({ name }) => name).filter((name) => weightOf(name) === 0);
};

const decisionOf = (
  { spec }: ABTest,
  judgement: Judgement | undefined,
  awaits: readonly string[],
  elapsedMs: number,
): Decision | undefined => {
  if (judgement?.harmful.length === spec.candidates.length) {
    const words = 'every candidate is surely worse than a guardrail allows';
    return { winner: CONTROL, words };
  }
  const shown = awaits.length === 0 ? shownBy(spec, judgement) : undefined;
  if (shown !== undefined) return shown;
  if (elapsedMs < (parseDuration(spec.maximumRuntime) ?? Infinity)) return undefined;
  const words = `no candidate was shown to be better within ${spec.maximumRuntime}`;
  return { winner: 'inconclusive', words };
};

/** What the numbers show once nothing is awaited any more. */
const shownBy = (spec: ABTest['spec'], judgement: Judgement | undefined): Decision | undefined => {
  const winner = judgement?.winners[0] ?? (isControlBest(spec, judgement) ? CONTROL : undefined);
  if (winner !== undefined) {
    const words = isBandit(spec)
      ? `${winner} is the best with a probability of ${probabilityOf(judgement, winner).toFixed(3)}`
      : `${winner} is better than control`;
    return { winner, words };
  }
  if (spec.inference?.mode !== 'fixed-horizon' || judgement === undefined) return undefined;
  const words = 'no candidate was shown to be better at the one look there is';
  return { winner: 'inconclusive', words };
};

const probabilityOf = (judgement: Judgement | undefined, name: string): number =>
  judgement?.beliefs.find(({ variant }) => variant === name)?.probabilityBest ?? 0;

const isControlBest = ({ allocation }: ABTest['spec'], judgement: Judgement | undefined): boolean =>
  probabilityOf(judgement, CONTROL) >= (allocation?.probabilityToBeBest ?? Infinity);

/** The version that the alias is to name, where a candidate won and may take over. */
const promotedBy = ({ test, alias }: Observation, { winner }: Decision): string | undefined =>
  test.spec.onDecision !== 'promote' || alias === undefined
    ? undefined
    : test.spec.candidates.find(({ name }) => name === winner)?.version;

/** What must come before anything may be decided. */
const awaited = (
  { spec }: ABTest,
  judgement: Judgement | undefined,
  elapsedMs: number,
): readonly string[] => {
  if (judgement === undefined) return ['the first measurement'];
  const { isMismatched, sampleRatioP, short } = judgement;
  return [
    ...(elapsedMs < (parseDuration(spec.minimumRuntime) ?? 0)
      ? [`minimumRuntime of ${spec.minimumRuntime}`]
      : []),
    ...(short.length === 0 ? [] : [`${spec.minimumSamples} units of ${short.join(', ')}`]),
    ...(isMismatched
      ? [
          `an end of the sample ratio mismatch: units are not split as the weights say (p ${sampleRatioP.toExponential(1)}), so nothing can be believed`,
        ]
      : []),
  ];
};
