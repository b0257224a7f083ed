import { ANNOTATIONS } from '../../crds/schema/names.ts';
import { aRegister, aTemplate } from '../../operator/kinds/testing/an-experiment.ts';
import { digestOf, modelBytes, type Images } from './programs.ts';
import type { SeededRandom } from './seeded-random.ts';
import {
  DEPLOYMENT,
  EXPERIMENT,
  MODEL,
  MODEL_ALIAS,
  MODEL_VERSION,
  NAMESPACE_NAME,
  PIPELINE,
} from './types.ts';
import type { User } from './user.ts';

/**
 * What one user does, from beginning to end, with objects of a name of their own. Whatever goes
 * wrong meanwhile, the end is to be the same: where an act depends on what came before, the user
 * waits to see it.
 */
export type Story = Partial<Images> & {
  readonly name: string;
  /** Two runs may end differently, as when two Experiments race for a version. */
  readonly ambiguous?: true;
  readonly happens: (user: User) => Promise<void>;
};

export type Author = (name: string, random: SeededRandom) => Story;

type Spec = Readonly<Record<string, unknown>>;

const experimentSpec = (more: Spec = {}, job: object = {}): Spec => ({
  suspend: false,
  parallelTrialCount: 3,
  maxFailedTrialCount: 3,
  trialTemplate: aTemplate({}, job),
  ...more,
});

const registerAs = (model: string, move: 'IfUnset' | 'Always' = 'Always'): Spec => ({
  register: aRegister({ modelRef: { name: model }, alias: { name: 'champion', move } }),
});

const deploymentSpec = (model: Spec, more: Spec = {}): Spec => ({
  predictor: { model, timeout: '30s', containerConcurrency: 64, replicas: 1, ...more },
  progressDeadlineSeconds: 600,
  revisionHistoryLimit: 10,
});

const bucketKey = (model: string, version: string): string =>
  `${NAMESPACE_NAME}/models/${model}/${version}/model.onnx`;

const versionSpec = (model: string, version: string, more: Spec = {}): Spec => ({
  modelRef: { name: model },
  version,
  storageUri: `s3://mlops/${bucketKey(model, version)}`,
  modelFormat: { name: 'onnx' },
  deletionPolicy: 'Delete',
  ...more,
});

/** Train, register, serve by alias; train again, follow the alias; perhaps the second cannot be served. */
const trainAndServe: Author = (name, random) => {
  const broken = random.chance(0.4);
  const deploysFirst = random.chance(0.5);
  const evictions = random.int(0, 1);
  const training = (suffix: string) => ({
    takesMs: random.int(0, 8_000),
    accuracy: 0.9,
    model: modelBytes(`${name}${suffix}`),
    evictions,
  });
  return {
    name,
    trainings: { [`${name}-one`]: training('1'), [`${name}-two`]: training('2') },
    unservable: broken ? [`${name}-1.1.0`] : [],
    happens: async (user) => {
      const deploy = () =>
        user.create(DEPLOYMENT, name, {
          spec: deploymentSpec({ modelRef: { name }, alias: 'champion' }, { replicas: 2 }),
        });
      const train = (which: string) =>
        user.create(EXPERIMENT, `${name}-${which}`, {
          spec: experimentSpec(
            {
              ...registerAs(name),
              objective: { type: 'maximize', objectiveMetricName: 'accuracy' },
            },
            { backoffLimit: 2 },
          ),
        });
      if (deploysFirst) await deploy();
      await user.dawdle(5_000);
      await train('one');
      await user.dawdle(20_000);
      if (!deploysFirst) await deploy();
      await user.untilReady(EXPERIMENT, `${name}-one`, 'True Registered');
      await user.untilReady(DEPLOYMENT, name, 'True Ready');
      await train('two');
      await user.untilReady(EXPERIMENT, `${name}-two`, 'True Registered');
      if (broken) return user.untilReady(DEPLOYMENT, name, 'False RolledBack');
      await user.until(`${name} to serve 1.1.0`, () => servedBy(user, name) === '1.1.0');
      await user.set(DEPLOYMENT, name, '/spec/predictor/replicas', 3);
      await user.untilReady(DEPLOYMENT, name, 'True Ready');
      if (user.random.chance(0.5)) await user.remove(DEPLOYMENT, name);
    },
  };
};

const servedBy = (user: User, name: string): unknown =>
  user.get(DEPLOYMENT, name)?.status?.['servedVersion'];

