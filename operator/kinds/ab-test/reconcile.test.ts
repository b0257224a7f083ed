import { beforeEach, describe, expect, test } from '@jest/globals';

import { abTest, type ABTest } from '../../../crds/schema/ab-test.ts';
import { deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import { API_VERSION } from '../../../crds/schema/resource.ts';
import { ENVOY_FILTER, GATEWAY, VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { aDeployment } from '../testing/a-deployment.ts';
import { aReadyVersion, anAlias, meta } from '../testing/builders.ts';
import { key, World } from '../testing/world.ts';
import type { Measurement, Split } from './measurement.ts';
import { memoryOutcomeStore } from './memory-outcome-store.ts';
import type { OutcomeStore } from './outcome-store.ts';
import { abTestReconciler } from './reconcile.ts';

const AB_TEST = ownType(abTest);
const DEPLOYMENT = ownType(deployment);
const MODEL_ALIAS = ownType(modelAlias);
const NAME = key('bigger-is-better');
const HOUR = 3_600_000;

let world: World;
/** What is measured next; an Error: the database is away. */
let measured: Measurement | Error;
let deleted: string[];
let noted: Split[];

/** The store in memory, with numbers that are written down. */
const outcomes = (): OutcomeStore => ({
  ...memoryOutcomeStore(memoryPredictionStore()),
  absorb: async () => {
    if (measured instanceof Error) throw measured;
    return { requests: 0, behind: false };
  },
  measure: async () => measured as Measurement,
  noteSplit: async (_test, split) => void noted.push(split),
  deleteTest: async (uid) => deleted.push(uid),
});

/** Of so many units each, so many converted, and so many of a thousand requests failed. */
const numbers = (
  units: number,
  conversions: { readonly control: number; readonly bigger: number },
  errors = { control: 0, bigger: 0 },
): Measurement => ({
  variants: [
    { variant: 'control', units },
    { variant: 'bigger', units },
  ],
  ...{ conflictingUnits: 0, outcomesOfUnknownUnits: 0, outcomesBeforeExposure: 0, periods: [] },
  metrics: (['control', 'bigger'] as const).flatMap((variant) => [
    {
      ...{ variant, metric: 'conversion' },
      aggregate: { type: 'proportion' as const, units, successes: conversions[variant] },
    },
    {
      ...{ variant, metric: 'refunds' },
      aggregate: { type: 'proportion' as const, units, successes: errors[variant] },
    },
  ]),
});

const SPEC: ABTest['spec'] = {
  deploymentRef: { name: 'digits' },
  candidates: [{ name: 'bigger', version: '1.1.0', weight: 50 }],
  unit: { header: 'x-user-id' },
  metrics: {
    goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }],
    guardrails: [
      { name: 'refunds', type: 'proportion', direction: 'decrease', margin: { absolute: 0.02 } },
    ],
  },
  ...{ alpha: 0.05, minimumRuntime: '1h', minimumSamples: 1000, maximumRuntime: '14d' },
  ...{ onDecision: 'promote', suspend: false },
};

const aTest = (spec: Partial<ABTest['spec']> = {}, name = NAME.name) => ({
  apiVersion: API_VERSION,
  kind: 'ABTest',
  metadata: meta(name),
  spec: { ...SPEC, ...spec },
});

beforeEach(async () => {
  measured = numbers(0, { control: 0, bigger: 0 });
  deleted = [];
  noted = [];
  world = new World([abTestReconciler({ outcomes: outcomes() })]);
  await world.put(ownType(modelVersion), aReadyVersion('1.0.0'));
  await world.put(ownType(modelVersion), aReadyVersion('1.1.0'));
  await world.put(MODEL_ALIAS, anAlias('champion', '1.0.0'));
});

const aServedDeployment = async (predictor: object = {}): Promise<void> => {
  const istio = { gateways: ['istio-system/gateway'], hosts: ['digits.example.com'] };
  const canary = {
    steps: [{ setWeight: 50 }],
    trafficRouting: { istio },
    scaleDownDelaySeconds: 30,
  };
  const logger = { mode: 'all', sampleRate: 1 } as const;
  const made = aDeployment({ predictor: { logger, ...predictor }, strategy: { canary } });
  await world.put(DEPLOYMENT, { ...made, status: { servedVersion: '1.0.0' } });
  const hosts = ['digits.demo.svc.cluster.local', 'digits.example.com'];
  await world.put(VIRTUAL_SERVICE, { metadata: meta('digits'), spec: { hosts } });
  await world.put(GATEWAY, {
    metadata: { name: 'gateway', namespace: 'istio-system' },
    spec: { selector: { istio: 'ingressgateway' } },
  });
};

