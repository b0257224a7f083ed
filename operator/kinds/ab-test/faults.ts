/** Why a test cannot run as it is. Pure. */
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import { holderOf, isReady, sameVersion } from '../model-versions.ts';
import type { Observation, Plan } from './plan.ts';
import { definitionsOf, metricFault } from './test-metrics.ts';

export const faultOf = (observation: Observation): Plan | undefined =>
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
