import { describe, expect, test } from '@jest/globals';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { resourceSchema } from '../../../crds/json-schema.ts';
import { experiment as definition, type Experiment } from '../../../crds/schema/experiment.ts';
import { celFaults } from '../../../crds/testing/cel-rules.ts';
import {
  katibAlgorithm,
  katibManifest,
  katibMetadata,
  katibRefusals,
  katibShapes,
  rate,
} from '../../../crds/testing/katib-manifests.ts';
import { meta } from '../testing/builders.ts';
import { studyOf } from './study.ts';
import { fillTemplate } from './template.ts';

type Manifest = ReturnType<typeof katibManifest>;

const ajv = new Ajv2020({ strict: true, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(resourceSchema(definition));

/** As the apiserver keeps it, defaults filled in. */
const applied = ({ metadata, spec }: Manifest): Experiment => ({
  apiVersion: 'mlops.pynomaly.io/v1alpha1',
  kind: 'Experiment',
  metadata: meta(metadata.name),
  spec: definition.spec.parse(spec),
});

const rateDrawn = { name: 'rate', type: 'double', min: '0.01', max: '0.5' };
const roundsDrawn = { name: 'rounds', type: 'int', min: '1', max: '4' };

describe.each(Object.entries(katibShapes))('an Experiment of Katib with %s', (_what, manifest) => {
  test('applies', () => {
    validate(manifest);
    expect(validate.errors ?? []).toEqual([]);
    expect(celFaults(definition, manifest)).toEqual([]);
  });

  test('can be searched', () => {
    expect(studyOf(applied(manifest))).not.toHaveProperty('fault');
  });
});

describe('an algorithm of Katib', () => {
  // Settings: https://www.kubeflow.org/docs/components/katib/user-guides/hp-tuning/configure-algorithm/
  test.each<[string, Record<string, string>, object]>([
    ['random', {}, { name: 'random', settings: {} }],
    ['grid', {}, { name: 'grid', settings: {} }],
    ['bayesianoptimization', { random_state: '10' }, { name: 'gp', settings: {} }],
    [
      'bayesianoptimization',
      { base_estimator: 'GP', n_initial_points: '4', acq_func: 'gp_hedge', acq_optimizer: 'auto' },
      { name: 'gp', settings: { n_startup_trials: '4' } },
    ],
    ['tpe', { gamma: '0.3' }, { name: 'tpe', settings: { gamma: '0.3' } }],
    ['multivariate-tpe', {}, { name: 'tpe', settings: { multivariate: 'true' } }],
    ['cmaes', { restart_strategy: 'none' }, { name: 'cmaes', settings: {} }],
    ['cmaes', { sigma: '0.2' }, { name: 'cmaes', settings: { sigma: '0.2' } }],
    ['sobol', {}, { name: 'qmc', settings: {} }],
  ])('%s with %j is one of Optuna', (name, values, algorithm) => {
    const manifest = katibAlgorithm(name, values);
    expect(celFaults(definition, manifest)).toEqual([]);
    expect(studyOf(applied(manifest))).toMatchObject({
      algorithm,
      parameters: [rateDrawn, roundsDrawn],
    });
  });

  test('takes random_state as the seed', () => {
    expect(studyOf(applied(katibAlgorithm('tpe', { random_state: '10' })))).toMatchObject({
      seed: 10,
    });
  });

  test('hyperband gives every trial all of the resource, and stops those that fall behind', () => {
    const manifest = katibAlgorithm('hyperband', { resource_name: 'rounds', eta: '2', r_l: '8' });
    expect(studyOf(applied(manifest))).toMatchObject({
      algorithm: { name: 'random', settings: {} },
      earlyStopping: { name: 'hyperband', settings: { max_resource: '8', reduction_factor: '2' } },
      parameters: [rateDrawn, { name: 'rounds', type: 'int', min: '8', max: '8' }],
    });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['cmaes', { restart_strategy: 'ipop' }, /"ipop".*restarts no more: remove the setting/],
    [
      'bayesianoptimization',
      { base_estimator: 'RF' },
      /base_estimator .*"RF".*has only GP: remove/,
    ],
    ['bayesianoptimization', { acq_func: 'LCB' }, /"LCB".*has only gp_hedge, EI/],
    ['bayesianoptimization', { acq_optimizer: 'sampling' }, /"sampling".*has only auto, lbfgs/],
    ['hyperband', { resource_name: 'rounds' }, /r_l of spec.algorithm is missing/],
    ['hyperband', { resource_name: 'rounds', r_l: '2.5' }, /r_l .*"2.5"; it must be a whole/],
    ['hyperband', { resource_name: 'epochs', r_l: '8' }, /"epochs", which is no int or double/],
  ])('%s with %j is refused', (name, values, words) => {
    const study = studyOf(applied(katibAlgorithm(name, values)));
    expect(study).toMatchObject({ fault: { reason: 'InvalidAlgorithmSetting' } });
    expect('fault' in study && study.fault.message).toMatch(words);
  });

  test.each([
    [{ earlyStopping: { algorithmName: 'medianstop' } }, /remove spec.earlyStopping/],
    [
      {
        objective: {
          type: 'maximize',
          objectiveMetricName: 'f1',
          additionalObjectives: [{ name: 'seconds', type: 'minimize' }],
        },
      },
      /remove spec.objective.additionalObjectives/,
    ],
  ])('hyperband does not go with %j', (spec, words) => {
    const algorithm = {
      algorithmName: 'hyperband',
      algorithmSettings: [{ name: 'r_l', value: '9' }],
    };
    const study = studyOf(applied(katibManifest({ spec: { algorithm, ...spec } })));
    expect('fault' in study && study.fault.message).toMatch(words);
  });
});

test.each<[object[], object]>([
  // Katib's defaults, which are not Optuna's.
  [[], { n_startup_trials: '3', n_warmup_steps: '4' }],
  [[{ name: 'min_trials_required', value: '1' }], { n_startup_trials: '1', n_warmup_steps: '4' }],
])('medianstop with %j stops by the median as Katib does', (algorithmSettings, settings) => {
  const earlyStopping = { algorithmName: 'medianstop', algorithmSettings };
  expect(studyOf(applied(katibManifest({ spec: { earlyStopping } })))).toMatchObject({
    earlyStopping: { name: 'median', settings },
  });
});

test('the template may speak of all metadata of the Job that Katib knows', () => {
  const filled = fillTemplate(applied(katibMetadata), 'iris-search-0', { rate: '0.1' });
  expect(filled).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            { args: ['iris-search-0', 'demo', 'Job', 'batch/v1', 'plants', 'second try'] },
          ],
        },
      },
    },
  });
});

