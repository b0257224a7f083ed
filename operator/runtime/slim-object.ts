import type { KubernetesObject } from './resource-type.ts';

/**
 * Keeps who wrote and when, for the audit, but not the field sets, which are most of an object's
 * size and which nothing here reads.
 */
export const slimObject = (object: KubernetesObject): KubernetesObject => {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined) return object;
  const writers = managedFields.map(({ manager, operation, subresource, time }) => ({
    ...(manager !== undefined && { manager }),
    ...(operation !== undefined && { operation }),
    ...(subresource !== undefined && { subresource }),
    ...(time !== undefined && { time }),
  }));
  return { ...object, metadata: { ...metadata, managedFields: writers } };
};