/** What the Deployment's controller does once the pods of the candidate are ready. */
const route = () =>
  world.change(DEPLOYMENT, key('digits'), '/status/weights', [
    { name: 'bigger', version: '1.1.0', weight: 50 },
    { name: 'stable', version: '1.0.0', weight: 50 },
  ]);

/** What it does once the test gives its candidates nothing any more. */
const unroute = () =>
  world.change(DEPLOYMENT, key('digits'), '/status/weights', [
    { name: 'stable', version: '1.0.0', weight: 100 },
  ]);

const pass = async (name = NAME): Promise<void> => {
  await world.reconcile(AB_TEST, name);
  // Background work ends between two passes.
  await world.reconcile(AB_TEST, name);
};
const ready = (name = NAME) => world.condition(AB_TEST, name);
const statusOf = async () => (await world.get<ABTest>(AB_TEST, NAME))?.status;
const champion = async () =>
  (await world.get<ModelAlias>(MODEL_ALIAS, key('digits-champion')))?.spec.version;

/** A test that has run for two hours. */
const started = async (spec: Partial<ABTest['spec']> = {}): Promise<void> => {
  await aServedDeployment();
  await world.put(AB_TEST, aTest(spec));
  await pass();
  await route();
  await pass();
  world.advance(2 * HOUR);
};

describe('a test', () => {
  test('asks for a share for its candidate, and starts when it is routed', async () => {
    await aServedDeployment();
    await world.put(AB_TEST, aTest());
    await pass();
    expect(await ready()).toMatch(
      /^False Reconciling: Waits until Deployment digits routes bigger/,
    );
    expect((await statusOf())?.variants).toMatchObject([
      { name: 'control', version: '1.0.0', weight: 50 },
      { name: 'bigger', version: '1.1.0', weight: 50 },
    ]);
    expect((await statusOf())?.startTime).toBeUndefined();
    await route();
    await pass();
    expect(await ready()).toMatch(/^True TestRunning/);
    expect((await statusOf())?.startTime).toBeDefined();
  });

  test('promotes a candidate that is surely better and does no harm', async () => {
    await started();
    measured = numbers(5000, { control: 500, bigger: 750 });
    await pass();
    expect(await ready()).toMatch(
      /^True Complete: bigger: bigger is better than control\. Alias champion moves to 1\.1\.0\. Units: control 5000, bigger 5000\. bigger, conversion: \+0\.05 \[\+0\.0\d+, \+0\.0\d+\] better\. bigger, refunds: .* safe\.$/,
    );
    expect(await statusOf()).toMatchObject({
      decision: 'bigger',
      samples: 10_000,
      sampleRatioMismatch: false,
      variants: [
        { name: 'control', weight: 0 },
        { name: 'bigger', weight: 0 },
      ],
    });
    expect(await champion()).toBe('1.1.0');
    expect(await world.condition(AB_TEST, NAME, 'Complete')).toMatch(/^True Complete/);
  });

  test('says nothing new when it is over, whatever is measured', async () => {
    await started();
    measured = numbers(5000, { control: 500, bigger: 750 });
    await pass();
    const before = await statusOf();
    world.advance(HOUR);
    measured = numbers(9000, { control: 900, bigger: 900 });
    await pass();
    expect(await statusOf()).toEqual(before);
  });

  test('only reports where it may not promote', async () => {
    await started({ onDecision: 'pause' });
    measured = numbers(5000, { control: 500, bigger: 750 });
    await pass();
    expect((await statusOf())?.decision).toBe('bigger');
    expect(await champion()).toBe('1.0.0');
  });

  test('decides nothing before its time, and nothing on too few units', async () => {
    await started();
    world.advance(-HOUR - HOUR / 2);
    measured = numbers(900, { control: 90, bigger: 300 });
    await pass();
    expect(await ready()).toMatch(/Awaits minimumRuntime of 1h; 1000 units of control, bigger\.$/);
    expect(await champion()).toBe('1.0.0');
  });

  test('ends at once with control when its only candidate does harm', async () => {
    await started();
    measured = numbers(2000, { control: 200, bigger: 400 }, { control: 10, bigger: 300 });
    await pass();
    expect(await ready()).toMatch(
      /^True Complete: control: every candidate is surely worse than a guardrail allows/,
    );
    expect(await champion()).toBe('1.0.0');
  });

  test('believes nothing while units are not split as the weights say', async () => {
    await started();
    const skewed = numbers(5000, { control: 500, bigger: 750 });
    measured = {
      ...skewed,
      variants: [
        { variant: 'control', units: 5000 },
        { variant: 'bigger', units: 4000 },
      ],
    };
    await pass();
    expect(await ready()).toMatch(/^True TestRunning: .*sample ratio mismatch/);
    expect(await world.condition(AB_TEST, NAME, 'SamplesAsWeighted')).toMatch(
      /^False SampleRatioMismatch/,
    );
    expect(await champion()).toBe('1.0.0');
  });

  test('ends inconclusive after its longest time, and promotes nothing', async () => {
    await started();
    measured = numbers(5000, { control: 500, bigger: 505 });
    world.advance(14 * 24 * HOUR);
    await pass();
    expect(await ready()).toMatch(/^True Complete: inconclusive/);
    expect(await champion()).toBe('1.0.0');
  });

  test('waits for an older one on the same Deployment, and says for which', async () => {
    await aServedDeployment();
    await world.put(AB_TEST, aTest());
    world.advance(1000);
    await world.put(AB_TEST, aTest({}, 'second'));
    await pass(key('second'));
    expect(await ready(key('second'))).toMatch(
      /^False WaitingForTest: ABTest bigger-is-better on the same Deployment is older/,
    );
  });

  test('keeps what it knew while the database is away', async () => {
    await started();
    measured = numbers(1500, { control: 150, bigger: 150 });
    await pass();
    world.advance(60_000);
    measured = new DatabaseUnavailable('read outcomes', new Error('connection refused'));
    await pass();
    expect(await ready()).toMatch(/^False StoreUnavailable/);
    expect((await statusOf())?.samples).toBe(3000);
  });

  test('leaves nothing in the database when it is deleted', async () => {
    await started();
    const uid = (await world.get(AB_TEST, NAME))?.metadata.uid ?? '';
    await unroute();
    await world.change(AB_TEST, NAME, '/metadata/deletionTimestamp', '2026-03-01T15:00:00Z');
    await world.reconcile(AB_TEST, NAME);
    expect(deleted).toEqual([uid]);
  });
});

