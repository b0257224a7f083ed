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

/** Drops who wrote and when as well: for objects that no audit tells of, such as children. */
export const withoutWriters = (object: KubernetesObject): KubernetesObject => {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
};
