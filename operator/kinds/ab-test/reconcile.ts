import { abTest as definition, type ABTest } from '../../../crds/schema/ab-test.ts';
import { isConditionTrue, timestamp } from '../../../crds/schema/conditions.ts';
import { deployment as deploymentKind, type Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { ENVOY_FILTER, GATEWAY, VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Outcome, Pass, Reconciler } from '../../runtime/reconciler.ts';
import { keyOf } from '../../runtime/resource-type.ts';
import { modelKeyOf, versionsOf } from '../model-versions.ts';
import { ready, restated, settled, working } from '../outcome.ts';
import type { Ports } from '../ports.ts';
import { dropAssignment, writeAssignment } from './assignment.ts';
import { askedOf, sameWeights } from './bandit.ts';
import { decide } from './decide.ts';
import type { Observation, Plan } from './plan.ts';
import type { Measurement } from './measurement.ts';
import type { OutcomeStore } from './outcome-store.ts';
import { routedSplit } from './splits.ts';
import { LOOK_MS, tell } from './tell.ts';
import { definitionsOf } from './test-metrics.ts';
import { scopeOf } from './test-scope.ts';

const AB_TEST = ownType(definition);
const DEPLOYMENT = ownType(deploymentKind);
const MODEL_ALIAS = ownType(modelAlias);
const MODEL_VERSION = ownType(modelVersion);

export const abTestReconciler = ({ outcomes }: Pick<Ports, 'outcomes'>): Reconciler<ABTest> => ({
  type: AB_TEST,
  fieldManager: 'mlops-abtest',
  owns: [],
  watches: [
    {
      type: DEPLOYMENT,
      keysFor: ({ metadata }, lookup) =>
        lookup
          .own<ABTest>(metadata.namespace ?? '')
          .filter(({ spec }) => spec.deploymentRef.name === metadata.name)
          .map(keyOf),
    },
    { type: MODEL_VERSION, keysFor: () => [] },
    { type: MODEL_ALIAS, keysFor: () => [] },
    { type: AB_TEST, keysFor: () => [] },
    { type: VIRTUAL_SERVICE, keysFor: () => [] },
    { type: ENVOY_FILTER, keysFor: () => [] },
  ],
  permissions: [
    {
      apiGroups: [ENVOY_FILTER.group],
      resources: [ENVOY_FILTER.plural],
      verbs: ['create', 'patch', 'delete'],
    },
    { apiGroups: [GATEWAY.group], resources: [GATEWAY.plural], verbs: ['get'] },
    { apiGroups: [MODEL_ALIAS.group], resources: [MODEL_ALIAS.plural], verbs: ['create', 'patch'] },
  ],
  finalizer: 'mlops.pynomaly.io/outcomes',
  reconcile: (test, pass) => reconcile(test, pass, outcomes),
  finalize: async (test, pass) => {
    if (!(await dropAssignment(test, deploymentOf(test, pass), pass))) {
      const message = `Units of ABTest ${test.metadata.name} are still being routed.`;
      return { done: false, message, requeueAfterMs: 2_000 };
    }
    await outcomes.deleteTest(test.metadata.uid);
    return { done: true };
  },
});

const reconcile = async (test: ABTest, pass: Pass, outcomes: OutcomeStore): Promise<Outcome> => {
  if (isConditionTrue(test.status?.conditions, 'Complete')) {
    const isGone = await dropAssignment(test, deploymentOf(test, pass), pass);
    return isGone ? asBefore(test) : { ...asBefore(test), requeueAfterMs: 2_000 };
  }
  const measured = measure(test, pass, outcomes);
  if (measured.state === 'failed') return withoutStore(test, measured.error);
  if (measured.state === 'running' && test.status?.startTime !== undefined) return asBefore(test);
  const observation = observe(test, pass, measured.state === 'done' ? measured.value : undefined);
  const plan = await assigned(observation, decide(observation, pass.now), pass);
  await noteChange(test, plan, pass, outcomes);
  await promote(observation, plan, pass);
  return tell(observation, plan, timestamp(pass.now));
};

/** Units are told apart before any goes elsewhere, and no longer than that. */
const assigned = async (observation: Observation, plan: Plan, pass: Pass): Promise<Plan> => {
  const { test, deployment } = observation;
  if (deployment === undefined || (plan.is !== 'starting' && plan.is !== 'running')) {
    await dropAssignment(test, deployment, pass);
    return plan;
  }
  const fault = await writeAssignment(test, deployment, pass);
  if (fault === undefined) return plan;
  // A test that runs keeps its shares, so that its units find their variants again (decision 0011).
  if (plan.is === 'running' && !fault.isUnsafe) return { ...plan, cutOff: fault.words };
  const message = `Units cannot be told apart: ${fault.words}.`;
  return { is: 'refused', reason: 'TrafficRoutingUnavailable', message, waits: true };
};

/**
 * Before the status asks for other weights: units that come until these are routed are of neither. Not
 * of a test at its start, whose units count from when it is routed.
 */
const noteChange = async (
  test: ABTest,
  plan: Plan,
  pass: Pass,
  outcomes: OutcomeStore,
): Promise<void> => {
  const asked = askedOf(test);
  if (test.status?.startTime === undefined || asked === undefined) return;
  if (plan.is === 'running' && sameWeights(asked, plan.weights)) return;
  if (plan.is === 'decided') return;
  await outcomes.noteSplit(scopeOf(test), { since: timestamp(pass.now), weights: undefined });
};

/** Once an interval, and only of a test that has begun. */
const measure = (
  test: ABTest,
  pass: Pass,
  outcomes: OutcomeStore,
): ReturnType<typeof pass.background<Measurement | undefined>> => {
  if (test.status?.startTime === undefined) return { state: 'done', value: undefined };
  const scope = scopeOf(test);
  const routed = routedSplit(test, deploymentOf(test, pass));
  const turn = Math.floor(pass.now.getTime() / LOOK_MS);
  return pass.background(`measure ${test.spec.suspend} ${turn}`, async () => {
    if (test.spec.suspend) {
      await outcomes.skip(scope);
      return undefined;
    }
    await outcomes.absorb(scope, pass.now.getTime());
    if (routed !== undefined) {
      await outcomes.noteSplit(scope, { since: timestamp(pass.now), weights: routed });
    }
    return outcomes.measure(scope, definitionsOf(test.spec));
  });
};

const observe = (test: ABTest, pass: Pass, measurement: Measurement | undefined): Observation => {
  const { namespace } = test.metadata;
  const { name } = test.spec.deploymentRef;
  const deployment = deploymentOf(test, pass);
  const model = deployment?.spec.predictor.model;
  const key = model && modelKeyOf({ metadata: { namespace }, spec: model });
  return {
    test,
    deployment,
    before: pass
      .cachedList<ABTest>(AB_TEST)
      .find((other) => other.spec.deploymentRef.name === name && isBefore(other, test)),
    versions:
      key === undefined ? [] : versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), key),
    alias: pass
      .cachedList<ModelAlias>(MODEL_ALIAS)
      .find(({ spec }) => spec.modelRef.name === key?.name && spec.alias === model?.alias),
    measurement,
  };
};

