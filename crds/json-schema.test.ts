import { describe, expect, test } from '@jest/globals';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { resourceSchema, specSchema } from './json-schema.ts';
import { kinds } from './schema/all.ts';
import { deployment } from './schema/deployment.ts';
import { modelVersion } from './schema/model-version.ts';
import { model } from './schema/model.ts';
import { changed } from './testing/changed.ts';
import {
  exampleManifests,
  modelExample,
  modelVersionExample,
} from './testing/example-manifests.ts';

function compile(schema: object) {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

describe.each(kinds.map((each) => [each.kind, each] as const))('%s', (kind, definition) => {
  test('has a schema that a strict validator takes, and that takes its example', () => {
    const validate = compile(resourceSchema(definition));
    validate(exampleManifests.find((each) => each.kind === kind));
    expect(validate.errors ?? []).toEqual([]);
  });
});

test('a version that is none is refused by its pattern', () => {
  const validate = compile(specSchema(modelVersion));
  expect(validate({ ...modelVersionExample.spec, version: 'v1' })).toBe(false);
  expect(validate.errors?.map(({ instancePath }) => instancePath)).toEqual(['/version']);
});

test('unknown fields are refused', () => {
  const validate = compile(resourceSchema(model));
  expect(validate(changed(modelExample, { 'spec.colour': 'red' }))).toBe(false);
});

test('fields with a default may be left out', () => {
  const validate = compile(specSchema(deployment));
  expect(
    validate({ predictor: { model: { modelRef: { name: 'digits' }, alias: 'champion' } } }),
  ).toBe(true);
});

test('pieces of a pod keep what is not known here', () => {
  const validate = compile(specSchema(deployment));
  const predictor = { model: { modelRef: { name: 'digits' }, alias: 'champion' } };
  expect(validate({ predictor, pod: { hostAliases: [{ ip: '10.0.0.1' }] } })).toBe(true);
});

test('a kind whose spec is all optional needs none', () => {
  expect(resourceSchema(model)['required']).not.toContain('spec');
  expect(resourceSchema(modelVersion)['required']).toContain('spec');
});
