/** Bodies of MLflow's multipart upload protocol. */
const PATH = { type: 'string', minLength: 1, maxLength: 4096 } as const;
const UPLOAD_ID = { type: 'string', minLength: 1, maxLength: 1024 } as const;
const PART_NUMBER = { type: 'integer', minimum: 1, maximum: 10_000 } as const;
const WHOLE = { type: 'integer', minimum: 0 } as const;

export const CREATE_UPLOAD = {
  type: 'object',
  required: ['path'],
  properties: { path: PATH, num_parts: { type: 'integer' } },
} as const;

export const COMPLETE_UPLOAD = {
  type: 'object',
  required: ['path', 'upload_id', 'parts'],
  properties: {
    path: PATH,
    upload_id: UPLOAD_ID,
    parts: {
      type: 'array',
      minItems: 1,
      maxItems: 10_000,
      items: {
        type: 'object',
        required: ['part_number'],
        properties: {
          part_number: PART_NUMBER,
          etag: { type: 'string', maxLength: 256 },
          url: { type: 'string', maxLength: 8192 },
        },
      },
    },
  },
} as const;

export const ABORT_UPLOAD = {
  type: 'object',
  required: ['path', 'upload_id'],
  properties: { path: PATH, upload_id: UPLOAD_ID },
} as const;

export const PART_QUERY = {
  type: 'object',
  required: ['upload_id', 'part_number', 'max_bytes', 'expires', 'signature'],
  properties: {
    upload_id: UPLOAD_ID,
    part_number: PART_NUMBER,
    max_bytes: WHOLE,
    expires: WHOLE,
    signature: { type: 'string', maxLength: 64 },
  },
} as const;

export const FILE_QUERY = {
  type: 'object',
  required: ['expires', 'signature'],
  properties: { expires: WHOLE, signature: PART_QUERY.properties.signature },
} as const;
