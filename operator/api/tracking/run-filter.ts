import type { Run } from '../../kinds/experiment/run-store.ts';
import { MlflowError } from './mlflow-error.ts';

/** What a filter or an order sees of a run or an experiment. */
export type Searchable = {
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
};

export type Order = {
  readonly entity: keyof Searchable;
  readonly key: string;
  readonly descending: boolean;
};

type Comparison = {
  readonly entity: keyof Searchable;
  readonly key: string;
  readonly operator: string;
  readonly operand: string | number | readonly string[];
};

const ENTITIES: Readonly<Record<string, keyof Searchable>> = {
  attribute: 'attributes',
  attributes: 'attributes',
  attr: 'attributes',
  run: 'attributes',
  metric: 'metrics',
  metrics: 'metrics',
  param: 'params',
  params: 'params',
  parameter: 'params',
  parameters: 'params',
  tag: 'tags',
  tags: 'tags',
};

const TOKEN =
  /\s*(?:(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<quoted>`[^`]*`)|(?<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))|(?<operator>!=|<=|>=|[=<>(),.])|(?<word>[\w/-]+))/y;

type Token = {
  readonly type: 'string' | 'quoted' | 'number' | 'operator' | 'word';
  readonly text: string;
};

/**
 * MLflow's filter grammar: comparisons joined by AND, such as
 * `metrics.accuracy > 0.9 AND params.optimizer = 'adam' AND tags.stage LIKE '%candidate%'`.
 */
export const parseFilter = (filter: string): ((subject: Searchable) => boolean) => {
  const tokens = tokensOf(filter);
  const comparisons: Comparison[] = [];
  while (tokens.length > 0) {
    comparisons.push(comparison(tokens, filter));
    if (tokens.length === 0) break;
    if (!isWord(tokens.shift(), 'AND') || tokens.length === 0) throw malformed(filter);
  }
  return (subject) => comparisons.every((each) => holds(each, subject));
};

/** `metrics.accuracy DESC`; without a direction, ascending. */
export const parseOrder = (clause: string): Order => {
  const tokens = tokensOf(clause);
  const { entity, key } = operandName(tokens, clause);
  const direction = tokens.shift();
  const descending = isWord(direction, 'DESC');
  if ((direction !== undefined && !descending && !isWord(direction, 'ASC')) || tokens.length > 0) {
    throw malformed(clause);
  }
  return { entity, key, descending };
};

/** Sorts a copy; what lacks the key comes last either way. */
export const inOrder = <T>(
  items: readonly T[],
  orders: readonly Order[],
  view: (item: T) => Searchable,
): readonly T[] =>
  items.toSorted((a, b) => {
    for (const order of orders) {
      const difference = compare(view(a), view(b), order);
      if (difference !== 0) return difference;
    }
    return 0;
  });

const compare = (a: Searchable, b: Searchable, { entity, key, descending }: Order): number => {
  const left = a[entity][key];
  const right = b[entity][key];
  if (left === right) return 0;
  if (left === undefined || Number.isNaN(left)) return 1;
  if (right === undefined || Number.isNaN(right)) return -1;
  return left < right === descending ? 1 : -1;
};

const tokensOf = (text: string): Token[] => {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  const end = text.trimEnd().length;
  while (pattern.lastIndex < end) {
    const groups = pattern.exec(text)?.groups;
    const found = Object.entries(groups ?? {}).find(([, value]) => value !== undefined);
    if (found === undefined) throw malformed(text);
    tokens.push({ type: found[0] as Token['type'], text: found[1] ?? '' });
  }
  return tokens;
};

const isWord = (token: Token | undefined, word: string): boolean =>
  token?.type === 'word' && token.text.toUpperCase() === word;

const operandName = (
  tokens: Token[],
  text: string,
): { readonly entity: keyof Searchable; readonly key: string } => {
  const first = tokens.shift();
  if (first?.type !== 'word' && first?.type !== 'quoted') throw malformed(text);
  if (tokens[0]?.text !== '.') return { entity: 'attributes', key: attributeKey(unquote(first)) };
  const entity = ENTITIES[first.text.toLowerCase()];
  const parts: string[] = [];
  while (tokens[0]?.text === '.') {
    tokens.shift();
    const part = tokens.shift();
    if (part === undefined) throw malformed(text);
    parts.push(unquote(part));
  }
  if (entity === undefined) throw malformed(text);
  const key = parts.join('.');
  return { entity, key: entity === 'attributes' ? attributeKey(key) : key };
};

const ATTRIBUTE_ALIASES: Readonly<Record<string, string>> = {
  created: 'start_time',
  'run name': 'run_name',
  'Run name': 'run_name',
  Created: 'start_time',
};

const attributeKey = (name: string): string => ATTRIBUTE_ALIASES[name] ?? name;

const OPERATORS = new Set(['=', '!=', '<', '<=', '>', '>=', 'LIKE', 'ILIKE', 'IN', 'NOT IN']);

const comparison = (tokens: Token[], text: string): Comparison => {
  const { entity, key } = operandName(tokens, text);
  let operator = tokens.shift()?.text.toUpperCase() ?? '';
  if (operator === 'NOT') operator += ` ${tokens.shift()?.text.toUpperCase() ?? ''}`;
  if (!OPERATORS.has(operator)) throw malformed(text);
  const operand = operator.endsWith('IN') ? listOperand(tokens, text) : scalarOperand(tokens, text);
  return { entity, key, operator, operand };
};

const scalarOperand = (tokens: Token[], text: string): string | number => {
  const token = tokens.shift();
  if (token?.type === 'number') return Number(token.text);
  if (token?.type === 'string') return unquote(token);
  throw malformed(text);
};

const listOperand = (tokens: Token[], text: string): readonly string[] => {
  if (tokens.shift()?.text !== '(') throw malformed(text);
  const values: string[] = [];
  for (;;) {
    const value = tokens.shift();
    const next = tokens.shift();
    if (value?.type !== 'string') throw malformed(text);
    values.push(unquote(value));
    if (next?.text === ')') return values;
    if (next?.text !== ',') throw malformed(text);
  }
};

const unquote = ({ type, text }: Token): string =>
  type === 'string' || type === 'quoted' ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;

const malformed = (text: string): MlflowError =>
  new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `"${text}" is no filter this API understands; it takes comparisons joined by AND, ` +
      "such as metrics.accuracy > 0.9 AND params.optimizer = 'adam'.",
  );

const holds = ({ entity, key, operator, operand }: Comparison, subject: Searchable): boolean => {
  const value = subject[entity][key];
  // As in SQL, and as in MLflow: what is absent compares to nothing, not even with !=.
  if (value === undefined) return false;
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

export const searchableRun = (run: Run): Searchable => ({
  attributes: {
    run_id: run.runId,
    run_name: run.name,
    status: run.status,
    user_id: run.userId,
    start_time: run.startTime,
    end_time: run.endTime,
  },
  metrics: Object.fromEntries(run.metrics.map(({ key, value }) => [key, value])),
  params: run.params,
  tags: { 'mlflow.runName': run.name, ...run.tags },
});