const deploymentOf = ({ metadata, spec }: ABTest, pass: Pass): Deployment | undefined =>
  pass.cached<Deployment>(DEPLOYMENT, {
    namespace: metadata.namespace,
    name: spec.deploymentRef.name,
  });

/** Older and not over; of two of the same second the name tells. */
const isBefore = (other: ABTest, test: ABTest): boolean => {
  const ageOf = ({ metadata }: ABTest) => `${metadata.creationTimestamp} ${metadata.name}`;
  return (
    other.metadata.uid !== test.metadata.uid &&
    ageOf(other) < ageOf(test) &&
    other.metadata.deletionTimestamp === undefined &&
    !isConditionTrue(other.status?.conditions, 'Complete')
  );
};

/** Before the status says that all is decided, so that a crash in between leaves it to the next pass. */
const promote = async ({ alias }: Observation, plan: Plan, pass: Pass): Promise<void> => {
  if (plan.is !== 'decided') return;
  pass.event('Normal', 'TestDecided', `${plan.decision.winner}: ${plan.decision.words}.`);
  if (plan.promote === undefined || alias === undefined) return;
  const { name, namespace } = alias.metadata;
  const moved = {
    ...{ apiVersion: alias.apiVersion, kind: alias.kind, metadata: { name, namespace } },
    spec: { modelRef: alias.spec.modelRef, alias: alias.spec.alias, version: plan.promote },
  };
  await pass.apply(MODEL_ALIAS, moved, { owned: false });
  pass.event(
    'Normal',
    'AliasMoved',
    `Alias ${alias.spec.alias} moved from ${alias.spec.version} to version ${plan.promote}.`,
  );
};

/** What is known stands until there is something new to say. */
const asBefore = ({ status }: ABTest): Outcome => {
  const { conditions = [], observedGeneration: _generation, ...rest } = status ?? {};
  const [summary, ...others] = [
    ...conditions.filter(({ type }) => type === 'Ready'),
    ...conditions.filter(({ type }) => !['Ready', 'Reconciling', 'Stalled'].includes(type)),
  ].map(restated);
  return settled(summary ?? ready('Unknown', 'Reconciling', 'Its numbers are being read.'), {
    status: rest,
    conditions: others,
  });
};

const withoutStore = (test: ABTest, error: Error): Outcome => {
  const { status, conditions } = asBefore(test);
  return working(
    ready('False', 'StoreUnavailable', `Its numbers cannot be read: ${error.message}`),
    {
      status,
      conditions: conditions.filter(({ type }) => type !== 'Ready'),
      requeueAfterMs: LOOK_MS,
    },
  );
};
