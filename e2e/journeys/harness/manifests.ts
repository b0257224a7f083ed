import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { load } from 'js-yaml';

import { at } from './kubectl.ts';
import { REPOSITORY, settings } from './settings.ts';
import type { Manifest } from './tenant.ts';

const TRAINER = 'mlops-trainer-digits';

/** A manifest of the course, such as `05-search/experiment`, for another namespace and with the images that are here. */
export const exampleOf = (path: string): Manifest => {
  const text = readFileSync(join(REPOSITORY, `examples/${path}.yaml`), 'utf8');
  const image = settings().images[TRAINER] ?? '';
  const manifest = load(text.replaceAll(new RegExp(`localhost/${TRAINER}:\\S+`, 'g'), image));
  const { namespace: _theirs, ...metadata } = at(manifest, 'metadata') as { namespace: string };
  return { ...(manifest as Manifest), metadata } as unknown as Manifest;
};

export const exampleManifest = (file: 'model' | 'experiment' | 'deployment'): Manifest =>
  exampleOf(`01-train-and-serve/${file}`);

/** The example's Experiment under another name and with other options of its training program. */
export const experimentNamed = (name: string, args?: readonly string[]): Manifest => {
  const manifest = structuredClone(exampleManifest('experiment'));
  const path = 'spec.trialTemplate.trialSpec.spec.template.spec.containers.0';
  if (args !== undefined) (at(manifest, path) as { args: readonly string[] }).args = args;
  return { ...manifest, metadata: { ...manifest.metadata, name } };
};

/** A small real ONNX model that takes `X`, four numbers a row. */
export const irisModel = (): Buffer =>
  readFileSync(join(REPOSITORY, 'serving-runtime/testing/models/iris.onnx'));

export const model = (name: string): Manifest => ({ kind: 'Model', metadata: { name }, spec: {} });

export const modelVersion = (
  modelName: string,
  version: string,
  storageUri: string,
  more: Readonly<Record<string, unknown>> = {},
): Manifest => ({
  kind: 'ModelVersion',
  metadata: { name: `${modelName}-${version}` },
  spec: { modelRef: { name: modelName }, version, storageUri, ...more },
});

export const modelAlias = (modelName: string, alias: string, version: string): Manifest => ({
  kind: 'ModelAlias',
  metadata: { name: `${modelName}-${alias}` },
  spec: { modelRef: { name: modelName }, alias, version },
});

/** Follows the alias `champion` with one small pod. */
export const deployment = (
  name: string,
  modelName: string,
  more: Readonly<Record<string, unknown>> = {},
): Manifest => ({
  kind: 'Deployment',
  metadata: { name },
  spec: {
    predictor: {
      model: { modelRef: { name: modelName }, alias: 'champion' },
      replicas: 1,
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    },
    ...more,
  },
});
