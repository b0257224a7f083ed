/** Carries out a plan: routes first, then pods, so that nothing is sent where nobody answers. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import {
  APPS_DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  POD_DISRUPTION_BUDGET,
  SERVICE,
} from '../../runtime/kubernetes-types.ts';
import { VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { ResourceType } from '../../runtime/resource-type.ts';
import { together } from '../../runtime/together.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import type { ChildDefaults } from '../ports.ts';
import { isAutoscaled } from './autoscaling.ts';
import type { Candidate } from './canary.ts';
import { isRouted, splitOf } from './canary-plan.ts';
import {
  appsDeployment,
  horizontalPodAutoscaler,
  podDisruptionBudget,
  service,
} from './children.ts';
import { leavingVariants } from './leaving.ts';
import { writeChecks } from './metrics/write-checks.ts';
import { annotationsOf, routeAnnotations, routeOf } from './memory.ts';
import { CANDIDATE, MEMORY, nameOfVariant, STABLE } from './names.ts';
import type { Carried, Observation, Plan } from './plan.ts';
import type { Trial } from './trial.ts';
import {
  hostTakenBy,
  istioOf,
  virtualService,
  wasChangedByHand,
  type VirtualService,
} from './routing.ts';

/** Without a version to serve, only what is there is kept. */
export const writeChildren = async (
  observation: Observation,
  plan: Plan,
  pass: Pass,
  defaults: ChildDefaults,
): Promise<Carried> => {
  const { deployment, fleet, candidate, trials } = observation;
  const routed = isRouted(observation);
  const { target } = plan;
  if (target === undefined) return { fleet, candidate, trials, isRouted: routed, ...NOTHING_MORE };
  await writeServices(deployment, plan, pass, routed);
  const { hash: route, hostTaken } = routed
    ? await writeRoute(observation, plan, pass)
    : await dropRoute(observation, pass);
  const leaving = leavingVariants(observation, plan, pass.now);
  const remembered = routeAnnotations({ route, leaving: leaving.since });
  const [apps] = await together([
    writeStable(observation, { ...plan, target }, pass, defaults),
    pass.apply(POD_DISRUPTION_BUDGET, podDisruptionBudget(deployment, remembered)),
  ]);
  const means = { defaults, isScaled: routed && isAutoscaled(deployment) };
  const written = await writeCandidate(deployment, plan.candidate, pass, means);
  await writeTrial(deployment, plan.trial, pass, means);
  for (const variant of leaving.over) await dropVariant(deployment, variant, pass);
  const checkRefused = await writeChecks(observation, plan, pass, defaults);
  return {
    fleet: { ...fleet, apps },
    candidate: { ...candidate, apps: written ?? candidate.apps },
    trials,
    isRouted: routed,
    hostTaken,
    lookAgainMs: leaving.leftMs,
    checkRefused,
  };
};

/** First, since nothing should run under a name that belongs to someone else. */
const writeServices = async (
  deployment: Deployment,
  { candidate, trial }: Plan,
  pass: Pass,
  routed: boolean,
): Promise<void> => {
  const everyPod = candidate !== undefined && !routed;
  await pass.apply(SERVICE, service(deployment, STABLE, everyPod));
  const beside = [
    ...(candidate === undefined ? [] : [CANDIDATE]),
    ...(trial?.variants ?? []).map(({ name }) => name),
  ];
  for (const variant of beside) await pass.apply(SERVICE, service(deployment, variant));
};

const NOTHING_MORE = { hostTaken: undefined, lookAgainMs: undefined };

type Route = { readonly hash: string | undefined; readonly hostTaken: string | undefined };

const writeRoute = async (
  { deployment, traffic }: Observation,
  plan: Plan,
  pass: Pass,
): Promise<Route> => {
  const taken = hostTakenBy(deployment, pass.cachedEverywhere<VirtualService>(VIRTUAL_SERVICE));
  const wanted = virtualService(deployment, splitOf(deployment, plan), taken?.host);
  if (wasChangedByHand(traffic.route, wanted, routeOf(traffic.budget))) {
    const what = traffic.route === undefined ? 'deleted' : 'changed';
    pass.event(
      'Warning',
      'RouteRestored',
      `VirtualService ${wanted.metadata.name} was ${what} by somebody else; it is put back.`,
    );
  }
  await pass.apply(VIRTUAL_SERVICE, wanted);
  return {
    hash: wanted.metadata.annotations?.[MEMORY.route],
    hostTaken:
      taken &&
      `Host ${taken.host} belongs to VirtualService ${taken.by.metadata.name} in namespace ${taken.by.metadata.namespace ?? ''}, which is older; choose another host, or ask its owner.`,
  };
};

