import { ANNOTATIONS, MANAGED_BY } from '../../crds/schema/names.ts';
import { fingerprint } from './coverage.ts';
import {
  apiVersionOf,
  type KubernetesObject,
  type OwnerReference,
  type ResourceType,
} from './resource-type.ts';
import type { ChildOptions, OwnObject } from './reconciler.ts';

export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/** What informers of children select. */
export const MANAGED_SELECTOR = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;

/** All others of a type, of which only metadata are kept: their names are taken. */
export const FOREIGN_SELECTOR = `${MANAGED_BY_LABEL}!=${MANAGED_BY}`;

export const ownerReference = (owner: OwnObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

export const controllerOf = (object: KubernetesObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(({ controller }) => controller === true);

export const isOwnedBy = (child: KubernetesObject, owner: OwnObject): boolean =>
  controllerOf(child)?.uid === owner.metadata.uid;

/**
 * A child as it is written: type, namespace, the managed-by label on itself and on its pod template
 * (so that informers find the pods too), its owner, and the fingerprint of all that.
 */
export const childOf = (
  owner: OwnObject,
  type: ResourceType,
  child: KubernetesObject,
  { owned = true, elsewhere = false }: ChildOptions = {},
): KubernetesObject => {
  const { namespace } = elsewhere ? child.metadata : owner.metadata;
  const complete = labelledTemplate({
    ...child,
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: {
      ...child.metadata,
      ...(namespace !== undefined && { namespace }),
      labels: { ...child.metadata.labels, [MANAGED_BY_LABEL]: MANAGED_BY },
      ...(owned && { ownerReferences: [ownerReference(owner)] }),
    },
  });
  const annotations = {
    ...child.metadata.annotations,
    [ANNOTATIONS.applied]: fingerprint(complete),
  };
  return { ...complete, metadata: { ...complete.metadata, annotations } };
};

type WithTemplate = KubernetesObject & {
  readonly spec?: {
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    };
  };
};

const labelledTemplate = (child: WithTemplate): KubernetesObject => {
  const template = child.spec?.template;
  if (template === undefined) return child;
  const labels = { ...template.metadata?.labels, [MANAGED_BY_LABEL]: MANAGED_BY };
  const spec = {
    ...child.spec,
    template: { ...template, metadata: { ...template.metadata, labels } },
  };
  return { ...child, spec } as KubernetesObject;
};
