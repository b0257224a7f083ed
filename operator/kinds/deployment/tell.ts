import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { ready, settled, stalled, working, type Particulars } from '../outcome.ts';
import { isQuota } from '../quota-words.ts';
import { autoscaling } from './autoscaling.ts';
import type { Carried, Plan } from './plan.ts';
import { progressOf, sharesOf, type Progress } from './rollout.ts';
import { canaryWords, trafficRouting } from './tell-canary.ts';
import { servedOf, statusOf } from './tell-status.ts';

const LOOK_AGAIN_MS = 30_000;

/** What is said about a Deployment after its plan was carried out. */
export const tell = (deployment: Deployment, plan: Plan, carried: Carried): Outcome => {
  const { fleet } = carried;
  const progress = progressOf(fleet);
  const shares = sharesOf(fleet);
  const served = servedOf(plan, progress, shares);
  const more: Particulars = {
    status: statusOf(deployment, plan, { progress, shares, served }, carried),
    conditions: [
      ...trafficRouting(deployment, carried),
      ...autoscaling(deployment, fleet.autoscaler),
    ],
    ...(carried.lookAgainMs === undefined ? {} : { requeueAfterMs: carried.lookAgainMs }),
  };
  const { situation } = plan;
  const stays = served === undefined ? '' : ` Version ${served.version} goes on serving.`;
  switch (situation.is) {
    case 'following':
      return following(plan, progress, stays, more);
    case 'canary': {
      const { reason, message } = canaryWords(deployment, plan, carried, stays);
      return working(ready('False', reason, message), more);
    }
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

/** Why a version was taken out that could be served. */
const SERVED = ['Aborted', 'AnalysisFailed'];

const attempted = ({ failed }: Plan): string => {
  const { version = '', reason = '', message = '' } = failed ?? {};
  const what = SERVED.includes(reason) ? 'was taken out' : 'could not be served';
  return `Version ${version} ${what} (${reason}: ${message}).`;
};

const rolledBack = (deployment: Deployment, plan: Plan): string =>
  `${attempted(plan)} Version ${plan.target?.spec.version ?? ''}, the last good one, serves instead.${retry(deployment, plan)}`;

const retry = ({ metadata }: Deployment, { failed }: Plan): string =>
  ` It is tried again when the spec or the alias changes, or with: kubectl annotate modeldeployment ${metadata.name} -n ${metadata.namespace} --overwrite ${ANNOTATIONS.retry}=${failed?.attempt ?? ''}`;
