import { deployment as definition, type Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import {
  APPS_DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICA_SET,
  SERVICE,
} from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Outcome, Pass, PolicyRule, Reconciler, Watch } from '../../runtime/reconciler.ts';
import { keyOf } from '../../runtime/resource-type.ts';
import { together } from '../../runtime/together.ts';
import type { AppsDeployment, Autoscaler, Pod, ReplicaSet } from '../kubernetes-objects.ts';
import { modelKeyOf, versionsOf, type ModelKey } from '../model-versions.ts';
import { labelValue } from '../names-of-children.ts';
import { ready, stalled } from '../outcome.ts';
import type { ChildDefaults, Ports } from '../ports.ts';
import { refusalOf } from '../refusal.ts';
import {
  appsDeployment,
  horizontalPodAutoscaler,
  podDisruptionBudget,
  service,
} from './children.ts';
import { decide, type Observation, type Plan } from './decide.ts';
import { attemptOf, retryOf, type Fleet } from './rollout.ts';
import { tell } from './tell.ts';

const MODEL_VERSION = ownType(modelVersion);
const MODEL_ALIAS = ownType(modelAlias);

export const deploymentReconciler = ({
  children,
}: Pick<Ports, 'children'>): Reconciler<Deployment> => ({
  type: ownType(definition),
  fieldManager: 'mlops-deployment',
  owns: [APPS_DEPLOYMENT, SERVICE, POD_DISRUPTION_BUDGET, HORIZONTAL_POD_AUTOSCALER],
  metadataOnly: [SERVICE, POD_DISRUPTION_BUDGET],
  watches: [
    wakesFollowersOf(MODEL_VERSION),
    wakesFollowersOf(MODEL_ALIAS),
    { type: REPLICA_SET, labelSelector: LABELS.deployment, keysFor: keyFromLabel },
    { type: POD, labelSelector: LABELS.modelVersion, keysFor: keyFromLabel },
  ],
  permissions: [
    writes('apps', 'deployments'),
    writes('', 'services'),
    writes('policy', 'poddisruptionbudgets'),
    writes('autoscaling', 'horizontalpodautoscalers'),
  ],
  reconcile: async (deployment, pass) => {
    const observation = observe(deployment, pass);
    const plan = decide(observation, pass.now);
    return act(observation, plan, pass, children);
  },
});

const writes = (apiGroup: string, resource: string): PolicyRule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs: ['create', 'patch', 'delete'],
});

const observe = (deployment: Deployment, pass: Pass): Observation => {
  const model = modelOf(deployment);
  const name = deployment.metadata.name;
  const isItsOwn = ({ metadata }: ReplicaSet | Pod): boolean =>
    metadata.labels?.[LABELS.deployment] === name;
  return {
    deployment,
    versions: versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), model),
    aliases: pass
      .cachedList<ModelAlias>(MODEL_ALIAS)
      .filter((alias) => modelKeyOf(alias).name === model.name),
    fleet: {
      apps: pass
        .owned<AppsDeployment>(APPS_DEPLOYMENT)
        .find(({ metadata }) => metadata.name === name),
      replicaSets: pass.cachedList<ReplicaSet>(REPLICA_SET).filter(isItsOwn),
      pods: pass.cachedList<Pod>(POD).filter(isItsOwn),
      autoscaler: pass.owned<Autoscaler>(HORIZONTAL_POD_AUTOSCALER)[0],
    },
  };
};

const modelOf = ({ metadata, spec }: Deployment): ModelKey =>
  modelKeyOf({ metadata, spec: spec.predictor.model });

const act = async (
  { deployment, fleet }: Observation,
  plan: Plan,
  pass: Pass,
  defaults: ChildDefaults,
): Promise<Outcome> => {
  announce(deployment, plan, pass);
  try {
    const apps = await writeChildren(deployment, { plan, fleet }, pass, defaults);
    return tell(deployment, plan, { ...fleet, apps });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { status, conditions } = tell(deployment, plan, fleet);
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

/** Server-side apply of everything; without a version to serve, only what is there is kept. */
const writeChildren = async (
  deployment: Deployment,
  { plan, fleet }: { readonly plan: Plan; readonly fleet: Fleet },
  pass: Pass,
  defaults: ChildDefaults,
): Promise<Fleet['apps']> => {
  if (plan.target === undefined) return fleet.apps;
  // First, since nothing should run under a name that belongs to someone else.
  await pass.apply(SERVICE, service(deployment));
  const autoscaler = horizontalPodAutoscaler(deployment);
  if (autoscaler === undefined) {
    for (const left of pass.owned(HORIZONTAL_POD_AUTOSCALER)) {
      await pass.delete(HORIZONTAL_POD_AUTOSCALER, left);
    }
  }
  const [apps] = await together([
    pass.apply<AppsDeployment>(
      APPS_DEPLOYMENT,
      appsDeployment(deployment, plan.target, plan, defaults),
    ),
    pass.apply(POD_DISRUPTION_BUDGET, podDisruptionBudget(deployment)),
  ]);
  if (autoscaler !== undefined) await pass.apply(HORIZONTAL_POD_AUTOSCALER, autoscaler);
  return apps;
};

const announce = (deployment: Deployment, plan: Plan, pass: Pass): void => {
  const { target, progress, failed, situation } = plan;
  const retry = retryOf(deployment);
  if (failed !== undefined && retry !== undefined && isUnknownRetry(deployment, plan)) {
    pass.event(
      'Warning',
      'RetryIgnored',
      `The annotation retry is ${retry}, which is no attempt that failed; the last one is ${failed.attempt}.`,
    );
  }
  if (target === undefined || situation.is === 'rolled-back') return;
  if (labelValue(target.metadata.name) === progress.current || progress.current === undefined)
    return;
  pass.event(
    'Normal',
    'RolloutStarted',
    `Rolling from ${progress.current} to version ${target.spec.version}.`,
  );
};

/** A retry that was followed is part of the attempt's name; any other value means nothing. */
const isUnknownRetry = (deployment: Deployment, { wanted, failed }: Plan): boolean =>
  wanted !== undefined && failed?.attempt !== attemptOf(deployment, wanted.metadata.name);

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

const keyFromLabel: Watch['keysFor'] = ({ metadata }) => {
  const name = metadata.labels?.[LABELS.deployment];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
};