test('a label that the Job does not have is a fault of the template', () => {
  const trialParameters = [{ name: 'rate', reference: '${trialSpec.Labels[none]}' }];
  const filled = fillTemplate(applied(katibManifest({ trialTemplate: { trialParameters } })), 'x', {
    rate: '0.1',
  });
  expect(filled).toMatchObject({ fault: expect.stringContaining('${trialParameters.rate}') });
});

test('a parameter may be called as something every object has', () => {
  const manifest = katibManifest({
    spec: { parameters: [{ ...rate, name: 'constructor' }] },
    trialTemplate: { trialParameters: [{ name: 'rate', reference: 'constructor' }] },
  });
  const filled = fillTemplate(applied(manifest), 'x', { constructor: '0.1' });
  expect(JSON.stringify(filled)).toContain('--rate=0.1');
});

describe('what Katib has and this has not', () => {
  test.each(katibRefusals)('%s is refused with what to do', (_what, manifest, says) => {
    expect(celFaults(definition, manifest)).toContainEqual(expect.stringContaining(says));
  });

  test('templates in a ConfigMap: the Job is asked for', () => {
    const manifest = katibManifest({
      trialTemplate: { trialSpec: undefined, configMap: { configMapName: 'templates' } },
    });
    validate(manifest);
    expect((validate.errors ?? []).map(({ message }) => message)).toContain(
      "must have required property 'trialSpec'",
    );
  });
});
