/** Where a rollout by steps stands, in words. Pure. */
import type { Reason } from '../../../crds/schema/conditions.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { StatedCondition } from '../../runtime/reconciler.ts';
import { condition } from '../outcome.ts';
import { revisionOf, type Candidate, type Wait } from './canary.ts';
import type { Carried, Plan } from './plan.ts';
import { istioOf } from './routing.ts';
import { wordsOfStep } from './step-words.ts';

export const canaryWords = (
  deployment: Deployment,
  { candidate }: Plan,
  { checkRefused }: Pick<Carried, 'checkRefused'>,
  /** Who serves meanwhile, as a sentence. */
  stays: string,
): { readonly reason: Reason; readonly message: string } => {
  if (candidate === undefined) return { reason: 'RolloutProgressing', message: stays.trim() };
  const steps = deployment.spec.strategy?.canary?.steps ?? [];
  const { version, memory, weight, waits } = candidate;
  const at =
    memory.step < steps.length ? `step ${memory.step + 1} of ${steps.length}` : 'all steps done';
  const refused = checkRefused === undefined ? '' : ` Not measured: ${checkRefused}.`;
  return {
    reason: REASONS[waits.for],
    message: `Version ${version.spec.version} gets ${weight} % of the requests (${at}): ${waitWords(candidate)}.${refused}${stays}${goOnWords(deployment, candidate)}`,
  };
};

const REASONS: Readonly<Record<Wait['for'], Reason>> = {
  pods: 'RolloutProgressing',
  route: 'RolloutProgressing',
  time: 'RolloutProgressing',
  takeover: 'RolloutProgressing',
  promote: 'RolloutPaused',
  hold: 'RolloutPaused',
  verdict: 'AnalysisInconclusive',
};

/** What the step does that begins now. */
export const stepWords = (deployment: Deployment, { memory, version }: Candidate): string => {
  const steps = deployment.spec.strategy?.canary?.steps ?? [];
  const step = steps[memory.step];
  if (step === undefined) {
    return `Version ${version.spec.version} takes over: the stable pods change to it.`;
  }
  return `Version ${version.spec.version}, step ${memory.step + 1} of ${steps.length}: ${wordsOfStep(step)}.`;
};

const waitWords = ({ waits, version }: Candidate): string => {
  switch (waits.for) {
    case 'pods':
      return `${waits.available} of ${waits.replicas} pod(s) of it are ready${waits.refused === undefined ? '' : `; the cluster refuses pods: ${waits.refused}`}`;
    case 'route':
      return 'the route is being changed';
    case 'time':
      return `the step lasts until ${waits.until}`;
    case 'promote':
      return 'it waits until somebody goes on';
    case 'hold':
      return `it is held by the annotation ${ANNOTATIONS.pause}; remove it to go on`;
    case 'verdict':
      return `it waits for better numbers (${waits.words})`;
    case 'takeover':
      return `the stable pods change to version ${version.spec.version}`;
  }
};

/** A command to copy comes last, without a full stop. */
const goOnWords = (deployment: Deployment, { waits, memory }: Candidate): string => {
  if (waits.for !== 'promote' && waits.for !== 'verdict') return '';
  const how = waits.for === 'promote' ? 'To go on' : 'To go on without them';
  return ` ${how}: ${annotate(deployment, ANNOTATIONS.promote, revisionOf(memory))}`;
};

const annotate = ({ metadata }: Deployment, name: string, value: string): string =>
  `kubectl annotate modeldeployment ${metadata.name} -n ${metadata.namespace} --overwrite ${name}=${value}`;

/** How requests are split between versions; nothing where a rolling update is all there is. */
export const trafficRouting = (
  deployment: Deployment,
  { isRouted, hostTaken }: Carried,
): readonly StatedCondition[] => {
  if (deployment.spec.strategy?.canary === undefined) return [];
  const routing = (status: 'True' | 'False', reason: Reason, message: string) => [
    condition('TrafficRouting', status, reason, message),
  ];
  if (hostTaken !== undefined) return routing('False', 'HostTaken', hostTaken);
  if (isRouted) {
    return routing(
      'True',
      'Routed',
      'An Istio VirtualService splits requests that come through its gateways or a sidecar; callers that pass neither always get the stable version.',
    );
  }
  if (istioOf(deployment) === undefined) {
    return routing(
      'True',
      'ReplicaWeighted',
      'Requests are split by the number of pods of each version; state spec.strategy.canary.trafficRouting.istio for exact shares.',
    );
  }
  return routing(
    'False',
    'TrafficRoutingUnavailable',
    'This cluster has no Istio (networking.istio.io), so requests are split by the number of pods of each version; header and mirror routes have no effect.',
  );
};
