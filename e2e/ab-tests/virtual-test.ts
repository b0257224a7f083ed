import type { ABTest, ABTestSpec } from '../../crds/schema/ab-test.ts';
import { timestamp } from '../../crds/schema/conditions.ts';
import type { Deployment } from '../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../crds/schema/model-version.ts';
import { API_VERSION, type ObjectMeta } from '../../crds/schema/resource.ts';
import { sameWeights } from '../../operator/kinds/ab-test/bandit.ts';
import { decide } from '../../operator/kinds/ab-test/decide.ts';
import type { Observation, Plan } from '../../operator/kinds/ab-test/plan.ts';
import { CONTROL } from '../../operator/kinds/ab-test/test-plan.ts';
import type { Measurement } from '../../operator/kinds/ab-test/measurement.ts';
import { tell } from '../../operator/kinds/ab-test/tell.ts';

/** An ABTest in the least cluster that lets it run, looked at by the controller's own decide and tell. */
export type VirtualTest = {
  readonly observation: Observation;
  /** What was decided last. */
  readonly plan: Plan;
};

/** @throws Error where the controller would refuse the test, with its message */
export const startTest = (spec: ABTestSpec, now: Date): VirtualTest => {
  const created = { ...observationOf(spec, timestamp(now)), measurement: undefined };
  const started = lookAt({ observation: created, plan: NOT_YET }, undefined, now);
  if (started.plan.is === 'running') return started;
  throw new Error(`the controller would not run this ABTest: ${messageOf(started, now)}`);
};

const NOT_YET: Plan = { is: 'waiting', message: '' };

/** One pass: the status that comes of it is what the next pass sees. */
export const lookAt = (
  before: VirtualTest,
  measurement: Measurement | undefined,
  now: Date,
): VirtualTest => {
  const observation = { ...before.observation, measurement };
  const plan = decide(observation, now);
  if (saysTheSame(before.plan, plan)) return { observation, plan };
  const { status } = tell(observation, plan, timestamp(now));
  const test: ABTest = { ...observation.test, status: status };
  return { observation: { ...observation, test }, plan };
};

/** Only numbers for people differ then; writing them down costs as much as all else of a look. */
const saysTheSame = (before: Plan, plan: Plan): boolean =>
  before.is === 'running' &&
  plan.is === 'running' &&
  before.dropped.join() === plan.dropped.join() &&
  sameWeights(before.weights, plan.weights);

/** What the status says to people. */
export const messageOf = ({ observation, plan }: VirtualTest, now: Date): string =>
  tell(observation, plan, timestamp(now)).conditions?.[0]?.message ?? '';

/** Percent of the units each variant gets now, control first: what the Deployment makes of the status. */
export const weightsOf = ({
  observation: { test },
}: VirtualTest): readonly (readonly [variant: string, weight: number])[] =>
  (test.status?.variants ?? []).map(({ name, weight = 0 }) => [name, weight]);

export const variantsOf = ({ candidates }: Pick<ABTestSpec, 'candidates'>): readonly string[] => [
  CONTROL,
  ...candidates.map(({ name }) => name),
];

const MODEL = 'model';
const ALIAS = 'champion';

const metaOf = (name: string, created: string): ObjectMeta => ({
  ...{ name, namespace: 'default', uid: `uid-of-${name}`, resourceVersion: '1', generation: 1 },
  creationTimestamp: created,
});

const observationOf = (spec: ABTestSpec, created: string): Omit<Observation, 'measurement'> => {
  const served = versionBeside(spec);
  const alias: ModelAlias = {
    ...{
      apiVersion: API_VERSION,
      kind: 'ModelAlias',
      metadata: metaOf(`${MODEL}-${ALIAS}`, created),
    },
    spec: { modelRef: { name: MODEL }, alias: ALIAS, version: served, pinned: false },
  };
  const running: ABTestSpec = { ...spec, suspend: false };
  return {
    test: {
      apiVersion: API_VERSION,
      kind: 'ABTest',
      metadata: metaOf('test', created),
      spec: running,
    },
    deployment: deploymentOf(spec, served, created),
    before: undefined,
    versions: spec.candidates.map(({ version }) => versionOf(version, created)),
    alias,
  };
};

/** A version that no candidate is. */
const versionBeside = ({ candidates }: ABTestSpec): string => {
  const taken = new Set(candidates.map(({ version }) => version));
  let patch = 0;
  while (taken.has(`0.0.${patch}`)) patch += 1;
  return `0.0.${patch}`;
};

const deploymentOf = (spec: ABTestSpec, served: string, created: string): Deployment => ({
  apiVersion: API_VERSION,
  kind: 'Deployment',
  metadata: metaOf(spec.deploymentRef.name, created),
  spec: {
    predictor: {
      model: { modelRef: { name: MODEL }, alias: ALIAS },
      logger: { mode: 'all', sampleRate: 1 },
      ...{ timeout: '30s', containerConcurrency: 64 },
    },
    strategy: {
      canary: {
        steps: [{ setWeight: 50 }],
        trafficRouting: { istio: { gateways: ['gateway'], hosts: ['model.example.com'] } },
        scaleDownDelaySeconds: 30,
      },
    },
    ...{ progressDeadlineSeconds: 600, revisionHistoryLimit: 10 },
  },
  status: { servedVersion: served, weights: spec.candidates.map((each) => ({ ...each })) },
});

const versionOf = (version: string, created: string): ModelVersion => ({
  apiVersion: API_VERSION,
  kind: 'ModelVersion',
  metadata: metaOf(`${MODEL}-${version}`, created),
  spec: {
    ...{ modelRef: { name: MODEL }, version, storageUri: `s3://models/${version}/model.onnx` },
    ...{ modelFormat: { name: 'onnx' }, deletionPolicy: 'Retain' },
  },
  status: {
    conditions: [
      {
        ...{ type: 'Ready', status: 'True', reason: 'Verified', message: 'Verified.' },
        lastTransitionTime: created,
      },
    ],
  },
});