const dropRoute = async ({ deployment, traffic }: Observation, pass: Pass): Promise<Route> => {
  if (traffic.route !== undefined && istioOf(deployment) === undefined) {
    await pass.delete(VIRTUAL_SERVICE, traffic.route);
  }
  return { hash: undefined, hostTaken: undefined };
};

const writeStable = async (
  { deployment, candidate }: Observation,
  plan: Plan & { readonly target: ModelVersion },
  pass: Pass,
  defaults: ChildDefaults,
): Promise<AppsDeployment> => {
  const { target: version, replicas } = plan;
  const pods = { variant: STABLE, version, replicas };
  const annotations = annotationsOf(plan);
  const apps = await pass.apply<AppsDeployment>(
    APPS_DEPLOYMENT,
    appsDeployment(deployment, { ...pods, annotations }, defaults),
  );
  // All requests come back to them at once when they have taken over.
  const takesOver = plan.candidate?.waits.for === 'takeover';
  const atLeast = takesOver ? (candidate.apps?.status?.availableReplicas ?? 0) : 0;
  await writeAutoscaler(deployment, { variant: STABLE, atLeast }, pass);
  return apps;
};

type Means = { readonly defaults: ChildDefaults; readonly isScaled: boolean };

const writeCandidate = async (
  deployment: Deployment,
  candidate: Candidate | undefined,
  pass: Pass,
  { defaults, isScaled }: Means,
): Promise<AppsDeployment | undefined> => {
  if (candidate === undefined) return undefined;
  const { version, memory, replicas } = candidate;
  const annotations = { [MEMORY.canary]: JSON.stringify(memory) };
  const pods = { variant: CANDIDATE, version, annotations };
  const apps = await pass.apply<AppsDeployment>(
    APPS_DEPLOYMENT,
    appsDeployment(deployment, { ...pods, replicas: isScaled ? undefined : replicas }, defaults),
  );
  if (isScaled) await writeAutoscaler(deployment, { variant: CANDIDATE, atLeast: replicas }, pass);
  return apps;
};

const writeAutoscaler = async (
  deployment: Deployment,
  { variant, atLeast }: { readonly variant: string; readonly atLeast: number },
  pass: Pass,
): Promise<void> => {
  const autoscaler = horizontalPodAutoscaler(deployment, variant, atLeast);
  if (autoscaler === undefined) await drop(HORIZONTAL_POD_AUTOSCALER, deployment, variant, pass);
  else await pass.apply(HORIZONTAL_POD_AUTOSCALER, autoscaler);
};

const writeTrial = async (
  deployment: Deployment,
  trial: Trial | undefined,
  pass: Pass,
  { defaults, isScaled }: Means,
): Promise<void> => {
  for (const { name: variant, version, replicas } of trial?.variants ?? []) {
    const pods = { variant, version, replicas: isScaled ? undefined : replicas, annotations: {} };
    await pass.apply(APPS_DEPLOYMENT, appsDeployment(deployment, pods, defaults));
    if (isScaled) await writeAutoscaler(deployment, { variant, atLeast: replicas }, pass);
  }
};

const dropVariant = async (deployment: Deployment, variant: string, pass: Pass): Promise<void> => {
  for (const type of [HORIZONTAL_POD_AUTOSCALER, SERVICE, APPS_DEPLOYMENT]) {
    await drop(type, deployment, variant, pass);
  }
};

const drop = async (
  type: ResourceType,
  { metadata }: Deployment,
  variant: string,
  pass: Pass,
): Promise<void> => {
  const name = nameOfVariant(metadata.name, variant);
  for (const left of pass.owned(type)) {
    if (left.metadata.name === name) await pass.delete(type, left);
  }
};
