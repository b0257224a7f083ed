import { z } from 'zod';
import { CHOICE_MESSAGE, PATTERN_MESSAGE, VALIDATIONS } from './schema/rules.ts';
import type { Rule } from './schema/rules.ts';

/** A node of a Kubernetes structural schema (OpenAPI v3 as a CRD may hold it). */
export type StructuralSchema = {
  description?: string;
  type?: string;
  format?: string;
  nullable?: boolean;
  enum?: readonly unknown[];
  default?: unknown;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  exclusiveMinimum?: boolean;
  maximum?: number;
  exclusiveMaximum?: boolean;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  anyOf?: readonly { type: string }[];
  properties?: Record<string, StructuralSchema>;
  required?: readonly string[];
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: readonly string[];
  'x-kubernetes-validations'?: readonly Rule[];
};

/** JSON Schema as zod writes it for OpenAPI 3.0, our `x-` keys beside it. */
type Written = StructuralSchema & {
  readonly additionalProperties?: Written | boolean;
  readonly properties?: Record<string, Written>;
  readonly items?: Written;
} & Record<string, unknown>;

/** A zod construct that a CRD cannot say; thrown when generating, never at run time. */
export class NotStructuralError extends Error {
  readonly code = 'NOT_STRUCTURAL';
}

/** Keys that mean the same in both and are copied as they are, in the order they are written. */
const COPIED = [
  'description',
  'type',
  'format',
  'nullable',
  'enum',
  'default',
  'minLength',
  'maxLength',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'maxItems',
  'maxProperties',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] as const;

const KNOWN: ReadonlySet<string> = new Set([
  ...COPIED,
  'pattern',
  'minItems',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'anyOf',
  VALIDATIONS,
  PATTERN_MESSAGE,
  CHOICE_MESSAGE,
]);

/**
 * The structural schema of a zod schema as users write it: fields with a default are optional.
 *
 * `z.strictObject` becomes a closed object, `z.looseObject` and `z.unknown` keep unknown fields,
 * `z.record` becomes a map, `shaped` strings and `chosen` words become CEL rules. Throws NotStructuralError, naming the
 * place, for what a CRD cannot say (unions, tuples, references) and for a default inside a list
 * item: Argo CD compares lists as a whole and would see a difference for ever.
 */
export function structural(schema: z.ZodType): StructuralSchema {
  const written = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
  }) as Written;
  return convert(written, { path: '', inList: false });
}

type Place = { readonly path: string; readonly inList: boolean };

function convert(written: Written, place: Place): StructuralSchema {
  refuseWhatCannotBeSaid(written, place);
  const node: Record<string, unknown> = {};
  for (const key of COPIED) if (written[key] !== undefined) node[key] = written[key];
  const schema = node as StructuralSchema;
  describeInteger(schema);
  describeString(schema, written);
  describeChildren(schema, written, place);
  const rules = rulesOf(written);
  if (rules.length > 0) schema[VALIDATIONS] = rules;
  return schema;
}

function refuseWhatCannotBeSaid(written: Written, { path, inList }: Place): void {
  const where = path === '' ? 'the root' : path;
  const unknown = Object.keys(written).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) {
    throw new NotStructuralError(
      `${where}: ${unknown.join(', ')} cannot be said in a CRD; use an object with optional fields and a CEL rule`,
    );
  }
  if (written.anyOf !== undefined && written['x-kubernetes-int-or-string'] !== true) {
    throw new NotStructuralError(
      `${where}: a union cannot be said in a CRD; use an object with optional fields and a CEL rule`,
    );
  }
  if (inList && written.default !== undefined) {
    throw new NotStructuralError(
      `${where}: no defaults inside list items, or GitOps tools see a difference for ever; say in the description what happens when the field is left out`,
    );
  }
}

/** zod bounds integers by what a double can hold; Kubernetes says the same by a format. */
function describeInteger(schema: StructuralSchema): void {
  if (schema.type !== 'integer') return;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  const isSmall = schema.maximum !== undefined && schema.maximum <= 2147483647;
  schema.format = isSmall ? 'int32' : 'int64';
  if (schema.maximum === 2147483647) delete schema.maximum;
}

/** Bounds what the rule of a choice has to look at. */
const LONGEST_CHOICE = 256;

function describeString(schema: StructuralSchema, written: Written): void {
  if (written['x-kubernetes-int-or-string'] === true) {
    schema.anyOf = [{ type: 'integer' }, { type: 'string' }];
    const text = (written.anyOf as readonly Written[] | undefined)?.find(
      (each) => each.type === 'string',
    );
    if (text?.pattern !== undefined) schema.pattern = text.pattern;
    if (text?.maxLength !== undefined) schema.maxLength = text.maxLength;
  }
  if (written.pattern !== undefined && written[PATTERN_MESSAGE] === undefined) {
    schema.pattern = written.pattern;
  }
  if (written[CHOICE_MESSAGE] !== undefined) {
    delete schema.enum;
    schema.maxLength = LONGEST_CHOICE;
  }
}

function describeChildren(schema: StructuralSchema, written: Written, place: Place): void {
  const isAny = schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true;
  if (isAny) schema['x-kubernetes-preserve-unknown-fields'] = true;
  if (written.items !== undefined) {
    schema.items = convert(written.items, { path: `${place.path}[]`, inList: true });
    if (written.minItems !== undefined && written.minItems > 0) schema.minItems = written.minItems;
  }
  if (schema.type === 'object') describeObject(schema, written, place);
}

function describeObject(schema: StructuralSchema, written: Written, place: Place): void {
  const fields = Object.entries(written.properties ?? {});
  if (fields.length > 0) {
    schema.properties = Object.fromEntries(
      fields.map(([name, field]) => [
        name,
        convert(field, { ...place, path: place.path === '' ? name : `${place.path}.${name}` }),
      ]),
    );
  }
  if (written.required !== undefined && written.required.length > 0) {
    schema.required = written.required;
  }
  const others = written.additionalProperties;
  if (typeof others !== 'object') return;
  if (Object.keys(others).length === 0) schema['x-kubernetes-preserve-unknown-fields'] = true;
  else schema.additionalProperties = convert(others, { ...place, path: `${place.path}.*` });
}

function rulesOf(written: Written): Rule[] {
  const rules = [...(written[VALIDATIONS] ?? [])];
  const [pattern, choice] = [written[PATTERN_MESSAGE], written[CHOICE_MESSAGE]];
  if (typeof choice === 'string' && written.enum !== undefined) {
    const words = written.enum.map((each) => `r'${String(each)}'`).join(', ');
    rules.unshift({ rule: `self in [${words}]`, message: choice });
  }
  if (typeof pattern === 'string' && written.pattern !== undefined) {
    rules.unshift({ rule: `self.matches(r'${written.pattern}')`, message: pattern });
  }
  return rules;
}
