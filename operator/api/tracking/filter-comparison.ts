import { MlflowError } from './mlflow-error.ts';

/** What a filter or an order sees of a run or an experiment. */
export type Searchable = {
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** All values of each key: a run may have read several datasets. */
  readonly datasets?: Readonly<Record<string, readonly string[]>>;
};

export type Comparison = {
  readonly entity: keyof Searchable;
  readonly key: string;
  readonly operator: string;
  readonly operand: string | number | readonly string[];
};

/** Words of a filter are anybody's: `constructor` must find nothing. */
export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Whether a comparison holds for what is searched. */
export const holds = (wanted: Comparison, subject: Searchable): boolean => {
  const { entity, key, operator } = wanted;
  if (entity === 'datasets') {
    const values = own(subject.datasets ?? {}, key) ?? [];
    if (operator === 'IS NULL') return values.length === 0;
    if (operator === 'IS NOT NULL') return values.length > 0;
    return values.some((value) => valueHolds(wanted, value));
  }
  const value = own<string | number | undefined>(subject[entity], key);
  if (operator === 'IS NULL') return value === undefined;
  // As in SQL, and as in MLflow: what is absent compares to nothing, not even with !=.
  return value !== undefined && (operator === 'IS NOT NULL' || valueHolds(wanted, value));
};

const valueHolds = ({ operator, operand }: Comparison, value: string | number): boolean => {
  if (typeof operand === 'object') return operand.includes(String(value)) === (operator === 'IN');
  if (operator === 'LIKE') return like(String(value), String(operand));
  if (operator === 'ILIKE') {
    return like(String(value).toLowerCase(), String(operand).toLowerCase());
  }
  return typeof value === 'number'
    ? ordered(value, operator, Number(operand))
    : ordered(value, operator, String(operand));
};

const ordered = <T extends string | number>(value: T, operator: string, operand: T): boolean => {
  switch (operator) {
    case '=':
      return value === operand;
    case '!=':
      return value !== operand;
    case '<':
      return value < operand;
    case '<=':
      return value <= operand;
    case '>':
      return value > operand;
    default:
      return value >= operand;
  }
};

const MAX_PATTERN = 256;

/**
 * SQL's LIKE: `%` is any text, `_` any character. By hand because a regular expression made of many
 * wildcards can take for ever.
 */
const like = (value: string, pattern: string): boolean => {
  if (pattern.length > MAX_PATTERN) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `A LIKE pattern has at most ${MAX_PATTERN} characters.`,
    );
  }
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let resume = 0;
  while (at < value.length) {
    const wanted = pattern[inPattern];
    if (wanted === '%') {
      star = inPattern++;
      resume = at;
    } else if (wanted === '_' || wanted === value[at]) {
      at++;
      inPattern++;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++resume;
    } else return false;
  }
  return /^%*$/.test(pattern.slice(inPattern));
};