/** Training that fails, logs nothing, or is refused by its gate. */
const disappointments: Author = (name, random) => {
  const takesMs = random.int(0, 5_000);
  return {
    name,
    trainings: {
      [`${name}-fails`]: { takesMs, fails: true },
      [`${name}-mute`]: { takesMs },
      [`${name}-weak`]: { takesMs, accuracy: 0.5, model: modelBytes(name) },
      [`${name}-bare`]: { takesMs, accuracy: 0.9 },
    },
    happens: async (user) => {
      const objective = { type: 'maximize', objectiveMetricName: 'accuracy' };
      const when = 'metrics.accuracy > 0.8';
      const register = aRegister({ modelRef: { name }, when });
      await user.create(EXPERIMENT, `${name}-fails`, {
        spec: experimentSpec({ ttlSecondsAfterFinished: 20 }),
      });
      await user.dawdle(3_000);
      await user.create(EXPERIMENT, `${name}-mute`, { spec: experimentSpec({ objective }) });
      await user.create(EXPERIMENT, `${name}-weak`, {
        spec: experimentSpec({ objective, register }),
      });
      await user.create(EXPERIMENT, `${name}-bare`, { spec: experimentSpec({ register }) });
      await user.untilReady(EXPERIMENT, `${name}-fails`, 'False TrialFailed');
      await user.untilReady(EXPERIMENT, `${name}-mute`, 'False MetricMissing');
      await user.untilReady(EXPERIMENT, `${name}-weak`, 'False GateRejected');
      await user.untilReady(EXPERIMENT, `${name}-bare`, 'False RegistrationFailed');
      await user.remove(EXPERIMENT, `${name}-weak`);
    },
  };
};

/** Deletes an Experiment in the middle of its training, and makes another one under its name. */
const secondThoughts: Author = (name, random) => ({
  name,
  trainings: { [name]: { takesMs: random.int(0, 6_000), accuracy: 0.9 } },
  happens: async (user) => {
    for (let round = 0; round < 2; round++) {
      await user.create(EXPERIMENT, name, { spec: experimentSpec() });
      await user.dawdle(9_000);
      await user.remove(EXPERIMENT, name);
      await user.dawdle(2_000);
    }
    await user.create(EXPERIMENT, name, { spec: experimentSpec({ ttlSecondsAfterFinished: 5 }) });
    await user.untilReady(EXPERIMENT, name, 'True Complete');
  },
});

/** Versions, an alias and a Deployment by hand; the alias moves, an old version goes. */
const byHand: Author = (name, random) => {
  const versionFirst = random.chance(0.5);
  return {
    name,
    happens: async (user) => {
      const make = (version: string, more: Spec = {}) =>
        user.create(MODEL_VERSION, `${name}-${version}`, {
          spec: versionSpec(name, version, more),
        });
      for (const version of ['1.0.0', '2.0.0', '3.0.0'])
        await user.upload(bucketKey(name, version), modelBytes(`${name} ${version}`));
      if (versionFirst) await make('1.0.0');
      await user.dawdle(4_000);
      await user.create(MODEL, name, { spec: {} });
      if (!versionFirst) await make('1.0.0');
      await user.create(MODEL_ALIAS, `${name}-live`, {
        spec: { modelRef: { name }, alias: 'live', version: '1.0.0', pinned: false },
      });
      await user.create(DEPLOYMENT, name, {
        spec: deploymentSpec({ modelRef: { name }, alias: 'live' }),
      });
      await make('2.0.0', { verification: { digest: digestOf(modelBytes(`${name} 2.0.0`)) } });
      await make('3.0.0', { verification: { digest: digestOf(modelBytes('other bytes')) } });
      await user.untilReady(DEPLOYMENT, name, 'True Ready');
      await user.set(MODEL_ALIAS, `${name}-live`, '/spec/version', '2.0.0');
      await user.until(`${name} to serve 2.0.0`, () => servedBy(user, name) === '2.0.0');
      await user.untilReady(DEPLOYMENT, name, 'True Ready');
      await user.remove(MODEL_VERSION, `${name}-1.0.0`);
      await user.untilReady(MODEL_VERSION, `${name}-3.0.0`, 'False DigestMismatch');
    },
  };
};

