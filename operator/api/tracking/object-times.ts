import type { KubernetesObject } from '../../runtime/resource-type.ts';

/** In ms since 1970. */
export const createdAt = ({ metadata }: KubernetesObject): number =>
  Date.parse(metadata.creationTimestamp ?? '') || 0;

/** The last write that was not about status. */
export const updatedAt = (object: KubernetesObject): number =>
  Math.max(
    createdAt(object),
    ...(object.metadata.managedFields ?? [])
      .filter(({ subresource }) => subresource !== 'status')
      .map(({ time }) => Date.parse(time ?? '') || 0),
  );
