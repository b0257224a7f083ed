import { timestamp } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { labelValue } from '../names-of-children.ts';
import { replicasOf } from './autoscaling.ts';
import {
  askedAgainOf,
  attemptOf,
  failedAttemptOf,
  lastGoodOf,
  progressOf,
  retryOf,
  subjectOf,
  type FailedAttempt,
  type Fleet,
  type Progress,
} from './rollout.ts';
import { wantedVersion, type Fault, type Registry } from './target.ts';

export type Observation = Registry & {
  readonly deployment: Deployment;
  readonly fleet: Fleet;
};

/** Which version the pods are to run, and why. */
export type Plan = {
  readonly progress: Progress;
  /** What the spec asks for, if it can be found. */
  readonly wanted: ModelVersion | undefined;
  /** What the pods' template is to hold; undefined: leave what is there. */
  readonly target: ModelVersion | undefined;
  readonly lastGood: string | undefined;
  readonly failed: FailedAttempt | undefined;
  /** Set while the cluster refuses pods: a new value makes it try again. */
  readonly askedAgain: string | undefined;
  /** The number of pods we state; undefined: the autoscaler does. */
  readonly replicas: number | undefined;
  readonly situation: Situation;
};

export type Situation =
  /** The wanted version is in the template, or goes into it now. */
  | { readonly is: 'following' }
  /** There is nothing (new) to roll to; what serves goes on. */
  | { readonly is: 'unresolved'; readonly fault: Fault }
  /** The wanted version failed, and the last good one is in its place. */
  | { readonly is: 'rolled-back'; readonly justNow: boolean }
  /** The wanted version failed, and there is no other. */
  | { readonly is: 'failed' };

/** Labels are compared with labels: a long name is shortened there. */
const isNamed =
  (label: string | undefined) =>
  ({ metadata }: ModelVersion): boolean =>
    labelValue(metadata.name) === label;

/**
 * Follows the wanted version, unless it was tried and failed: then the last good one stays until the
 * spec, the alias or the retry annotation changes. A version that cannot be resolved changes nothing.
 */
export const decide = (observation: Observation, now: Date): Plan => {
  const { deployment, fleet, versions } = observation;
  const progress = progressOf(fleet);
  const wanted = wantedVersion(deployment, observation);
  const lastGood = remembered(progress, fleet);
  const failed = failure(observation, wanted.version, progress, now);
  const base = {
    progress,
    wanted: wanted.version,
    lastGood,
    failed,
    // Kept afterwards: each change of it is a new generation, which is not observed for a while.
    askedAgain: progress.refused === undefined ? askedAgainOf(fleet.apps) : halfMinuteOf(now),
    replicas: replicasOf(deployment, fleet.apps),
  };
  if (failed !== undefined && failed.modelVersion === wanted.version?.metadata.name) {
    return { ...base, ...afterFailure(observation, failed, lastGood) };
  }
  if (wanted.fault !== undefined && !servesAlready(wanted.version, progress)) {
    const current = versions.find(isNamed(progress.current));
    return { ...base, target: current, situation: { is: 'unresolved', fault: wanted.fault } };
  }
  return { ...base, target: wanted.version, situation: { is: 'following' } };
};

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

/** The failure that stands in the way of the wanted version: seen just now, or remembered. */
const failure = (
  { deployment, fleet }: Observation,
  wanted: ModelVersion | undefined,
  progress: Progress,
  now: Date,
): FailedAttempt | undefined => {
  if (wanted === undefined) return failedAttemptOf(fleet.apps);
  const { name } = wanted.metadata;
  const what = subjectOf(deployment, name);
  const before = failedAttemptOf(fleet.apps);
  if (before?.what === what && before.attempt !== retryOf(deployment)) {
    return isNamed(progress.current)(wanted) && progress.complete ? undefined : before;
  }
  if (progress.failure === undefined || !isNamed(progress.current)(wanted)) return undefined;
  return {
    modelVersion: wanted.metadata.name,
    version: wanted.spec.version,
    ...progress.failure,
    time: timestamp(now),
    what,
    attempt: attemptOf(deployment, name),
  };
};

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