/** A template that waits, a pause, and labels that mean nothing. */
const patience: Author = (name, random) => ({
  name,
  trainings: { [name]: { takesMs: random.int(0, 3_000), accuracy: 0.9, model: modelBytes(name) } },
  happens: async (user) => {
    await user.create(EXPERIMENT, name, {
      spec: experimentSpec({ suspend: true, ...registerAs(name) }),
    });
    await user.untilReady(EXPERIMENT, name, 'Unknown Suspended');
    await user.annotate(EXPERIMENT, name, ANNOTATIONS.paused, 'true');
    await user.dawdle(3_000);
    await user.set(EXPERIMENT, name, '/spec/suspend', false);
    await user.dawdle(10_000);
    await user.annotate(EXPERIMENT, name, ANNOTATIONS.paused, 'false');
    await user.dawdle(3_000);
    await user.set(EXPERIMENT, name, '/metadata/labels', { team: 'a' });
    await user.untilReady(EXPERIMENT, name, 'True Registered');
  },
});

/** A version on a volume, which a pod of the user's namespace reads. */
const onAVolume: Author = (name) => ({
  name,
  happens: async (user) => {
    await user.create(MODEL, name, { spec: {} });
    const storageUri = 'pvc://models/model.onnx';
    await user.create(MODEL_VERSION, `${name}-1.0.0`, {
      spec: versionSpec(name, '1.0.0', { storageUri, deletionPolicy: 'Retain' }),
    });
    await user.untilReady(MODEL_VERSION, `${name}-1.0.0`, 'True Ready');
  },
});

/** Two objects claim one version; the second gets it when the first has gone. */
const claims: Author = (name) => ({
  name,
  happens: async (user) => {
    await user.upload(bucketKey(name, '1.0.0'), modelBytes(name));
    await user.create(MODEL, name, { spec: {} });
    const spec = versionSpec(name, '1.0.0', { deletionPolicy: 'Retain' });
    await user.create(MODEL_VERSION, `${name}-first`, { spec });
    await user.wait(2_000);
    await user.create(MODEL_VERSION, `${name}-second`, { spec });
    await user.untilReady(MODEL_VERSION, `${name}-first`, 'True Ready');
    await user.untilReady(MODEL_VERSION, `${name}-second`, 'False VersionTaken');
    await user.remove(MODEL_VERSION, `${name}-first`);
    await user.untilReady(MODEL_VERSION, `${name}-second`, 'True Ready');
  },
});

/** Two Experiments that end at about the same time reach for the same next version. */
const race: Author = (name, random) => ({
  name,
  ambiguous: true,
  trainings: Object.fromEntries(
    ['a', 'b', 'c'].map((each) => [
      `${name}-${each}`,
      { takesMs: random.int(0, 500), accuracy: 0.9, model: modelBytes(`${name}${each}`) },
    ]),
  ),
  happens: async (user) => {
    const names = ['a', 'b', 'c'].map((each) => `${name}-${each}`);
    for (const each of names)
      await user.create(EXPERIMENT, each, { spec: experimentSpec(registerAs(name, 'IfUnset')) });
    for (const each of names) await user.untilReady(EXPERIMENT, each, 'True Registered');
  },
});

/** Somebody else's finalizer holds an Experiment that is deleted. */
const held: Author = (name, random) => ({
  name,
  trainings: { [name]: { takesMs: random.int(0, 3_000) } },
  happens: async (user) => {
    await user.create(EXPERIMENT, name, {
      metadata: { finalizers: ['example.com/hold'] },
      spec: experimentSpec(),
    });
    await user.dawdle(5_000);
    await user.delete(EXPERIMENT, name);
    await user.until(`only the hold on ${name}`, () => {
      const finalizers = user.get(EXPERIMENT, name)?.metadata.finalizers ?? [];
      return finalizers.length === 1 && finalizers[0] === 'example.com/hold';
    });
    await user.set(EXPERIMENT, name, '/metadata/finalizers', []);
    await user.create(PIPELINE, name, { spec: { tasks: [] } });
    await user.untilReady(PIPELINE, name, 'Unknown NotImplemented');
  },
});

export const AUTHORS: readonly [Author, ...Author[]] = [
  trainAndServe,
  trainAndServe,
  disappointments,
  secondThoughts,
  secondThoughts,
  byHand,
  patience,
  onAVolume,
  claims,
  race,
  held,
];

/** Two to four stories, at once. */
export const writeStories = (random: SeededRandom): readonly Story[] =>
  Array.from({ length: random.int(2, 4) }, (_each, index) => {
    const name = `s${index}`;
    return random.pick(AUTHORS)(name, random.fork(name));
  });
