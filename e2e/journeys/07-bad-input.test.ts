import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { changed } from '../../crds/testing/changed.ts';
import {
  abTestExample,
  deploymentExample,
  experimentExample,
  modelAliasExample,
  modelExample,
  modelVersionExample,
  pipelineExample,
  pipelineRunExample,
  retrainPolicyExample,
} from '../../crds/testing/example-manifests.ts';
import { EXPERIMENT_NAME_MAX } from '../../crds/schema/experiment.ts';
import { at } from './harness/kubectl.ts';
import {
  deployment,
  experimentNamed,
  irisModel,
  model,
  modelAlias,
  modelVersion,
} from './harness/manifests.ts';
import { IRIS_QUESTION, modelUrl } from './harness/serving.ts';
import { BUCKET, digestOf, putObject, putSparseObject } from './harness/storage.ts';
import { Tenant, type Manifest } from './harness/tenant.ts';

const MINUTES = 60_000;
const NAMESPACE = 'journey-bad-input';
const GIB = 1024 ** 3;

describe('Bad input gets a clear answer', () => {
  let tenant: Tenant;
  const uri = (name: string): string => `s3://${BUCKET}/${NAMESPACE}/uploads/${name}`;

  beforeAll(async () => {
    tenant = await Tenant.named(NAMESPACE);
    await putObject(`${NAMESPACE}/uploads/good.onnx`, irisModel());
    await putObject(`${NAMESPACE}/uploads/truncated.onnx`, irisModel().subarray(0, 200));
    await putObject(
      `${NAMESPACE}/uploads/picture.onnx`,
      Buffer.from('\u0089PNG\r\n\u001a\n nothing'),
    );
    await putSparseObject(`${NAMESPACE}/uploads/huge.onnx`, 5 * GIB);
    await tenant.apply(model('iris'), modelVersion('iris', '1.0.0', uri('good.onnx')));
    await tenant.awaits('modelversion', 'iris-1.0.0', { type: 'Ready', status: 'True' });
  }, 3 * MINUTES);

  afterAll(async () => {
    await tenant.abandon();
  }, 2 * MINUTES);

  const refused: readonly (readonly [string, object, Record<string, unknown>, RegExp])[] = [
    ['a Model', modelExample, { 'spec.task': 'guessing' }, /spec\.task.*classification/s],
    [
      'a ModelVersion that is no SemVer',
      modelVersionExample,
      { 'spec.version': 'v1.0' },
      /spec\.version.*MAJOR\.MINOR\.PATCH such as 1\.4\.0/s,
    ],
    [
      'a ModelAlias with another name than its fields say',
      modelAliasExample,
      { 'metadata.name': 'winner' },
      /metadata\.name must be <model>-<alias>/,
    ],
    [
      'an Experiment with a field that does not exist',
      experimentExample,
      { 'spec.maxTrials': 3 },
      /unknown field "(spec\.)?maxTrials"/,
    ],
    [
      'a Deployment with a version and an alias',
      deploymentExample,
      { 'spec.predictor.model.version': '1.0.0' },
      /version.*alias|alias.*version/s,
    ],
    ['an ABTest', abTestExample, { 'spec.alpha': 0.9 }, /spec\.alpha/],
    ['a Pipeline', pipelineExample, { 'spec.tasks': [] }, /spec\.tasks/],
    [
      'a PipelineRun',
      pipelineRunExample,
      { 'spec.surprise': 1 },
      /unknown field "(spec\.)?surprise"/,
    ],
    ['a RetrainPolicy', retrainPolicyExample, { 'spec.triggers': [] }, /spec\.triggers/],
  ];

  test.each(refused)('the cluster refuses %s', async (_what, example, changes, words) => {
    const { ok, stderr } = await tenant.tryApply(changed(example, changes) as Manifest);
    expect(ok).toBe(false);
    expect(stderr).toMatch(words);
  });

  const unusable: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'a bucket of somebody else',
      's3://other-bucket/model.onnx',
      'UriNotAllowed',
      /"other-bucket"/,
    ],
    [
      'a key of another namespace',
      `s3://${BUCKET}/mlops-system/model.onnx`,
      'UriNotAllowed',
      /start with journey-bad-input\//,
    ],
    ['a private address', 'https://127.0.0.1/model.onnx', 'UriNotAllowed', /127\.0\.0\.1/],
    [
      'the metadata service of a cloud',
      'https://169.254.169.254/latest/meta-data/model.onnx',
      'UriNotAllowed',
      /169\.254\.169\.254/,
    ],
    ['a truncated file', 'truncated.onnx', 'InvalidModel', /truncated|ends|cut|short/i],
    ['a file that is no ONNX', 'picture.onnx', 'InvalidModel', /ONNX/],
    [
      'a file of 5 GiB where 1 GiB is allowed',
      'huge.onnx',
      'TooLarge',
      new RegExp(`${5 * GIB} bytes.*allows ${GIB}`),
    ],
    ['a file that is not there', 'nothing.onnx', 'ArtifactNotFound', /nothing\.onnx/],
  ];

  test.each(
    unusable.map(
      ([what, place, reason, words], index) =>
        [what, { place, reason, words, version: `2.0.${index}` }] as const,
    ),
  )(
    'a version that names %s says why it cannot be used',
    async (_what, { place, reason, words, version }) => {
      const storageUri = place.includes('://') ? place : uri(place);
      await tenant.apply(modelVersion('iris', version, storageUri));
      const condition = await tenant.awaits(
        'modelversion',
        `iris-${version}`,
        { type: 'Ready', reason },
        60,
      );
      expect(condition.status).toBe('False');
      expect(condition.message).toMatch(words);
    },
    70_000,
  );

  test('a version that is taken is Stalled and names who has it', async () => {
    const twin = modelVersion('iris', '1.0.0+rebuild', uri('good.onnx'));
    await tenant.apply({ ...twin, metadata: { name: 'iris-twin' } });
    const ready = await tenant.awaits('modelversion', 'iris-twin', {
      type: 'Stalled',
      reason: 'VersionTaken',
    });
    expect(ready.message).toMatch(/iris-1\.0\.0 has version 1\.0\.0 of Model iris already/);
  }, 60_000);

  test('a version of a Model that does not exist waits for it', async () => {
    await tenant.apply(modelVersion('tulip', '1.0.0', uri('good.onnx')));
    const missing = await tenant.awaits('modelversion', 'tulip-1.0.0', {
      type: 'Ready',
      reason: 'ModelNotFound',
    });
    expect(missing.message).toMatch(/no Model tulip in namespace journey-bad-input/);
    await tenant.apply(model('tulip'));
    await tenant.awaits('modelversion', 'tulip-1.0.0', { type: 'Ready', status: 'True' }, 60);
  }, 120_000);

  test('an alias of a version that does not exist, and a Deployment of an alias that does not', async () => {
    await tenant.apply(
      modelAlias('iris', 'next', '9.9.9'),
      changed(deployment('lost', 'iris'), { 'spec.predictor.model.alias': 'nobody' }),
    );
    const alias = await tenant.awaits('modelalias', 'iris-next', {
      type: 'Ready',
      reason: 'VersionNotFound',
    });
    expect(alias.message).toMatch(/Model iris has no version 9\.9\.9/);
    const found = await tenant.awaits('modeldeployment', 'lost', {
      type: 'Ready',
      reason: 'AliasNotFound',
    });
    expect(found.message).toMatch(/no alias nobody/);
    expect(await tenant.get('deployments.apps', 'lost')).toBeUndefined();
  }, 60_000);

  test('all of this left the good version as it was', async () => {
    const version = await tenant.get('modelversion', 'iris-1.0.0');
    expect(at(version, 'status.digest')).toBe(digestOf(irisModel()));
    const ready = await tenant.condition('modelversion', 'iris-1.0.0', 'Ready');
    expect(ready?.status).toBe('True');
  });

  test(
    'names at their length limits work from the file to the answer',
    async () => {
      const name = `m${'x'.repeat(61)}1`;
      const alias = `a${'y'.repeat(61)}2`;
      const serving = `d${'z'.repeat(43)}3`;
      const version = `1.0.0-${'r'.repeat(57)}`;
      const key = `uploads/${'p'.repeat(120)}/${'q'.repeat(120)}.onnx`;
      await putObject(`${NAMESPACE}/${key}`, irisModel());
      const long = modelVersion(name, version, `s3://${BUCKET}/${NAMESPACE}/${key}`);
      await tenant.apply(
        model(name),
        { ...long, metadata: { name: `v${'w'.repeat(251)}4` } },
        modelAlias(name, alias, version),
        changed(deployment(serving, name), { 'spec.predictor.model.alias': alias }),
      );
      await tenant.awaits('modeldeployment', serving, { type: 'Ready', status: 'True' }, 120);
      const answer = await fetch(`${await modelUrl(NAMESPACE, serving)}/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(IRIS_QUESTION),
      });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ model_name: serving, model_version: version });
    },
    3 * MINUTES,
  );

  test(
    'an Experiment with the longest names trains, registers and can be deleted',
    async () => {
      const name = `e${'t'.repeat(EXPERIMENT_NAME_MAX - 2)}5`;
      const modelName = `m${'u'.repeat(61)}6`;
      const alias = `a${'v'.repeat(61)}7`;
      const manifest = changed(experimentNamed(name), {
        'spec.register.modelRef.name': modelName,
        'spec.register.alias.name': alias,
      });
      await tenant.apply(manifest);
      await tenant.awaits('experiment', name, { type: 'Complete', status: 'True' }, 120);
      await tenant.awaits('modelalias', `${modelName}-${alias}`, { type: 'Ready', status: 'True' });
      await tenant.kubectl('delete', 'experiment', name, '--timeout=60s');
      await tenant.awaits('modelversion', `${modelName}-1.0.0`, { type: 'Ready', status: 'True' });
    },
    4 * MINUTES,
  );
});
