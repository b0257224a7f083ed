import type { JsonPatchOperation } from './cluster.ts';
import type { KubernetesObject } from './resource-type.ts';

export const hasFinalizer = (object: KubernetesObject, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) === true;

/**
 * JSON patches (RFC 6902) with `test`, so that a finalizer someone else adds or removes at the same
 * moment is never lost: the patch fails instead and the pass is repeated.
 */
export const addFinalizer = (
  object: KubernetesObject,
  finalizer: string,
): readonly JsonPatchOperation[] => {
  const present = object.metadata.finalizers;
  if (present === undefined || present.length === 0) {
    return [
      { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
      { op: 'add', path: '/metadata/finalizers', value: [finalizer] },
    ];
  }
  return [
    { op: 'test', path: '/metadata/finalizers', value: present },
    { op: 'add', path: '/metadata/finalizers/-', value: finalizer },
  ];
};

/** Empty when it is not there. */
export const removeFinalizer = (
  object: KubernetesObject,
  finalizer: string,
): readonly JsonPatchOperation[] => {
  const index = object.metadata.finalizers?.indexOf(finalizer) ?? -1;
  if (index < 0) return [];
  const path = `/metadata/finalizers/${index}`;
  return [
    { op: 'test', path, value: finalizer },
    { op: 'remove', path },
  ];
};
