/** What becomes of a test, from what it wants, what there is, and what was measured. Pure. */
import { timestamp } from '../../../crds/schema/conditions.ts';
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
import { holderOf, isReady, sameVersion } from '../model-versions.ts';
import { CONTROL, judgeTest, type Judgement } from './judge.ts';
import type { Measurement } from './measurement.ts';
import { metricFault, definitionsOf } from './test-metrics.ts';

export type Observation = {
  readonly test: ABTest;
  readonly deployment: Deployment | undefined;
  /** An older test of the same Deployment that is not over. */
  readonly before: ABTest | undefined;
  /** Versions of the Deployment's Model. */
  readonly versions: readonly ModelVersion[];
  /** The alias the Deployment follows. */
  readonly alias: ModelAlias | undefined;
  /** Undefined while nothing was measured. */
  readonly measurement: Measurement | undefined;
};

export type Decision = {
  /** Name of the variant that won, control where all candidates harm, or inconclusive. */
  readonly winner: string;
  readonly words: string;
};

export type Plan =
  /** It cannot run as it is. */
  | {
      readonly is: 'refused';
      readonly reason: Reason;
      readonly message: string;
      readonly waits: boolean;
    }
  | { readonly is: 'waiting'; readonly message: string }
  | { readonly is: 'suspended' }
  /** Pods of the candidates come up; nothing is counted yet. */
  | { readonly is: 'starting'; readonly missing: readonly string[] }
  | {
      readonly is: 'running';
      readonly startTime: string;
      readonly judgement: Judgement | undefined;
      /** Candidates that get units no more. */
      readonly dropped: readonly string[];
      readonly awaits: readonly string[];
    }
  | {
      readonly is: 'decided';
      readonly startTime: string;
      readonly judgement: Judgement | undefined;
      readonly decision: Decision;
      /** The version the alias is to name. */
      readonly promote: string | undefined;
    };

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
  const unsure = judgement?.winners.length === 0 ? [unsureOf(judgement)] : [];
  const dropped = judgement?.harmful ?? droppedBefore(test);
  return { is: 'running', startTime, judgement, dropped, awaits: [...awaits, ...unsure] };
};

/** What a candidate lacks that would win. */
const unsureOf = ({ findings }: Judgement): string => {
  const isBetter = findings.some(({ verdict }) => verdict === 'better');
  const open = findings.filter(({ verdict }) => verdict === 'undecided');
  return isBetter && open.length > 0
    ? `certainty that ${open.map(({ candidate, metric }) => `${candidate} is not worse in ${metric}`).join(', ')}`
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
  const winner = judgement?.winners[0];
  if (awaits.length === 0 && winner !== undefined) {
    return { winner, words: `${winner} is better than control` };
  }
  if (elapsedMs < (parseDuration(spec.maximumRuntime) ?? Infinity)) return undefined;
  const words = `no candidate was shown to be better within ${spec.maximumRuntime}`;
  return { winner: 'inconclusive', words };
};

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

const faultOf = (observation: Observation): Plan | undefined =>
  targetFault(observation) ?? candidateFault(observation) ?? metricsFault(observation);

const refused = (reason: Reason, message: string, waits: boolean): Plan => ({
  ...{ is: 'refused', reason, message, waits },
});

const targetFault = ({ test, deployment, alias }: Observation): Plan | undefined => {
  const { name } = test.spec.deploymentRef;
  if (deployment === undefined) {
    return refused(
      'DeploymentNotFound',
      `Deployment ${name} (modeldeployment) does not exist in namespace ${test.metadata.namespace}; create it, or name another one in spec.deploymentRef.`,
      true,
    );
  }
  return (
    splitFault(deployment) ??
    (test.spec.onDecision === 'pause' ? undefined : promotionFault(deployment, alias))
  );
};

/** Why units of this Deployment cannot be told apart, or not be kept on their variant. */
const splitFault = ({ metadata: { name }, spec }: Deployment): Plan | undefined => {
  if (spec.strategy?.canary?.trafficRouting?.istio?.gateways === undefined) {
    return refused(
      'TrafficRoutingUnavailable',
      `Deployment ${name} has no spec.strategy.canary.trafficRouting.istio.gateways, and only a gateway can keep a unit on its variant; state gateways and hosts there.`,
      true,
    );
  }
  if (spec.predictor.logger?.sampleRate === 1) return undefined;
  return refused(
    'LoggingRequired',
    `Deployment ${name} does not log all requests, so nobody would know which unit saw what; set spec.predictor.logger to {mode: all, sampleRate: 1}.`,
    true,
  );
};

const promotionFault = (
  { metadata: { name }, spec }: Deployment,
  alias: ModelAlias | undefined,
): Plan | undefined => {
  const { model } = spec.predictor;
  if (model.alias === undefined) {
    return refused(
      'VersionPinned',
      `Deployment ${name} serves version ${model.version ?? ''} by its spec, which no promotion moves; let it follow an alias, or use onDecision: pause.`,
      true,
    );
  }
  if (alias?.spec.pinned !== true) return undefined;
  return refused(
    'AliasPinned',
    `ModelAlias ${alias.metadata.name} is pinned, so that no promotion moves it; unpin it, or use onDecision: pause.`,
    true,
  );
};

const candidateFault = ({ test, deployment, versions }: Observation): Plan | undefined => {
  const control = deployment?.status?.servedVersion;
  for (const { name, version } of test.spec.candidates) {
    const found = holderOf(versions, version);
    if (found === undefined) {
      return refused(
        'VersionNotFound',
        `Candidate ${name}: the Model has no version ${version}; create a ModelVersion with it.`,
        true,
      );
    }
    // A test that promoted its winner is over, and no longer looks at what is served.
    if (control !== undefined && sameVersion(control, version)) {
      return refused(
        'SameVersion',
        `Candidate ${name} is version ${version}, which control serves already; there is nothing to compare.`,
        true,
      );
    }
    if (!isReady(found)) {
      return refused(
        'WaitingForVersion',
        `ModelVersion ${found.metadata.name} is not Ready.`,
        true,
      );
    }
  }
  return undefined;
};

const metricsFault = ({ test }: Observation): Plan | undefined => {
  for (const metric of definitionsOf(test.spec)) {
    const fault = metricFault(metric);
    if (fault !== undefined)
      return refused('MetricInvalid', `Metric ${metric.name}: ${fault}.`, false);
  }
  return undefined;
};
