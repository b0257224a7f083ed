/** All that a pass over a Deployment reads, as one plain value. */
import { abTest, type ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
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
import type { Window } from '../../traffic/traffic.ts';
import type { AppsDeployment, Autoscaler, Pod, ReplicaSet } from '../kubernetes-objects.ts';
import { modelKeyOf, versionsOf, type ModelKey } from '../model-versions.ts';
import type { Ports } from '../ports.ts';
import { stableOf } from './canary-plan.ts';
import { canaryMemoryOf } from './memory.ts';
import type { Measured } from './metrics/judge-measured.ts';
import { observeChecks } from './metrics/observe-checks.ts';
import { observeMetrics } from './metrics/observe-metrics.ts';
import { CANDIDATE, nameOfVariant, SERVING_PORT, STABLE } from './names.ts';
import { isNamed, type Observation } from './plan.ts';
import { podsOfTemplate, progressOf, type Fleet } from './rollout.ts';
import { type VirtualService } from './routing.ts';
import { runningTest } from './trial.ts';

export const MODEL_VERSION = ownType(modelVersion);
export const MODEL_ALIAS = ownType(modelAlias);
export const AB_TEST = ownType(abTest);

export const modelOf = ({ metadata, spec }: Deployment): ModelKey =>
  modelKeyOf({ metadata, spec: spec.predictor.model });

/** Who is asked what the candidate does. */
type Witnesses = Pick<Ports, 'traffic' | 'probe'>;

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
  const asked = { deployment, candidate, fleet, versions };
  const { answered, measured } = measure(asked, pass, witnesses);
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
      answered,
    },
    measured,
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

/** How often the metrics are looked at; undefined where there are none. */
export const analysisIntervalMs = ({ spec }: Deployment): number | undefined => {
  const analysis = spec.strategy?.canary?.analysis;
  return analysis && Math.max(1000, parseDuration(analysis.interval) ?? 0);
};

type Asked = Pick<Observation, 'deployment' | 'candidate' | 'fleet' | 'versions'>;

/**
 * What the candidate answered since its share was changed last, and what others say about it; both
 * are asked once an interval, outside of the pass.
 */
const measure = (
  { deployment, candidate, fleet, versions }: Asked,
  pass: Pass,
  { traffic, probe }: Witnesses,
): { readonly answered?: Window; readonly measured: ReadonlyMap<string, Measured> } => {
  const everyMs = analysisIntervalMs(deployment);
  const memory = canaryMemoryOf(candidate.apps);
  const group = meterGroup(deployment);
  if (everyMs === undefined || memory === undefined) {
    traffic.forget(group);
    probe.forget(group);
    return { measured: new Map() };
  }
  const addresses = podsOfTemplate(candidate).flatMap(({ metadata, status }) =>
    status?.podIP === undefined
      ? []
      : [{ uid: metadata.uid ?? '', name: metadata.name, ip: status.podIP, port: SERVING_PORT }],
  );
  const progress = progressOf(candidate);
  const isUp = progress.complete && progress.available > 0;
  const subject = {
    ...{ deployment, memory },
    candidate: isUp ? versions.find(isNamed(progress.current)) : undefined,
    stable: stableOf({ versions, fleet }),
  };
  const { measured, ask } = observeMetrics(subject, pass, probe);
  const turn = Math.floor(pass.now.getTime() / everyMs);
  pass.background(`measure ${memory.judgedFrom} ${turn}`, async (signal) => {
    await Promise.all([traffic.measure(group, addresses, signal), ask(signal)]);
  });
  return { answered: traffic.window(group, new Date(memory.judgedFrom)), measured };
};

const meterGroup = ({ metadata }: Deployment): string => metadata.uid ?? '';
