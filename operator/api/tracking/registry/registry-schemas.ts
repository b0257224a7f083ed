/** Request bodies of the registry's protocol; what they mean is checked where it is used. */
const TEXT = { type: 'string', maxLength: 100_000 } as const;
const NAME = { type: 'string', maxLength: 1024 } as const;
/** Some clients send the integer as a number. */
const VERSION = { type: ['string', 'integer'], maxLength: 64 } as const;
const LONG = { type: 'string', maxLength: 65_536 } as const;
const PAIRS = {
  type: 'array',
  maxItems: 1000,
  items: { type: 'object', properties: { key: NAME, value: TEXT } },
} as const;
const WORDS = { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 512 } } as const;

const body = (properties: object): object => ({ type: 'object', properties });

export const MODEL_BODY = body({ name: NAME, tags: PAIRS, description: LONG, new_name: NAME });
export const TAG_BODY = body({ name: NAME, version: VERSION, key: NAME, value: TEXT });
export const ALIAS_BODY = body({ name: NAME, alias: NAME, version: VERSION });
export const STAGES_BODY = body({
  name: NAME,
  stages: { anyOf: [WORDS, { type: 'string', maxLength: 512 }] },
});
export const VERSION_BODY = body({
  name: NAME,
  version: VERSION,
  source: { type: 'string', maxLength: 4096 },
  run_id: NAME,
  run_link: LONG,
  model_id: NAME,
  description: LONG,
  tags: PAIRS,
  stage: NAME,
  archive_existing_versions: { type: ['boolean', 'string'] },
});
export const SEARCH_BODY = body({
  filter: { type: 'string', maxLength: 4096 },
  max_results: { type: 'integer' },
  // In a query, one is a word and several are a list.
  order_by: { anyOf: [WORDS, { type: 'string', maxLength: 512 }] },
  page_token: { type: 'string', maxLength: 4096 },
});
