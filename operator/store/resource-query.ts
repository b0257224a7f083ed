import { InvalidQuery, type HistoryQuery, type ResourceQuery, type SortField } from './search.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const MAX_FILTERS = 20;
const MAX_TEXT = 1000;

/** Where a page ended: the sort value and the uid that breaks ties. */
export type Position = { readonly value: string; readonly uid: string };

/** A query whose every part has been checked. */
export type CheckedQuery = Omit<ResourceQuery, 'cursor' | 'sort' | 'limit' | 'fields'> & {
  readonly sort: { readonly by: SortField; readonly direction: 'asc' | 'desc' };
  readonly limit: number;
  readonly after?: Position;
  readonly fields: readonly FieldFilter[];
};

export type FieldFilter = {
  readonly root: 'spec' | 'status';
  readonly path: readonly string[];
  readonly value: string;
};

const SORT_FIELDS: readonly SortField[] = ['name', 'createdAt', 'updatedAt'];

/** Throws `InvalidQuery` that names the part at fault. */
export const checkedQuery = (query: ResourceQuery): CheckedQuery => {
  const sort = query.sort ?? { by: 'name', direction: 'asc' };
  if (!SORT_FIELDS.includes(sort.by) || !['asc', 'desc'].includes(sort.direction))
    throw new InvalidQuery('sort', `sort: use ${SORT_FIELDS.join(', ')} with asc or desc.`);
  const labels = Object.entries(query.labels ?? {});
  const fields = Object.entries(query.fields ?? {});
  if (labels.length + fields.length > MAX_FILTERS)
    throw new InvalidQuery('fields', `At most ${MAX_FILTERS} labels and fields fit in one query.`);
  for (const [part, text] of Object.entries({
    q: query.q,
    namePrefix: query.namePrefix,
    reason: query.reason,
  }))
    checkText(part, text);
  for (const [key, value] of labels) checkText('labels', key + value);
  const { cursor, limit, ...rest } = query;
  return {
    ...rest,
    sort,
    limit: checkedLimit(limit),
    fields: fields.map(([path, value]) => fieldFilter(path, value)),
    ...(cursor !== undefined && { after: positionOf(cursor, sort) }),
  };
};

const checkText = (part: string, text: string | undefined): void => {
  if (text === undefined) return;
  if (text.length > MAX_TEXT)
    throw new InvalidQuery(part, `${part}: at most ${MAX_TEXT} characters.`);
  if (text.includes('\u0000') || !text.isWellFormed())
    throw new InvalidQuery(part, `${part}: holds a character no name has (NUL or half a pair).`);
};

export const checkedLimit = (limit: number | undefined): number => {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new InvalidQuery('limit', `limit: a whole number from 1 to ${MAX_LIMIT}.`);
  return limit;
};

const FIELD_PATH = /^(spec|status)((?:\.[A-Za-z_][A-Za-z0-9_-]{0,62}|\[\d{1,4}\]){1,10})$/;

const fieldFilter = (text: string, value: string): FieldFilter => {
  const match = FIELD_PATH.exec(text);
  if (!match)
    throw new InvalidQuery(
      'fields',
      `"${text.slice(0, 100)}" is no field path; write it like spec.modelRef.name or ` +
        'spec.predictor.metrics[0].name.',
    );
  checkText('fields', value);
  const path = (match[2] ?? '').split(/[.[\]]+/).filter((part) => part !== '');
  return { root: match[1] as 'spec' | 'status', path, value };
};

type Sort = CheckedQuery['sort'];

/** The sort is in the cursor, so that a cursor of another query is noticed. */
export const cursorOf = (position: Position, { by, direction }: Sort): string =>
  encode([by, direction, position.value, position.uid]);

const positionOf = (cursor: string, { by, direction }: Sort): Position => {
  const [cursorBy, cursorDirection, value, uid] = decode(cursor);
  const fits = cursorBy === by && cursorDirection === direction;
  if (!fits || value === undefined || uid === undefined || !isSortValue(by, value))
    throw badCursor();
  return { value, uid };
};

const isSortValue = (by: SortField, value: string): boolean =>
  by === 'name' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(value);

export type CheckedHistory = Omit<HistoryQuery, 'cursor' | 'limit'> & {
  readonly limit: number;
  /** Rows older than this one. */
  readonly before?: string;
};

export const checkedHistory = ({ cursor, limit, ...rest }: HistoryQuery): CheckedHistory => {
  for (const part of ['kind', 'namespace', 'name', 'uid'] as const) checkText(part, rest[part]);
  if (cursor === undefined) return { ...rest, limit: checkedLimit(limit) };
  const [before] = decode(cursor);
  if (before === undefined || !/^\d{1,18}$/.test(before)) throw badCursor();
  return { ...rest, limit: checkedLimit(limit), before };
};

export const historyCursor = (id: string): string => encode([id]);

const encode = (parts: readonly string[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

const decode = (cursor: string): readonly string[] => {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor.slice(0, 2000), 'base64url').toString('utf8'));
  } catch (error) {
    throw badCursor(error);
  }
  if (!Array.isArray(parts) || parts.some((part) => typeof part !== 'string')) throw badCursor();
  for (const part of parts as string[]) checkText('cursor', part);
  return parts as string[];
};

const badCursor = (cause?: unknown): InvalidQuery => {
  const error = new InvalidQuery(
    'cursor',
    'cursor: not one of ours, or of another query; start again without it.',
  );
  if (cause !== undefined) error.cause = cause;
  return error;
};
