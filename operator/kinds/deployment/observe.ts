/** All that a pass over a Deployment reads, as one plain value. */
import { abTest, type ABTest } from '../../../crds/schema/ab-test.ts';
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
} from '../../runtime/kubernetes-types.ts';
import { VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { AppsDeployment, Autoscaler, Pod, ReplicaSet } from '../kubernetes-objects.ts';
import { modelKeyOf, versionsOf, type ModelKey } from '../model-versions.ts';
import { canaryMemoryOf } from './memory.ts';
import { observeChecks } from './metrics/observe-checks.ts';
import { observeEvidence, type Witnesses } from './metrics/observe-evidence.ts';
import { CANDIDATE, nameOfVariant, STABLE } from './names.ts';
import type { Observation } from './plan.ts';
import { type Fleet } from './rollout.ts';
import { type VirtualService } from './routing.ts';
import { runningTest } from './trial.ts';

export const DEPLOYMENT = ownType(definition);
export const MODEL_VERSION = ownType(modelVersion);
export const MODEL_ALIAS = ownType(modelAlias);
export const AB_TEST = ownType(abTest);

export const modelOf = ({ metadata, spec }: Deployment): ModelKey =>
  modelKeyOf({ metadata, spec: spec.predictor.model });

export const observe = async (
  deployment: Deployment,
  pass: Pass,
  witnesses: Witnesses,
): Promise<Observation> => {
  const model = modelOf(deployment);
  const { name } = deployment.metadata;
  const candidate = fleetOf(name, CANDIDATE, pass);
  const fleet = fleetOf(name, STABLE, pass);
  const versions = versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), model);
  return {
    deployment,
    versions,
    aliases: pass
      .cachedList<ModelAlias>(MODEL_ALIAS)
      .filter((alias) => modelKeyOf(alias).name === model.name),
    fleet,
    candidate,
    trials: trialFleets(name, pass),
    test: runningTest(deployment, pass.cachedList<ABTest>(AB_TEST)),
    traffic: {
      istio: pass.serves(VIRTUAL_SERVICE),
      route: pass
        .owned<VirtualService>(VIRTUAL_SERVICE)
        .find(({ metadata }) => metadata.name === name),
      budget: pass.owned(POD_DISRUPTION_BUDGET).find(({ metadata }) => metadata.name === name),
    },
    evidence: observeEvidence({ deployment, versions, fleet, candidate }, pass, witnesses),
    checks: await observeChecks(deployment, canaryMemoryOf(candidate.apps), pass),
  };
};

/** Pods of variants that are neither the stable one nor the one that comes up step by step. */
const trialFleets = (deployment: string, pass: Pass): ReadonlyMap<string, Fleet> =>
  new Map(
    pass
      .owned<AppsDeployment>(APPS_DEPLOYMENT)
      .map(({ metadata }) => metadata.labels?.[LABELS.variant])
      .filter((variant) => variant !== undefined)
      .filter((variant) => variant !== STABLE && variant !== CANDIDATE)
      .map((variant) => [variant, fleetOf(deployment, variant, pass)]),
  );

const fleetOf = (deployment: string, variant: string, pass: Pass): Fleet => {
  const isItsOwn = ({ metadata: { labels } }: ReplicaSet | Pod): boolean =>
    labels?.[LABELS.deployment] === deployment && labels[LABELS.variant] === variant;
  const name = nameOfVariant(deployment, variant);
  return {
    apps: pass
      .owned<AppsDeployment>(APPS_DEPLOYMENT)
      .find(({ metadata }) => metadata.name === name),
    replicaSets: pass.cachedList<ReplicaSet>(REPLICA_SET).filter(isItsOwn),
    pods: pass.cachedList<Pod>(POD).filter(isItsOwn),
    autoscaler: pass
      .owned<Autoscaler>(HORIZONTAL_POD_AUTOSCALER)
      .find(({ metadata }) => metadata.name === name),
  };
};
