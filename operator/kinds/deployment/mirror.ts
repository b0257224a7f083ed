/** Which answers of a mirror are to be compared, and what the status says of it. Pure. */
import type { Deployment, DeploymentStatus } from '../../../crds/schema/deployment.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { routesAt } from '../../traffic/step-plan.ts';
import { isRouted } from './canary-plan.ts';
import type { Observation, Plan } from './plan.ts';
import type { ShadowReport, Side } from './shadow.ts';
import type { ShadowQuery } from './shadow-store.ts';
import { SHADOW_MS } from './shadow-reports.ts';

/** Undefined while no copies go anywhere, or their answers are not logged. */
export const shadowQuery = (
  observation: Observation,
  { candidate, target }: Plan,
): ShadowQuery | undefined => {
  const { metadata, spec } = observation.deployment;
  const { logger } = spec.predictor;
  if (candidate?.isServing !== true || target === undefined || !isRouted(observation)) {
    return undefined;
  }
  const steps = spec.strategy?.canary?.steps ?? [];
  const { step, judgedFrom } = candidate.memory;
  if (routesAt(steps, step).mirrors.length === 0) return undefined;
  if (logger === undefined || logger.mode === 'request') return undefined;
  return {
    ...{ namespace: metadata.namespace, deployment: metadata.name, since: judgedFrom },
    ...{ stable: target.spec.version, candidate: candidate.version.spec.version },
  };
};

/** The last report stays when its mirror ends, until there is another one. */
export const withShadow = (
  outcome: Outcome,
  { status }: Deployment,
  query: ShadowQuery | undefined,
  report: ShadowReport | undefined,
): Outcome => {
  const shadow = report === undefined ? status?.shadow : shownOf(report);
  const after = [outcome.requeueAfterMs, query && SHADOW_MS].filter((each) => each !== undefined);
  return {
    ...outcome,
    status: { ...outcome.status, ...(shadow === undefined ? {} : { shadow }) },
    ...(after.length === 0 ? {} : { requeueAfterMs: Math.min(...after) }),
  };
};

const shownOf = (report: ShadowReport): NonNullable<DeploymentStatus['shadow']> => {
  const { since, pairs, compared, agreeing, agreement, outputs } = report;
  const relative = outputs.flatMap(({ maxRelative }) => maxRelative ?? []);
  return {
    ...{ since, pairs, compared, agreeing },
    ...(agreement === undefined ? {} : { agreement }),
    ...(relative.length === 0 ? {} : { maxRelative: Math.max(...relative) }),
    ...{ stable: sideOf(report.stable), candidate: sideOf(report.candidate) },
  };
};

const sideOf = ({ version, errors, p50Ms, p99Ms }: Side) => ({
  version,
  errors,
  ...(p50Ms === undefined ? {} : { p50Ms }),
  ...(p99Ms === undefined ? {} : { p99Ms }),
});
