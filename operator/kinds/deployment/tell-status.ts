/** The status of a Deployment: who serves, who comes up, who gets how much. Pure. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { labelValue, shortHash } from '../names-of-children.ts';
import { revisionOf, type Candidate } from './canary.ts';
import { selectorOf, urlOf } from './children.ts';
import { CANDIDATE, STABLE } from './names.ts';
import type { Carried, Plan } from './plan.ts';
import type { Trial } from './trial.ts';
import { attemptOf, sharesOf, type FailedAttempt, type Progress, type Share } from './rollout.ts';

/** The version that answers: the wanted one once it has all pods, till then the one from before. */
export const servedOf = (
  { lastGood }: Plan,
  { complete, current }: Progress,
  shares: readonly Share[],
): Share | undefined => {
  const named = (label: string | undefined) => shares.find(({ name }) => name === label);
  return (complete ? named(current) : named(lastGood)) ?? shares[0];
};

export type Seen = {
  readonly progress: Progress;
  /** Of the stable pods. */
  readonly shares: readonly Share[];
  readonly served: Share | undefined;
};

const revisionShown = (
  deployment: Deployment,
  { failed, wanted, candidate }: Pick<Plan, 'failed' | 'wanted' | 'candidate'>,
) => {
  if (candidate !== undefined) {
    const { memory } = candidate;
    return { revision: revisionOf(memory), currentStepIndex: memory.step };
  }
  const revision = failed?.attempt ?? (wanted && attemptOf(deployment, wanted.metadata.name));
  return revision === undefined ? {} : { revision };
};

/** Candidates whose pods answer, with what they get of the units, and control. */
const trialWeights = ({ variants }: Trial, served: Share | undefined) => {
  const serving = variants
    .filter(({ isServing }) => isServing)
    .map(({ name, version, weight }) => ({ name, version: version.spec.version, weight }));
  const rest = 100 - serving.reduce((sum, { weight }) => sum + weight, 0);
  return served === undefined
    ? serving
    : [...serving, { name: STABLE, version: served.version, weight: rest }];
};

/** As the route has them, the wanted version first. */
const routedWeights = ({ version, weight }: Candidate, served: Share | undefined) => [
  { name: CANDIDATE, version: version.spec.version, weight },
  ...(served === undefined
    ? []
    : [{ name: STABLE, version: served.version, weight: 100 - weight }]),
];

const weightsSeen = (
  { candidate, wanted, trial }: Plan,
  { shares, served }: Pick<Seen, 'shares' | 'served'>,
  carried: Carried,
) => {
  if (trial !== undefined && carried.isRouted) return trialWeights(trial, served);
  if (candidate === undefined) return weightsOf(shares, wanted, served);
  if (carried.isRouted) return routedWeights(candidate, served);
  const replicaSets = [...carried.fleet.replicaSets, ...carried.candidate.replicaSets];
  return weightsOf(sharesOf({ replicaSets }), wanted, served);
};

export const statusOf = (
  deployment: Deployment,
  plan: Plan,
  { progress, shares, served }: Seen,
  carried: Carried,
): Readonly<Record<string, unknown>> => {
  const { failed, wanted, candidate } = plan;
  const coming = comingUp(plan, progress);
  return {
    ...(served === undefined ? {} : { servedVersion: served.version }),
    ...(coming === undefined || coming === served?.version ? {} : { candidateVersion: coming }),
    ...revisionShown(deployment, { failed, wanted, candidate }),
    weights: weightsSeen(plan, { shares, served }, carried),
    replicas: progress.replicas,
    readyReplicas: shares.reduce((sum, share) => sum + share.ready, 0),
    selector: Object.entries(selectorOf(deployment))
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    url: urlOf(deployment),
    ...(failed === undefined ? {} : { lastFailureInfo: infoOf(failed) }),
  };
};

const comingUp = ({ situation, wanted }: Plan, { complete }: Progress): string | undefined =>
  situation.is === 'canary' || (situation.is === 'following' && !complete)
    ? wanted?.spec.version
    : undefined;

const infoOf = ({ reason, message, version, time }: FailedAttempt) => ({
  reason,
  message,
  version,
  time,
});

/** As many as status.weights may hold. */
const MOST_WEIGHTS = 16;

/** Shares in percent that add up to 100, the wanted version first. */
const weightsOf = (
  shares: readonly Share[],
  wanted: ModelVersion | undefined,
  served: Share | undefined,
) => {
  const label = wanted === undefined ? undefined : labelValue(wanted.metadata.name);
  const first = (share: Share): number => (share.name === label ? 0 : 1);
  const shown = shares.toSorted((a, b) => first(a) - first(b)).slice(0, MOST_WEIGHTS);
  const total = shown.reduce((sum, { ready: count }) => sum + count, 0);
  let left = 100;
  return shown.map((share, index) => {
    const rounded = Math.min(left, Math.round((100 * share.ready) / total));
    const weight = index === shown.length - 1 ? left : rounded;
    left -= weight;
    return { name: roleOf(share, label, served), version: share.version, weight };
  });
};

/** Names must differ: when versions follow quickly, pods of more than two are ready at once. */
const roleOf = ({ name }: Share, wanted: string | undefined, served: Share | undefined): string => {
  if (name === served?.name) return 'stable';
  return name === wanted ? 'candidate' : `leaving-${shortHash(name)}`;
};
