/** Request bodies of the MLflow protocol, as far as this API takes them. */
const KEY = { type: 'string', minLength: 1, maxLength: 250 } as const;
const TEXT = { type: 'string', maxLength: 65_536 } as const;
const TIME = { type: 'integer', minimum: 0 } as const;
/** Protocol buffers write NaN and the infinities as strings. */
const NUMBER = { type: ['number', 'string'] } as const;

export const RUN_ID = { type: 'string', maxLength: 256 } as const;
export const EXPERIMENT_ID = {
  type: 'string',
  maxLength: 256,
  description: "The Experiment's uid.",
} as const;
const NAME = { type: 'string', maxLength: 500 } as const;

const PAIR = {
  type: 'object',
  required: ['key'],
  properties: { key: KEY, value: TEXT },
} as const;

const METRIC = {
  type: 'object',
  required: ['key', 'value', 'timestamp'],
  properties: { key: KEY, value: NUMBER, timestamp: TIME, step: { type: 'integer' } },
} as const;

const list = (items: object, maxItems: number): object => ({ type: 'array', items, maxItems });
const PAIRS = list(PAIR, 100);
const EITHER_RUN = { anyOf: [{ required: ['run_id'] }, { required: ['run_uuid'] }] } as const;

const body = (properties: object, more: object = {}): object => ({
  type: 'object',
  properties,
  ...more,
});

const ofRun = (properties: object, required: readonly string[] = []): object =>
  body({ run_id: RUN_ID, run_uuid: RUN_ID, ...properties }, { required, ...EITHER_RUN });

const SEARCH = {
  filter: { type: 'string', maxLength: 4096 },
  order_by: list({ type: 'string', maxLength: 512 }, 20),
  max_results: { type: 'integer', minimum: 1, maximum: 50_000 },
  page_token: { type: 'string', maxLength: 4096 },
} as const;

const VIEW = { enum: ['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'] } as const;
const STATUS = { enum: ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] } as const;

export const EXPERIMENT_BY_NAME = body(
  { experiment_name: NAME },
  { required: ['experiment_name'] },
);
export const EXPERIMENT_BY_ID = body(
  { experiment_id: EXPERIMENT_ID },
  { required: ['experiment_id'] },
);
const EXPERIMENT_TAGS = list(
  { ...PAIR, properties: { key: KEY, value: { type: 'string', maxLength: 20_000 } } },
  100,
);
export const CREATE_EXPERIMENT = body(
  { name: NAME, tags: EXPERIMENT_TAGS },
  { required: ['name'] },
);
export const UPDATE_EXPERIMENT = body(
  { experiment_id: EXPERIMENT_ID, new_name: { ...NAME, minLength: 1 } },
  { required: ['experiment_id', 'new_name'] },
);
export const EXPERIMENT_TAG = body(
  { experiment_id: EXPERIMENT_ID, key: KEY, value: { type: 'string', maxLength: 20_000 } },
  { required: ['experiment_id', 'key'] },
);
export const SEARCH_EXPERIMENTS = body({ ...SEARCH, view_type: VIEW });

export const CREATE_RUN = body(
  { experiment_id: EXPERIMENT_ID, user_id: NAME, run_name: NAME, start_time: TIME, tags: PAIRS },
  { required: ['experiment_id'] },
);
export const GET_RUN = ofRun({});
export const UPDATE_RUN = ofRun({ status: STATUS, end_time: TIME, run_name: NAME });
export const LOG_PARAMETER = ofRun({ key: KEY, value: TEXT }, ['key']);
export const LOG_METRIC = ofRun(METRIC.properties, METRIC.required);
export const SET_TAG = LOG_PARAMETER;
export const DELETE_TAG = ofRun({ key: KEY }, ['key']);
export const LOG_BATCH = ofRun({ metrics: list(METRIC, 1000), params: PAIRS, tags: PAIRS });
export const SEARCH_RUNS = body(
  { ...SEARCH, experiment_ids: list(EXPERIMENT_ID, 100), run_view_type: VIEW },
  { required: ['experiment_ids'] },
);
export const METRIC_HISTORY = ofRun(
  {
    metric_key: KEY,
    page_token: SEARCH.page_token,
    max_results: { type: 'integer', minimum: 1, maximum: 25_000 },
  },
  ['metric_key'],
);
export const LIST_ARTIFACTS = ofRun({ path: { type: 'string', maxLength: 1024 } });

const MODEL_ID = { type: 'string', maxLength: 64 } as const;
export const MODEL_PARAMS = {
  type: 'object',
  required: ['modelId'],
  properties: { modelId: MODEL_ID },
} as const;
export const CREATE_MODEL = body(
  {
    experiment_id: EXPERIMENT_ID,
    name: NAME,
    model_type: NAME,
    source_run_id: RUN_ID,
    params: PAIRS,
    tags: PAIRS,
  },
  { required: ['experiment_id'] },
);
export const FINALIZE_MODEL = body(
  {
    status: { enum: ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'] },
  },
  { required: ['status'] },
);
export const TAG_MODEL = body({ tags: PAIRS });
export const PARAMETERS_OF_MODEL = body({ params: PAIRS });
export const LOG_OUTPUTS = ofRun({
  models: list(
    body({ model_id: MODEL_ID, step: { type: 'integer' } }, { required: ['model_id'] }),
    100,
  ),
});
export const LOG_INPUTS = ofRun({
  datasets: list(
    body(
      {
        tags: list(PAIR, 1000),
        dataset: body(
          {
            name: { ...NAME, minLength: 1 },
            digest: { type: 'string', minLength: 1, maxLength: 36 },
            source_type: NAME,
            source: TEXT,
            schema: { type: 'string', maxLength: 1_048_575 },
            profile: { type: 'string', maxLength: 16_777_215 },
          },
          { required: ['name', 'digest'] },
        ),
      },
      { required: ['dataset'] },
    ),
    1000,
  ),
  models: list(body({ model_id: MODEL_ID }, { required: ['model_id'] }), 100),
});
export const SEARCH_MODELS = body(
  {
    ...SEARCH,
    experiment_ids: list(EXPERIMENT_ID, 100),
    order_by: list(
      body(
        { field_name: { type: 'string', maxLength: 512 }, ascending: { type: 'boolean' } },
        { required: ['field_name'] },
      ),
      20,
    ),
  },
  { required: ['experiment_ids'] },
);
