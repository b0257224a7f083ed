import { InvalidRunInput, type Metric, type RunBatch } from './run-store.ts';

/** The limits MLflow documents for its log-batch call and for stored values. */
const MAX_METRICS = 1000;
const MAX_PARAMS = 100;
const MAX_TAGS = 100;
const MAX_KEY = 250;
const MAX_PARAM_VALUE = 6000;
const MAX_TAG_VALUE = 8000;

/** Throws `InvalidRunInput` unless every part of the batch can be stored. */
export const checkBatch = ({ metrics = [], params = {}, tags = {} }: RunBatch): void => {
  checkCount('metrics', metrics.length, MAX_METRICS);
  checkCount('params', Object.keys(params).length, MAX_PARAMS);
  checkCount('tags', Object.keys(tags).length, MAX_TAGS);
  for (const [key, value] of Object.entries(params))
    checkText('param', key, value, MAX_PARAM_VALUE);
  checkTags(tags);
  for (const metric of metrics) checkMetric(metric);
};

export const checkTags = (tags: Readonly<Record<string, string>>): void => {
  for (const [key, value] of Object.entries(tags)) checkText('tag', key, value, MAX_TAG_VALUE);
};

const checkCount = (what: string, count: number, most: number): void => {
  if (count > most)
    throw new InvalidRunInput(`A batch holds ${count} ${what}; at most ${most} fit. Send several.`);
};

const checkText = (what: string, key: string, value: string, most: number): void => {
  checkKey(what, key);
  if (value.length > most)
    throw new InvalidRunInput(
      `The ${what} '${key}' has ${value.length} characters; at most ${most} are stored.`,
    );
  if (!isStorable(value))
    throw new InvalidRunInput(
      `The ${what} '${key}' holds a character that cannot be stored (NUL).`,
    );
};

const checkKey = (what: string, key: string): void => {
  if (key === '' || key.length > MAX_KEY || !isStorable(key))
    throw new InvalidRunInput(`Invalid ${what} name: use 1 to ${MAX_KEY} characters, without NUL.`);
};

export const checkName = (what: string, name: string): void => {
  if (name.length > MAX_TAG_VALUE || !isStorable(name))
    throw new InvalidRunInput(`Invalid ${what}: at most ${MAX_TAG_VALUE} characters, without NUL.`);
};

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

const checkMetric = ({ key, value, timestamp, step }: Metric): void => {
  checkKey('metric', key);
  if (typeof value !== 'number')
    throw new InvalidRunInput(`The value of metric '${key}' is no number.`);
  if (!Number.isSafeInteger(timestamp) || !Number.isSafeInteger(step))
    throw new InvalidRunInput(`Metric '${key}': timestamp and step must be whole numbers.`);
};

/** Pages of runs and of a metric's points: the usual size and the largest. */
export const RUN_PAGE = { usual: 100, most: 1000 } as const;
export const METRIC_PAGE = { usual: 1000, most: 25_000 } as const;

/** Throws `InvalidRunInput` unless `limit` is a whole number that such a page can have. */
export const checkedPageSize = (
  limit: number | undefined,
  page: { readonly usual: number; readonly most: number },
): number => {
  if (limit === undefined) return page.usual;
  if (!Number.isInteger(limit) || limit < 1 || limit > page.most)
    throw new InvalidRunInput(`max_results must be a whole number from 1 to ${page.most}.`);
  return limit;
};
