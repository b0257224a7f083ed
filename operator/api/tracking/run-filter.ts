import type { Run } from '../../kinds/experiment/run-store.ts';
import { holds, own } from './filter-comparison.ts';
import type { Comparison, Searchable } from './filter-comparison.ts';
import { MlflowError } from './mlflow-error.ts';
import { runArtifactUri } from './run-place.ts';
import { searchableDatasets } from './run-inputs.ts';

export type { Searchable } from './filter-comparison.ts';

export type Order = {
  readonly entity: keyof Searchable;
  readonly key: string;
  readonly descending: boolean;
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
  dataset: 'datasets',
  datasets: 'datasets',
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
 * With `fields`, only these can be asked for.
 */
export const parseFilter = (
  filter: string,
  fields?: Fields,
): ((subject: Searchable) => boolean) => {
  const tokens = tokensOf(filter);
  const comparisons: Comparison[] = [];
  while (tokens.length > 0) {
    const next = comparison(tokens, filter);
    refuseUnknown(next, fields);
    comparisons.push(next);
    if (tokens.length === 0) break;
    if (!isWord(tokens.shift(), 'AND') || tokens.length === 0) throw malformed(filter);
  }
  return (subject) => comparisons.every((each) => holds(each, subject));
};

/** What a search can ask for: attributes by name, of the other entities all keys. */
export type Fields = {
  readonly attributes: readonly string[];
  readonly entities: readonly (keyof Searchable)[];
};

const refuseUnknown = ({ entity, key }: Comparison, fields: Fields | undefined): void => {
  if (fields === undefined || fields.entities.includes(entity)) return;
  if (entity === 'attributes' && fields.attributes.includes(key)) return;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Invalid ${entity} key '${key.slice(0, 256)}' in the filter. Attributes are ` +
      `${fields.attributes.join(', ')}; beside them there are ${fields.entities.join(', ')}.`,
  );
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
  if (entity === 'datasets') return 0;
  const left = own<string | number | undefined>(a[entity], key);
  const right = own<string | number | undefined>(b[entity], key);
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
  const entity = own(ENTITIES, first.text.toLowerCase());
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

const attributeKey = (name: string): string => own(ATTRIBUTE_ALIASES, name) ?? name;

const OPERATORS = new Set([
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'LIKE',
  'ILIKE',
  'IN',
  'NOT IN',
  'IS NULL',
  'IS NOT NULL',
]);

/** `NOT IN`, `IS NULL` and `IS NOT NULL` are several words. */
const operatorOf = (tokens: Token[]): string => {
  let operator = tokens.shift()?.text.toUpperCase() ?? '';
  for (const first of ['NOT', 'IS', 'IS NOT']) {
    const follows = first !== 'IS NOT' || tokens[0]?.text.toUpperCase() === 'NULL';
    if (operator === first && follows) operator += ` ${tokens.shift()?.text.toUpperCase() ?? ''}`;
  }
  return operator;
};

const comparison = (tokens: Token[], text: string): Comparison => {
  const { entity, key } = operandName(tokens, text);
  const operator = operatorOf(tokens);
  if (!OPERATORS.has(operator)) throw malformed(text);
  if (operator.startsWith('IS')) return { entity, key, operator, operand: '' };
  const operand = operator.endsWith('IN') ? listOperand(tokens, text) : scalarOperand(tokens, text);
  return checkedOperator({ entity, key, operator, operand });
};

const NUMERIC = new Set(['=', '!=', '<', '<=', '>', '>=']);
const TEXTUAL = new Set(['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN']);
const NUMBERS = new Set([
  ...['start_time', 'end_time', 'creation_time', 'last_update_time', 'creation_timestamp'],
  ...['last_updated_timestamp', 'version_number', 'timestamp'],
]);

const isNumeric = ({ entity, key }: Comparison): boolean =>
  entity === 'metrics' || (entity === 'attributes' && NUMBERS.has(key));

/** As MLflow does: an operator that does not go with the type is an error, not a false. */
const checkedOperator = (wanted: Comparison): Comparison => {
  const { entity, key, operator, operand } = wanted;
  const numeric = isNumeric(wanted);
  const operators = numeric ? NUMERIC : TEXTUAL;
  if (!operators.has(operator)) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid comparator '${operator}' for ${entity}.${key.slice(0, 256)}: use one of ${[...operators].join(', ')}.`,
    );
  }
  if (numeric !== (typeof operand === 'number')) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `${entity}.${key.slice(0, 256)} is compared to a ${numeric ? 'number' : 'quoted string'}.`,
    );
  }
  return wanted;
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

export const searchableRun = (run: Run): Searchable => ({
  attributes: {
    run_id: run.runId,
    run_name: run.name,
    status: run.status,
    user_id: run.userId,
    start_time: run.startTime,
    end_time: run.endTime,
    experiment_id: run.experiment.uid,
    artifact_uri: runArtifactUri(run),
  },
  metrics: Object.fromEntries(run.metrics.map(({ key, value }) => [key, value])),
  params: run.params,
  tags: { 'mlflow.runName': run.name, ...run.tags },
  datasets: searchableDatasets(run),
});
