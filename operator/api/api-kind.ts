import { resourceSchema } from '../../crds/json-schema.ts';
import type { JsonSchema } from '../../crds/json-schema.ts';
import type { KindDefinition } from '../../crds/schema/resource.ts';
import { ownType } from '../runtime/own-type.ts';
import type { ResourceType } from '../runtime/resource-type.ts';

/** One of our kinds as the API offers it. */
export type ApiKind = {
  readonly type: ResourceType;
  readonly description: string;
  /** Of a whole object: apiVersion, kind, metadata, spec and status. */
  readonly schema: JsonSchema;
};

export const apiKindOf = (definition: KindDefinition): ApiKind => ({
  type: ownType(definition),
  description: definition.description,
  schema: resourceSchema(definition),
});
