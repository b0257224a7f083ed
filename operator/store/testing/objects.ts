import type { KubernetesObject, ManagedFieldsEntry } from '../../runtime/resource-type.ts';

export type ObjectParts = {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly version?: number;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly writers?: readonly ManagedFieldsEntry[];
  readonly createdAt?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
};

const USUAL = {
  kind: 'Model',
  name: 'digits',
  namespace: 'demo',
  version: 1,
  generation: 1,
  labels: {},
  annotations: {},
  writers: [],
  createdAt: '2026-01-01T00:00:00Z',
  spec: {},
  status: {},
} satisfies ObjectParts;

/** An object as an informer hands it over; the uid follows the name. */
export const anObject = (given: ObjectParts = {}): KubernetesObject => {
  const { kind, name, namespace, spec, status, ...parts } = { ...USUAL, ...given };
  const object = {
    apiVersion: 'mlops.pynomaly.io/v1alpha1',
    kind,
    metadata: {
      name,
      namespace,
      uid: parts.uid ?? `uid-${namespace}-${name}`,
      resourceVersion: String(parts.version),
      generation: parts.generation,
      creationTimestamp: parts.createdAt,
      labels: parts.labels,
      annotations: parts.annotations,
      managedFields: parts.writers,
    },
    spec,
    status,
  };
  return object;
};

export const wrote = (manager: string, time: string, subresource?: string): ManagedFieldsEntry => ({
  manager,
  operation: 'Apply',
  time,
  ...(subresource !== undefined && { subresource }),
});

export const readyStatus = (status: string, reason = 'AsWanted', message = '') => ({
  conditions: [{ type: 'Ready', status, reason, message }],
});
