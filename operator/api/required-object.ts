import type { KubernetesObject, ObjectKey, ResourceType } from '../runtime/resource-type.ts';
import { Problem } from './problem.ts';
import type { RouteContext } from './route-context.ts';

/** The object as it stands in the cluster, or the Problem `NotFound`. */
export const requiredObject = async <T extends KubernetesObject = KubernetesObject>(
  { cluster }: Pick<RouteContext, 'cluster'>,
  type: ResourceType,
  key: ObjectKey,
): Promise<T> => {
  const object = await cluster.get<T>(type, key);
  if (object !== undefined) return object;
  throw new Problem(
    'NotFound',
    `There is no ${type.kind} "${key.name}" in namespace ${key.namespace}; ` +
      `"kubectl get ${type.plural} -n ${key.namespace}" shows those there are.`,
  );
};
