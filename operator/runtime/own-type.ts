import { GROUP, VERSION } from '../../crds/schema/resource.ts';
import type { ResourceType } from './resource-type.ts';

/** The API address of a kind of ours, from its definition. */
export const ownType = (kind: {
  readonly kind: string;
  readonly plural: string;
}): ResourceType => ({
  group: GROUP,
  version: VERSION,
  kind: kind.kind,
  plural: kind.plural,
  namespaced: true,
});
