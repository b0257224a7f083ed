import type { ABTest } from '../../../crds/schema/ab-test.ts';
import { timestamp } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { replicasOf } from './autoscaling.ts';
import { nextOfCanary, stablePods } from './canary-plan.ts';
import { askedAgainOf, failedAttemptOf, lastGoodOf, servedOf } from './memory.ts';
import {
  attemptOf,
  progressOf,
  retryOf,
  subjectOf,
  type FailedAttempt,
  type Fleet,
  type Progress,
} from './rollout.ts';
import { isNamed, type Observation, type Plan } from './plan.ts';
import { wantedVersion } from './target.ts';
import { trialOf } from './trial.ts';

/**
 * Follows the wanted version, step by step where the strategy says so, unless it was tried and failed:
 * then the last good one stays until the spec, the alias or the retry annotation changes. A version that
 * cannot be resolved changes nothing.
 */
export const decide = (observation: Observation, now: Date): Plan => {
  const { deployment, fleet, versions } = observation;
  const progress = progressOf(fleet);
  const wanted = wantedVersion(deployment, observation);
  const lastGood = remembered(progress, fleet);
  const base = {
    progress,
    wanted: wanted.version,
    lastGood,
    served: servedBefore(lastGood, fleet),
    failed: failure(observation, wanted.version, progress, now),
    // Kept afterwards: each change of it is a new generation, which is not observed for a while.
    askedAgain: progress.refused === undefined ? askedAgainOf(fleet.apps) : halfMinuteOf(now),
    replicas: replicasOf(deployment, fleet.apps),
    candidate: undefined,
    trial: trialOf(observation.test, {
      ...{ versions, fleets: observation.trials },
      stablePods: stablePods(progress, deployment),
    }),
  };
  const { failed } = base;
  if (failed !== undefined && failed.modelVersion === wanted.version?.metadata.name) {
    return { ...base, ...afterFailure(observation, failed, lastGood) };
  }
  if (wanted.fault !== undefined && !servesAlready(wanted.version, progress)) {
    const current = versions.find(isNamed(progress.current));
    return { ...base, target: current, situation: { is: 'unresolved', fault: wanted.fault } };
  }
  const following: Plan = { ...base, target: wanted.version, situation: { is: 'following' } };
  if (wanted.version === undefined) return following;
  return stepByStep(observation, { ...following, wanted: wanted.version }, now);
};

/** By the steps of the canary, where there are some for this version. */
const stepByStep = (
  observation: Observation,
  following: Plan & { readonly wanted: ModelVersion },
  now: Date,
): Plan => {
  const { test, versions } = observation;
  const stable = versions.find(isNamed(following.lastGood));
  if (stable === undefined) return following;
  if (test !== undefined && !isNamed(following.lastGood)(following.wanted)) {
    const fault = {
      reason: 'WaitingForTest',
      message: waitsFor(test, following),
      waits: true,
    } as const;
    return { ...following, target: stable, situation: { is: 'unresolved', fault } };
  }
  const canary = nextOfCanary(observation, { ...following, stable }, now);
  if (canary === undefined) return following;
  if (canary.failure === undefined) {
    const { candidate, target } = canary;
    return { ...following, target, candidate, situation: { is: 'canary' } };
  }
  const failed = attempt(observation.deployment, following.wanted, canary.failure, now);
  return { ...following, failed, ...afterFailure(observation, failed, following.lastGood) };
};

const waitsFor = (test: ABTest, { wanted }: { readonly wanted: ModelVersion }): string =>
  `Version ${wanted.spec.version} waits until ABTest ${test.metadata.name} is over, whose control must not change meanwhile.`;

const HALF_MINUTE_MS = 30_000;

/** The same value within half a minute, so that passes in between write nothing. */
const halfMinuteOf = (now: Date): string =>
  timestamp(new Date(Math.floor(now.getTime() / HALF_MINUTE_MS) * HALF_MINUTE_MS));

/** Pods that run checked the bytes they loaded; what becomes of the file later does not touch them. */
const servesAlready = (wanted: ModelVersion | undefined, progress: Progress): boolean =>
  wanted !== undefined && progress.complete && isNamed(progress.current)(wanted);

/** The version in the template is good once it has served all replicas; none at all proves nothing. */
const remembered = ({ complete, current, available }: Progress, { apps }: Fleet) =>
  complete && current !== undefined && available > 0 ? current : lastGoodOf(apps);

/** As many as a rollbackWindow may look back. */
const MOST_SERVED = 100;

const servedBefore = (lastGood: string | undefined, { apps }: Fleet): readonly string[] => {
  const [before, served] = [lastGoodOf(apps), servedOf(apps)];
  if (before === undefined || before === lastGood) return served;
  return [before, ...served.filter((name) => name !== before && name !== lastGood)].slice(
    0,
    MOST_SERVED,
  );
};

/** The failure that stands in the way of the wanted version: seen just now, or remembered. */
const failure = (
  { deployment, fleet }: Observation,
  wanted: ModelVersion | undefined,
  progress: Progress,
  now: Date,
): FailedAttempt | undefined => {
  if (wanted === undefined) return failedAttemptOf(fleet.apps);
  const what = subjectOf(deployment, wanted.metadata.name);
  const before = failedAttemptOf(fleet.apps);
  if (before?.what === what && before.attempt !== retryOf(deployment)) {
    return isNamed(progress.current)(wanted) && progress.complete ? undefined : before;
  }
  if (progress.failure === undefined || !isNamed(progress.current)(wanted)) return undefined;
  return attempt(deployment, wanted, progress.failure, now);
};

const attempt = (
  deployment: Deployment,
  { metadata: { name }, spec }: ModelVersion,
  why: { readonly reason: string; readonly message: string },
  now: Date,
): FailedAttempt => ({
  modelVersion: name,
  version: spec.version,
  ...why,
  time: timestamp(now),
  what: subjectOf(deployment, name),
  attempt: attemptOf(deployment, name),
});

const afterFailure = (
  { fleet, versions }: Observation,
  failed: FailedAttempt,
  lastGood: string | undefined,
): Pick<Plan, 'target' | 'situation'> => {
  const good = versions.find(isNamed(lastGood));
  if (good === undefined || good.metadata.name === failed.modelVersion) {
    const stay = versions.find(({ metadata }) => metadata.name === failed.modelVersion);
    return { target: stay, situation: { is: 'failed' } };
  }
  const justNow = failedAttemptOf(fleet.apps)?.attempt !== failed.attempt;
  return { target: good, situation: { is: 'rolled-back', justNow } };
};
