const WORD = { type: 'string', maxLength: 64 } as const;
const EVENT = { type: 'object', properties: { entity: WORD, action: WORD } } as const;

export const WEBHOOK_BODY = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 256 },
    url: { type: 'string', maxLength: 2048 },
    description: { type: 'string', maxLength: 5000 },
    events: { type: 'array', maxItems: 100, items: EVENT },
    secret: { type: 'string', maxLength: 1000 },
    status: { enum: ['ACTIVE', 'DISABLED'] },
  },
} as const;

export const WEBHOOK_PARAMS = {
  type: 'object',
  required: ['webhookId'],
  properties: { webhookId: WORD },
} as const;

export const LIST_WEBHOOKS = {
  type: 'object',
  properties: { max_results: { type: 'integer' }, page_token: WORD },
} as const;

export const TEST_WEBHOOK = { type: 'object', properties: { event: EVENT } } as const;
