/** JSON schemas that several routes share; OpenAPI shows them as they stand. */
export const DNS_LABEL = {
  type: 'string',
  maxLength: 63,
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
} as const;

export const OBJECT_NAME = {
  type: 'string',
  maxLength: 253,
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
} as const;

export const NAMESPACE_PARAMS = {
  type: 'object',
  required: ['namespace'],
  properties: { namespace: { ...DNS_LABEL, description: 'The namespace.' } },
} as const;

export const OBJECT_PARAMS = {
  type: 'object',
  required: ['namespace', 'name'],
  properties: {
    namespace: { ...DNS_LABEL, description: 'The namespace.' },
    name: { ...OBJECT_NAME, description: "The object's name." },
  },
} as const;

export const LIMIT = { type: 'integer', minimum: 1, maximum: 500 } as const;

export const CURSOR = {
  type: 'string',
  maxLength: 4096,
  description: 'What the page before gave as the way to the next one.',
} as const;

export const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'What went wrong, where, and what to do (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable; decide by this.' },
    instance: { type: 'string', description: 'Names this request, as the log does.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
} as const;

/** What says which object a row is about. */
const IDENTITY = {
  uid: { type: 'string' },
  kind: { type: 'string' },
  namespace: { type: 'string' },
  name: { type: 'string' },
  generation: { type: 'integer' },
  resourceVersion: { type: 'string' },
} as const;

export const AUDIT_ROW = {
  type: 'object',
  description: 'One change seen.',
  required: ['id', 'kind', 'uid', 'namespace', 'name', 'operation', 'gap', 'observedAt'],
  properties: {
    ...IDENTITY,
    id: { type: 'string' },
    operation: { enum: ['created', 'updated', 'status', 'deleted'] },
    gap: { type: 'boolean', description: 'Sums up changes that nobody watched one by one.' },
    requestedBy: { type: 'string', description: 'The user this API wrote for.' },
    fieldManager: { type: 'string', description: 'The door the change came through.' },
    beforeHash: { type: 'string' },
    afterHash: { type: 'string' },
    observedAt: { type: 'string', format: 'date-time' },
  },
} as const;

export const RESOURCE_ROW = {
  type: 'object',
  description: 'The last state seen of one object.',
  required: ['uid', 'kind', 'namespace', 'name', 'spec', 'status', 'ready', 'updatedAt'],
  properties: {
    ...IDENTITY,
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    spec: { type: 'object' },
    status: { type: 'object' },
    ready: { enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string' },
    message: { type: 'string' },
    createdAt: { type: 'string', format: 'date-time' },
    updatedAt: { type: 'string', format: 'date-time' },
    deletedAt: { type: 'string', format: 'date-time' },
  },
} as const;

export const pageOf = (items: object): object => ({
  type: 'object',
  required: ['items'],
  properties: { items: { type: 'array', items }, nextCursor: { type: 'string' } },
});