describe('a test by another way of inference', () => {
  const bayesian = { mode: 'bayesian', probabilityToBeat: 0.95, expectedLoss: 0.001 } as const;

  test('is over after its one look at a fixed horizon, whatever that shows', async () => {
    await started({ inference: { ...bayesian, mode: 'fixed-horizon' } });
    measured = numbers(900, { control: 90, bigger: 95 });
    await pass();
    expect(await ready()).toMatch(/^True TestRunning: .*Awaits 1000 units of control, bigger/);
    world.advance(60_000);
    measured = numbers(1100, { control: 110, bigger: 115 });
    await pass();
    expect(await ready()).toMatch(
      /^True Complete: inconclusive: no candidate was shown to be better at the one look there is/,
    );
    expect(await champion()).toBe('1.0.0');
  });

  test('promotes at its one look what a z test finds', async () => {
    await started({ inference: { ...bayesian, mode: 'fixed-horizon' } });
    // z = (0.13 - 0.1) / sqrt(0.115 × 0.885 × 2 / 2000) = 2.97, p = 0.003.
    measured = numbers(2000, { control: 200, bigger: 260 });
    await pass();
    expect(await champion()).toBe('1.1.0');
    const [finding] = (await statusOf())?.variants?.[1]?.metrics ?? [];
    expect(finding?.pValue).toBeCloseTo(0.0029, 4);
  });

  test('promotes what is believed to be better, with little to lose', async () => {
    await started({ inference: bayesian });
    measured = numbers(2000, { control: 200, bigger: 260 });
    await pass();
    expect((await statusOf())?.decision).toBe('bigger');
    const [finding] = (await statusOf())?.variants?.[1]?.metrics ?? [];
    // A normal with mean 0.03 and deviation 0.0101: 0.9985 of it is above 0.
    expect(finding?.probabilityToBeat).toBeCloseTo(0.9985, 3);
    expect(finding?.expectedLoss).toBeLessThan(0.0001);
  });

  test('believes nothing that is only probable', async () => {
    await started({ inference: bayesian });
    measured = numbers(2000, { control: 200, bigger: 212 });
    await pass();
    expect(await ready()).toMatch(/^True TestRunning: .*unsure/);
  });

  test('takes fewer as better where fewer are better', async () => {
    const goal = [{ name: 'conversion', type: 'proportion', direction: 'decrease' }] as const;
    await started({ inference: bayesian, metrics: { goal } });
    measured = numbers(2000, { control: 260, bigger: 200 });
    await pass();
    expect((await statusOf())?.decision).toBe('bigger');
  });
});

