import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import {
  APPS_DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  JOB,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICA_SET,
  SERVICE,
} from '../../runtime/kubernetes-types.ts';
import { VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import type { Outcome, Pass, PolicyRule, Reconciler, Watch } from '../../runtime/reconciler.ts';
import { keyOf } from '../../runtime/resource-type.ts';
import { modelKeyOf } from '../model-versions.ts';
import { ready, stalled } from '../outcome.ts';
import type { Ports } from '../ports.ts';
import { refusalOf } from '../refusal.ts';
import { announce, announcePromotion } from './announce.ts';
import { isRouted } from './canary-plan.ts';
import { decide } from './decide.ts';
import { analysisIntervalMs } from './metrics/observe-evidence.ts';
import { AB_TEST, DEPLOYMENT, MODEL_ALIAS, MODEL_VERSION, modelOf, observe } from './observe.ts';
import { shadowQuery, withShadow } from './mirror.ts';
import type { Carried, Observation, Plan } from './plan.ts';
import { promote } from './promote.ts';
import { istioOf } from './routing.ts';
import type { ShadowReport } from './shadow.ts';
import type { ShadowQuery } from './shadow-store.ts';
import { tell } from './tell.ts';
import { withPromotion } from './tell-promotion.ts';
import { writeChildren } from './write.ts';

export const deploymentReconciler = (
  ports: Pick<Ports, 'children' | 'traffic' | 'ownData' | 'probe' | 'shadow'>,
): Reconciler<Deployment> => ({
  type: DEPLOYMENT,
  fieldManager: 'mlops-deployment',
  owns: [
    APPS_DEPLOYMENT,
    SERVICE,
    POD_DISRUPTION_BUDGET,
    HORIZONTAL_POD_AUTOSCALER,
    VIRTUAL_SERVICE,
    // Of metrics of the canary, and of gates of the promotion.
    JOB,
  ],
  metadataOnly: [SERVICE, POD_DISRUPTION_BUDGET],
  watches: [
    wakesFollowersOf(MODEL_VERSION),
    wakesFollowersOf(MODEL_ALIAS),
    { type: DEPLOYMENT, keysFor: thoseAfter },
    { type: REPLICA_SET, labelSelector: LABELS.deployment, keysFor: keyFromLabel },
    { type: POD, labelSelector: LABELS.modelVersion, keysFor: keyFromLabel },
    {
      type: AB_TEST,
      keysFor: (object) => [
        {
          namespace: object.metadata.namespace ?? '',
          name: (object as ABTest).spec.deploymentRef.name,
        },
      ],
    },
    // Whoever else claims a host; what becomes of it is found out at the next look.
    { type: VIRTUAL_SERVICE, keysFor: () => [] },
  ],
  permissions: [
    writes('apps', 'deployments'),
    writes('', 'services'),
    writes('policy', 'poddisruptionbudgets'),
    writes('autoscaling', 'horizontalpodautoscalers'),
    writes('networking.istio.io', 'virtualservices'),
    writes('batch', 'jobs'),
    { apiGroups: [''], resources: ['events'], verbs: ['list'] },
    {
      apiGroups: [MODEL_ALIAS.group],
      resources: [MODEL_ALIAS.plural],
      verbs: ['create', 'patch'],
    },
  ],
  reconcile: async (deployment, pass) => {
    // First, so that an alias it moves is followed in the same pass.
    const promoting = await promote(deployment, pass, ports.children);
    if (promoting !== undefined) announcePromotion(deployment, promoting, pass);
    const observation = await observe(deployment, pass, ports);
    const plan = decide(observation, pass.now);
    const outcome = await act(observation, plan, pass, ports);
    const query = shadowQuery(observation, plan);
    const report = lookAtMirror(deployment, query, pass, ports.shadow);
    const told = withShadow(outcome, deployment, query, report);
    return withPromotion(told, deployment, promoting, pass.now);
  },
});

const writes = (apiGroup: string, resource: string): PolicyRule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs: ['create', 'patch', 'delete'],
});

const act = async (
  observation: Observation,
  plan: Plan,
  pass: Pass,
  { children }: Pick<Ports, 'children'>,
): Promise<Outcome> => {
  const { deployment, fleet, candidate, trials } = observation;
  announce(observation, plan, pass);
  try {
    const carried = await writeChildren(observation, plan, pass, children);
    const outcome = forIstio(tell(deployment, plan, carried), deployment, carried);
    return lookingAgain(outcome, deployment, plan, pass.now);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { status, conditions } = tell(deployment, plan, {
      ...{ fleet, candidate, trials, isRouted: isRouted(observation) },
      ...{ hostTaken: undefined, lookAgainMs: undefined },
    });
    const summary = ready(
      'False',
      refusal.reason,
      `The API server refuses a child of this Deployment: ${refusal.words}`,
    );
    return stalled(summary, {
      status,
      conditions: conditions.filter(({ type }) => type !== 'Ready'),
      ...(refusal.reason === 'InvalidTemplate' ? {} : { requeueAfterMs: 30_000 }),
    });
  }
};

/** Nothing tells a settled Deployment that Istio was installed. */
const forIstio = (outcome: Outcome, deployment: Deployment, { isRouted }: Carried): Outcome =>
  istioOf(deployment) === undefined || isRouted
    ? outcome
    : { ...outcome, requeueAfterMs: Math.min(outcome.requeueAfterMs ?? Infinity, ISTIO_LOOK_MS) };

const ISTIO_LOOK_MS = 30_000;

const lookAtMirror = (
  { metadata: { uid } }: Deployment,
  query: ShadowQuery | undefined,
  pass: Pass,
  shadow: Ports['shadow'],
): ShadowReport | undefined => {
  if (query === undefined) {
    shadow?.forget(uid);
    return undefined;
  }
  return shadow?.look(uid, query, pass.now, (err) =>
    pass.log.warn({ err }, 'the answers of a mirror could not be compared'),
  );
};

/** A step that waits for time or for numbers is looked at again when they can have come. */
const lookingAgain = (
  outcome: Outcome,
  deployment: Deployment,
  { candidate }: Plan,
  now: Date,
): Outcome => {
  const waits = candidate?.waits;
  const after = [
    outcome.requeueAfterMs,
    candidate && analysisIntervalMs(deployment),
    waits?.for === 'time' ? Math.max(0, Date.parse(waits.until) - now.getTime()) : undefined,
  ].filter((each) => each !== undefined);
  return after.length === 0 ? outcome : { ...outcome, requeueAfterMs: Math.min(...after) };
};

const wakesFollowersOf = (type: Watch['type']): Watch => ({
  type,
  keysFor: (object, lookup) => {
    const model = modelKeyOf(object as ModelVersion | ModelAlias);
    return lookup
      .own<Deployment>(model.namespace)
      .filter((deployment) => modelOf(deployment).name === model.name)
      .map(keyOf);
  },
});

/** What a Deployment serves may be what those that follow it wait for. */
const thoseAfter: Watch['keysFor'] = ({ metadata }, lookup) =>
  lookup
    .own<Deployment>(metadata.namespace ?? '')
    .filter(({ spec }) => spec.promotion?.from.name === metadata.name)
    .map(keyOf);

const keyFromLabel: Watch['keysFor'] = ({ metadata }) => {
  const name = metadata.labels?.[LABELS.deployment];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
};
