/** Whether a version takes over step by step, and where that stands, from all that was observed. Pure. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { replicasAt, routesAt, weightAt } from '../../traffic/step-plan.ts';
import { judge } from './analysis.ts';
import { isAutoscaled } from './autoscaling.ts';
import {
  candidateOf,
  failureOf,
  type Candidate,
  type CanarySpec,
  type Failure,
  type Situation,
} from './canary.ts';
import { crashesOf } from './crashes.ts';
import { canaryMemoryOf, lastGoodOf } from './memory.ts';
import { isNamed, type Observation, type Plan } from './plan.ts';
import { attemptOf, podsOfTemplate, progressOf, type Progress } from './rollout.ts';
import { istioOf, NO_SPLIT, routedWeight, type Split } from './routing.ts';
import { assignmentOf } from './trial.ts';

export type CanaryNext =
  | { readonly failure: Failure }
  | {
      readonly failure?: undefined;
      readonly candidate: Candidate;
      /** What the stable pods are to run meanwhile. */
      readonly target: ModelVersion;
    };

type Following = Plan & {
  readonly wanted: ModelVersion;
  /** What serves until it takes over. */
  readonly stable: ModelVersion;
};

/** Undefined: the wanted version takes over by a rolling update, or has done so. */
export const nextOfCanary = (
  observation: Observation,
  following: Following,
  now: Date,
): CanaryNext | undefined => {
  const { deployment } = observation;
  const spec = deployment.spec.strategy?.canary;
  if (spec === undefined) return undefined;
  const attempt = attemptOf(deployment, following.wanted.metadata.name);
  if (!goesByStep(spec, attempt, observation, following)) return undefined;
  const situation = situationOf(spec, attempt, observation, following);
  const failure = failureOf(situation);
  if (failure !== undefined) return { failure };
  const candidate = candidateOf(situation, now);
  const takesOver = candidate.memory.step >= spec.steps.length;
  return { candidate, target: takesOver ? following.wanted : following.stable };
};

const goesByStep = (
  spec: CanarySpec,
  attempt: string,
  observation: Observation,
  { wanted, lastGood, progress, served }: Following,
): boolean => {
  const { apps } = observation.candidate;
  const memory = canaryMemoryOf(apps);
  const takesOver = memory?.attempt === attempt && memory.step >= spec.steps.length;
  if (isNamed(lastGood)(wanted)) return takesOver && !canTakeAll(observation, progress);
  if (isWithinRollbackWindow(spec, wanted, served)) return false;
  // The stable pods were rolled already, by something other than steps: so be it.
  return takesOver || !isNamed(progress.current)(wanted);
};

/** Whether stable pods that an autoscaler let go are back before all requests are. */
const canTakeAll = ({ deployment, candidate }: Observation, { available }: Progress): boolean =>
  !isAutoscaled(deployment) || available >= (candidate.apps?.status?.availableReplicas ?? 0);

const situationOf = (
  spec: CanarySpec,
  attempt: string,
  observation: Observation,
  { wanted, progress }: Following,
): Situation => {
  const { deployment, candidate } = observation;
  const pods = stablePods(progress, deployment);
  return {
    ...{ spec, version: wanted, attempt, memory: canaryMemoryOf(candidate.apps) },
    annotations: deployment.metadata.annotations ?? {},
    progress: progressOfCandidate(observation, wanted),
    replicasAt: (step: number) => replicasAt(spec.steps, step, pods),
    weightAt: (step: number) => weightAt(spec.steps, step),
    routed: routedTo(observation),
    // Pods of an attempt before may still be on their way out, with what was found out about them.
    verdict:
      canaryMemoryOf(candidate.apps)?.attempt === attempt
        ? verdictOf(spec, observation)
        : undefined,
  };
};

const isWithinRollbackWindow = (
  { rollbackWindow }: CanarySpec,
  wanted: ModelVersion,
  served: readonly string[],
): boolean =>
  rollbackWindow !== undefined &&
  served.slice(0, rollbackWindow.revisions).some((name) => isNamed(name)(wanted));

/** As many as serve now, or will once they are up. */
export const stablePods = ({ replicas }: Progress, { spec }: Deployment): number =>
  Math.max(1, replicas, spec.predictor.replicas ?? spec.predictor.minReplicas ?? 1);

const progressOfCandidate = (
  { candidate }: Observation,
  wanted: ModelVersion,
): Progress | undefined => {
  const progress = progressOf(candidate);
  if (candidate.apps === undefined || !isNamed(progress.current)(wanted)) return undefined;
  const failure = progress.failure ?? crashesOf(podsOfTemplate(candidate));
  return { ...progress, failure };
};

const verdictOf = ({ analysis }: CanarySpec, { evidence, checks }: Observation) => {
  if (analysis === undefined || evidence === undefined) return undefined;
  const ofJobs = checks.map((each) => [each.metric.name, each.measured] as const);
  return judge(analysis, { ...evidence, measured: new Map([...evidence.measured, ...ofJobs]) });
};

/** The version that serves while another comes up. */
export const stableOf = ({
  versions,
  fleet,
}: Pick<Observation, 'versions' | 'fleet'>): ModelVersion | undefined =>
  versions.find(isNamed(lastGoodOf(fleet.apps) ?? progressOf(fleet).current));

/** Whether a route splits the requests; else the number of pods does. */
export const isRouted = ({ deployment, traffic }: Observation): boolean =>
  istioOf(deployment) !== undefined && traffic.istio;

/** Percent of the requests that the candidate gets as things stand. */
const routedTo = (observation: Observation): number => {
  const { deployment, traffic, candidate } = observation;
  if (isRouted(observation)) return routedWeight(deployment, traffic.route);
  return canaryMemoryOf(candidate.apps)?.step === undefined ? 0 : replicaWeight(observation);
};

/** By pods: the weight of the step stands once its pods do. */
const replicaWeight = ({ deployment, candidate }: Observation): number => {
  const steps = deployment.spec.strategy?.canary?.steps ?? [];
  return weightAt(steps, canaryMemoryOf(candidate.apps)?.step ?? 0);
};

/** What the candidate gets while it stands at its step, and the candidates of a test. */
export const splitOf = (deployment: Deployment, { candidate, trial }: Plan): Split => {
  const steps = deployment.spec.strategy?.canary?.steps ?? [];
  const assigned = trial === undefined ? NO_SPLIT : { ...NO_SPLIT, ...assignmentOf(trial) };
  if (candidate?.isServing !== true) return assigned;
  const { mirrors, headers } = routesAt(steps, candidate.memory.step);
  return { ...assigned, weight: candidate.weight, mirrors, headerRoutes: headers };
};
