import { ApiError } from './cluster.ts';
import type { ObjectKey, ResourceType } from './resource-type.ts';

/** The path of a collection on an API server: of one namespace, or of all. */
export const collectionPath = (type: ResourceType, namespace: string | undefined): string => {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope =
    namespace === undefined || namespace === ''
      ? ''
      : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${type.plural}`;
};

/** The path of one object. Throws a 404 for names that would lead elsewhere. */
export const objectPath = (type: ResourceType, { namespace, name }: ObjectKey): string => {
  // As a step of a path these would lead to another resource; no object has such a name.
  if ([name, namespace].some((part) => part === '.' || part === '..') || name === '')
    throw new ApiError(404, 'NotFound', `No ${type.kind} can be named "${namespace}/${name}".`);
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
};
