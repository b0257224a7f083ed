import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ANNOTATIONS } from '../../crds/schema/names.ts';
import { apiVersionOf } from '../runtime/resource-type.ts';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import type { ApiKind } from './api-kind.ts';
import { Problem } from './problem.ts';
import type { Fault } from './problem.ts';

/** What a caller wants an object to be, safe to write in the operator's name. */
export type Manifest = KubernetesObject & { readonly spec?: unknown };

export type Target = { readonly namespace: string; readonly name?: string };

/** Reads a body as a manifest of one kind, or throws a Problem that lists every fault. */
export type ManifestReader = (body: unknown, target: Target, requestedBy: string) => Manifest;

const MAX_FAULTS = 20;

/**
 * Only what belongs to the user is taken over: labels, annotations and spec. Owners, finalizers and
 * status would be written with the operator's rights, so they are refused or left out.
 */
export const createManifestReader = (kind: ApiKind): ManifestReader => {
  // Compiled when first needed: nine large schemas would delay every start.
  let compiled: ValidateFunction | undefined;
  return (body, target, requestedBy) => {
    const given = asObject(body);
    const metadata = isRecord(given['metadata']) ? given['metadata'] : {};
    const faults = addressFaults(kind, { given, metadata }, target);
    const manifest: Manifest = {
      apiVersion: apiVersionOf(kind.type),
      kind: kind.type.kind,
      metadata: {
        name: target.name ?? text(metadata['name']),
        namespace: target.namespace,
        ...copied(metadata, 'labels'),
        ...copied(metadata, 'resourceVersion'),
        annotations: {
          ...(isStringMap(metadata['annotations']) ? metadata['annotations'] : {}),
          [ANNOTATIONS.requestedBy]: requestedBy,
        },
      },
      ...copied(given, 'spec'),
    };
    const validate = (compiled ??= compile(kind));
    if (!validate(manifest)) faults.push(...(validate.errors ?? []).map(asFault));
    if (faults.length > 0) refuse(kind, faults);
    return manifest;
  };
};

const compile = (kind: ApiKind): ValidateFunction => {
  // Not strict: the schemas carry x-kubernetes-* keywords, and defaults are the cluster's to fill in.
  const ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true });
  addFormats.default(ajv);
  return ajv.compile(kind.schema);
};

const refuse = (kind: ApiKind, faults: readonly Fault[]): never => {
  const shown = faults.slice(0, MAX_FAULTS);
  const list = shown.map((fault) => `${fault.pointer || '/'} ${fault.detail}`).join('; ');
  throw new Problem('Invalid', `This is not a valid ${kind.type.kind}: ${list}.`, {
    faults: shown,
  });
};

const asObject = (body: unknown): Readonly<Record<string, unknown>> => {
  if (isRecord(body)) return body;
  throw new Problem('InvalidRequest', 'The body must be one object, as JSON.');
};

type Given = {
  readonly given: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
};

const addressFaults = (kind: ApiKind, { given, metadata }: Given, target: Target): Fault[] => {
  const faults: Fault[] = [];
  const expect = (pointer: string, value: unknown, want: string): void => {
    if (value === undefined || value === want) return;
    faults.push({ pointer, detail: `is ${JSON.stringify(value)}, but must be "${want}" here` });
  };
  expect('/apiVersion', given['apiVersion'], apiVersionOf(kind.type));
  expect('/kind', given['kind'], kind.type.kind);
  expect('/metadata/namespace', metadata['namespace'], target.namespace);
  if (target.name !== undefined) expect('/metadata/name', metadata['name'], target.name);
  for (const field of ['labels', 'annotations']) {
    if (metadata[field] === undefined || isStringMap(metadata[field])) continue;
    faults.push({ pointer: `/metadata/${field}`, detail: 'must map names to strings' });
  }
  for (const field of ['ownerReferences', 'finalizers']) {
    const value = metadata[field];
    if (!Array.isArray(value) || value.length === 0) continue;
    faults.push({
      pointer: `/metadata/${field}`,
      detail: 'cannot be set through this API; leave it out',
    });
  }
  return faults;
};

const asFault = (error: ErrorObject): Fault => ({
  pointer: error.instancePath,
  detail: detailOf(error),
});

const detailOf = (error: ErrorObject): string => {
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `has an unknown field "${text(params['additionalProperty'] ?? params['unevaluatedProperty'])}"`;
    case 'required':
      return `lacks the field "${text(params['missingProperty'])}"`;
    case 'enum':
      return `must be one of ${JSON.stringify(params['allowedValues'])}`;
    case 'pattern':
      return `is ${JSON.stringify(error.data)}, which does not match ${text(params['pattern'])}`;
    default:
      return error.message ?? 'is not valid';
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const copied = (from: Readonly<Record<string, unknown>>, field: string): object =>
  from[field] === undefined ? {} : { [field]: from[field] };

const isStringMap = (value: unknown): value is Readonly<Record<string, string>> =>
  isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