describe('a bandit', () => {
  const allocation = {
    mode: 'bandit',
    ...{ floor: 5, interval: '1h', probabilityToBeBest: 0.95 },
  } as const;
  const metrics = {
    goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }],
  } as const satisfies ABTest['spec']['metrics'];
  const withPeriod = (units: number, bigger: number): Measurement => {
    const { variants, metrics: all, ...rest } = numbers(units, { control: units / 10, bigger });
    const goals = all.filter(({ metric }) => metric === 'conversion');
    const weights = { control: 50, bigger: 50 };
    const since = new Date(world.now().getTime() - 2 * HOUR).toISOString();
    return {
      ...{ ...rest, variants, metrics: goals },
      periods: [{ since, weights, variants, metrics: goals }],
    };
  };

  test('sends more units to what is probably better, and notes that routes change', async () => {
    await started({ allocation, metrics });
    measured = withPeriod(500, 60);
    await pass();
    const [control, bigger] = (await statusOf())?.variants ?? [];
    // Midpoint rule of 20,000 steps in Python: Beta(61, 441) is above Beta(51, 451) with 0.84292.
    expect([control?.weight, bigger?.weight]).toEqual([19, 81]);
    expect(bigger?.probabilityBest).toBeCloseTo(0.84292, 4);
    expect(noted.at(-1)?.weights).toBeUndefined();
    expect(await ready()).toMatch(
      /^True TestRunning: .*The best is control 0\.\d+, bigger 0\.8\d+/,
    );
  });

  test('notes the weights once they are routed', async () => {
    await started({ allocation, metrics });
    await pass();
    expect(noted.at(-1)?.weights).toEqual({ control: 50, bigger: 50 });
  });

  test('ends when one is so probably the best', async () => {
    await started({ allocation, metrics });
    measured = withPeriod(2000, 300);
    await pass();
    expect(await ready()).toMatch(
      /^True Complete: bigger: bigger is the best with a probability of 1\.000/,
    );
    expect(await champion()).toBe('1.1.0');
  });

  test('ends with control, too', async () => {
    await started({ allocation, metrics });
    measured = withPeriod(2000, 100);
    await pass();
    expect(await ready()).toMatch(
      /^True Complete: control: control is the best with a probability/,
    );
    expect(await champion()).toBe('1.0.0');
  });
});

test('secondary metrics stand in the status and in the report, and decide nothing', async () => {
  const secondary = [{ name: 'refunds', type: 'proportion', direction: 'decrease' }] as const;
  await started({ metrics: { goal: SPEC.metrics.goal, secondary: [...secondary] } });
  measured = numbers(2000, { control: 200, bigger: 200 }, { control: 10, bigger: 300 });
  await pass();
  expect(await ready()).toMatch(
    /^True TestRunning: .*bigger, refunds: \+0\.145 .* worse \(secondary\)/,
  );
  expect((await statusOf())?.variants?.[1]?.metrics?.[1]).toMatchObject({
    ...{ name: 'refunds', role: 'secondary', verdict: 'worse' },
  });
  expect((await statusOf())?.variants?.[1]?.weight).toBe(50);
});

describe('a test whose route loses its hosts', () => {
  test('keeps its shares, says that no units come, and goes on when they do', async () => {
    await started();
    await world.change(VIRTUAL_SERVICE, key('digits'), '/spec/hosts', ['digits.demo.svc']);
    measured = numbers(900, { control: 90, bigger: 90 });
    await pass();
    expect(await ready()).toMatch(
      /^False TrafficRoutingUnavailable: No units come: no host of Deployment digits is routed/,
    );
    expect(await world.condition(AB_TEST, NAME, 'UnitsRouted')).toMatch(
      /^False TrafficRoutingUnavailable: .*Candidates keep their shares/,
    );
    const weights = (await statusOf())?.variants?.map(({ weight }) => weight);
    expect(weights).toEqual([50, 50]);
    expect((await statusOf())?.samples).toBe(1800);
    await world.change(VIRTUAL_SERVICE, key('digits'), '/spec/hosts', ['digits.example.com']);
    world.advance(60_000);
    await pass();
    expect(await ready()).toMatch(/^True TestRunning/);
    expect(await world.condition(AB_TEST, NAME, 'UnitsRouted')).toMatch(/^True Routed/);
  });

  test('takes its shares back where clients could choose their variant', async () => {
    await started();
    await world.change(VIRTUAL_SERVICE, key('digits'), '/spec/hosts', ['*.example.com']);
    await pass();
    expect(await ready()).toMatch(/^False TrafficRoutingUnavailable: Units cannot be told apart/);
    expect((await statusOf())?.variants?.map(({ weight }) => weight)).toEqual([0, 0]);
  });
});

