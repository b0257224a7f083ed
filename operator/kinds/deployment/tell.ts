import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Outcome, StatedCondition } from '../../runtime/reconciler.ts';
import { labelValue, shortHash } from '../names-of-children.ts';
import { condition, ready, settled, stalled, working, type Particulars } from '../outcome.ts';
import { isQuota } from '../quota-words.ts';
import { autoscaling } from './autoscaling.ts';
import { selectorOf, urlOf } from './children.ts';
import type { Plan } from './decide.ts';
import {
  attemptOf,
  progressOf,
  sharesOf,
  type FailedAttempt,
  type Fleet,
  type Progress,
  type Share,
} from './rollout.ts';

const LOOK_AGAIN_MS = 30_000;

/** What is said about a Deployment after its plan was carried out; `fleet` holds what was written. */
export const tell = (deployment: Deployment, plan: Plan, fleet: Fleet): Outcome => {
  const progress = progressOf(fleet);
  const shares = sharesOf(fleet);
  const served = servedOf(plan, progress, shares);
  const more: Particulars = {
    status: statusOf(deployment, plan, { progress, shares, served }),
    conditions: [...trafficRouting(deployment), ...autoscaling(deployment, fleet.autoscaler)],
  };
  const { situation } = plan;
  const stays = served === undefined ? '' : ` Version ${served.version} goes on serving.`;
  switch (situation.is) {
    case 'following':
      return following(plan, progress, stays, more);
    case 'unresolved': {
      const { reason, message, waits } = situation.fault;
      const summary = ready('False', reason, `${message}${stays}`);
      return waits ? working(summary, more) : stalled(summary, more);
    }
    case 'rolled-back':
      return stalled(ready('False', 'RolledBack', rolledBack(deployment, plan)), more);
    case 'failed':
      return stalled(
        ready(
          'False',
          'LoadFailed',
          `${attempted(plan)} There is no other version that served before.${retry(deployment, plan)}`,
        ),
        more,
      );
  }
};

const following = (
  { wanted }: Plan,
  progress: Progress,
  stays: string,
  more: Particulars,
): Outcome => {
  const version = wanted?.spec.version ?? '';
  if (progress.complete) {
    const message =
      progress.replicas === 0
        ? `Version ${version} is wanted on no pods; set spec.predictor.replicas to serve it.`
        : `Version ${version} serves all requests on ${progress.available} pod(s).`;
    return settled(ready('True', 'Ready', message), more);
  }
  if (progress.refused !== undefined) {
    const reason = isQuota(progress.refused) ? 'QuotaExceeded' : 'Forbidden';
    return stalled(
      ready(
        'False',
        reason,
        `The cluster refuses pods of version ${version}: ${progress.refused}. It goes on by itself once they are allowed.${stays}`,
      ),
      { ...more, requeueAfterMs: LOOK_AGAIN_MS },
    );
  }
  return working(
    ready(
      'False',
      'RolloutProgressing',
      `Version ${version} is coming up: ${progress.updated} pod(s) of it made, ${progress.available} pod(s) ready in all.${stays}`,
    ),
    more,
  );
};

const attempted = ({ failed }: Plan): string =>
  `Version ${failed?.version ?? ''} could not be served (${failed?.reason ?? ''}: ${failed?.message ?? ''}).`;

const rolledBack = (deployment: Deployment, plan: Plan): string =>
  `${attempted(plan)} Version ${plan.target?.spec.version ?? ''}, the last good one, serves instead.${retry(deployment, plan)}`;

const retry = ({ metadata }: Deployment, { failed }: Plan): string =>
  ` It is tried again when the spec or the alias changes, or with: kubectl annotate modeldeployment ${metadata.name} -n ${metadata.namespace} --overwrite ${ANNOTATIONS.retry}=${failed?.attempt ?? ''}`;

/** The version that answers: the wanted one once it has all pods, till then the one from before. */
const servedOf = (
  { lastGood }: Plan,
  { complete, current }: Progress,
  shares: readonly Share[],
): Share | undefined => {
  const named = (label: string | undefined) => shares.find(({ name }) => name === label);
  return (complete ? named(current) : named(lastGood)) ?? shares[0];
};

type Seen = {
  readonly progress: Progress;
  readonly shares: readonly Share[];
  readonly served: Share | undefined;
};

const statusOf = (
  deployment: Deployment,
  plan: Plan,
  { progress, shares, served }: Seen,
): Readonly<Record<string, unknown>> => {
  const { failed, wanted } = plan;
  const coming = comingUp(plan, progress);
  const revision = failed?.attempt ?? (wanted && attemptOf(deployment, wanted.metadata.name));
  return {
    ...(served === undefined ? {} : { servedVersion: served.version }),
    ...(coming === undefined || coming === served?.version ? {} : { candidateVersion: coming }),
    ...(revision === undefined ? {} : { revision }),
    weights: weightsOf(shares, wanted, served),
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
  situation.is === 'following' && !complete ? wanted?.spec.version : undefined;

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

const trafficRouting = ({ spec }: Deployment): readonly StatedCondition[] =>
  spec.strategy?.canary === undefined
    ? []
    : [
        condition(
          'TrafficRouting',
          'False',
          'NotImplemented',
          'This release does not act on spec.strategy.canary: versions take over by a rolling update, without steps and analysis.',
        ),
      ];