describe('the filter at the gateway', () => {
  const filters = () => world.list(ENVOY_FILTER);

  test('is there from before the first unit goes elsewhere until the test is over', async () => {
    await aServedDeployment();
    await world.put(AB_TEST, aTest());
    await pass();
    const [filter] = await filters();
    const uid = (await world.get(AB_TEST, NAME))?.metadata.uid ?? '';
    expect(filter?.metadata).toMatchObject({
      name: `mlops-abtest-${uid}`,
      namespace: 'istio-system',
    });
    // Hosts stand in an expression, with their dots escaped.
    expect(JSON.stringify(filter)).toMatch(/digits\S{1,9}example\S{1,9}com/);
    expect(JSON.stringify(filter)).toMatch(/digits\S{1,9}demo\S{1,9}svc/);
    await route();
    await pass();
    world.advance(2 * HOUR);
    measured = numbers(5000, { control: 500, bigger: 750 });
    await pass();
    expect(await ready()).toMatch(/^True Complete/);
    expect(await filters()).toHaveLength(1);
    await unroute();
    await pass();
    expect(await filters()).toEqual([]);
    expect(await ready()).toMatch(/^True Complete/);
  });

  test('touches no host that the route has not got', async () => {
    await aServedDeployment();
    await world.change(VIRTUAL_SERVICE, key('digits'), '/spec/hosts', ['digits.demo.svc']);
    await world.put(AB_TEST, aTest());
    await pass();
    expect(await ready()).toMatch(
      /^False TrafficRoutingUnavailable: .*no host of Deployment digits/,
    );
    expect(await filters()).toEqual([]);
  });

  test('goes with the test', async () => {
    await started();
    expect(await filters()).toHaveLength(1);
    await world.change(AB_TEST, NAME, '/metadata/deletionTimestamp', '2026-03-01T15:00:00Z');
    await world.reconcile(AB_TEST, NAME);
    expect(await filters()).toHaveLength(1);
    await unroute();
    await world.reconcile(AB_TEST, NAME);
    expect(await filters()).toEqual([]);
  });
});

describe('a test is refused', () => {
  const refusal = async (spec: Partial<ABTest['spec']> = {}): Promise<string | undefined> => {
    await world.put(AB_TEST, aTest(spec));
    await pass();
    return ready();
  };

  test('without its Deployment', async () => {
    expect(await refusal()).toMatch(/^False DeploymentNotFound: Deployment digits/);
  });

  test('where only some requests are logged', async () => {
    await aServedDeployment({ logger: { mode: 'all', sampleRate: 0.1 } });
    expect(await refusal()).toMatch(/^False LoggingRequired/);
  });

  test('without a gateway that splits', async () => {
    await world.put(DEPLOYMENT, aDeployment());
    expect(await refusal()).toMatch(/^False TrafficRoutingUnavailable/);
  });

  test('for a version that does not exist, and for the one that is served', async () => {
    await aServedDeployment();
    const missing = [{ name: 'bigger', version: '9.0.0', weight: 50 }];
    expect(await refusal({ candidates: missing })).toMatch(/^False VersionNotFound/);
    const same = [{ name: 'bigger', version: '1.0.0', weight: 50 }];
    await world.change(AB_TEST, NAME, '/spec/candidates', same);
    await pass();
    expect(await ready()).toMatch(/^False SameVersion/);
  });

  test('where no promotion could move the version', async () => {
    const model = { modelRef: { name: 'digits' }, version: '1.0.0' };
    await aServedDeployment({ model });
    expect(await refusal()).toMatch(/^False VersionPinned/);
  });

  test('with a metric that cannot be computed', async () => {
    await aServedDeployment();
    const goal = [{ name: 'request-duration', type: 'proportion', direction: 'decrease' }] as const;
    expect(await refusal({ metrics: { goal } })).toMatch(/^False MetricInvalid/);
  });
});
