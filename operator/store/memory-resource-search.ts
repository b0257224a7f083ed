import type { MemoryMirrorRows } from './memory-mirror-rows.ts';
import {
  type CheckedQuery,
  type FieldFilter,
  checkedHistory,
  checkedQuery,
  cursorOf,
  historyCursor,
} from './resource-query.ts';
import type { ResourceState } from './resource-state.ts';
import type { ResourceRow, ResourceSearch } from './search.ts';

/**
 * Searches the mirror's tables in memory, for tests. Full text means all words here, without
 * PostgreSQL's query language.
 */
export const memoryResourceSearch = (rows: MemoryMirrorRows): ResourceSearch => ({
  async search(query) {
    const checked = checkedQuery(query);
    const { by, direction } = checked.sort;
    const sign = direction === 'asc' ? 1 : -1;
    const compare = (a: ResourceRow, b: ResourceRow): number =>
      sign * (order(a[by], b[by]) || order(a.uid, b.uid));
    const found = [...rows.table.values()]
      .filter((state) => matches(state, checked))
      .map(({ row }) => row)
      .sort(compare)
      .filter((row) => isAfter(row, checked));
    const items = found.slice(0, checked.limit);
    const last = items.at(-1);
    if (!last || found.length <= checked.limit) return { items };
    return { items, nextCursor: cursorOf({ value: last[by], uid: last.uid }, checked.sort) };
  },
  async get(kind, namespace, name) {
    return [...rows.table.values()]
      .map(({ row }) => row)
      .find(
        (row) =>
          row.kind === kind &&
          row.namespace === namespace &&
          row.name === name &&
          row.deletedAt === undefined,
      );
  },
  async history(query) {
    const { kind, namespace, name, uid, limit, before } = checkedHistory(query);
    const found = rows.audit
      .filter((row) => row.kind === kind && row.namespace === namespace && row.name === name)
      .filter((row) => uid === undefined || row.uid === uid)
      .filter((row) => before === undefined || Number(row.id) < Number(before))
      .toReversed();
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return last && found.length > limit ? { items, nextCursor: historyCursor(last.id) } : { items };
  },
});

const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const isAfter = (row: ResourceRow, { sort, after }: CheckedQuery): boolean => {
  if (!after) return true;
  const difference = order(row[sort.by], after.value) || order(row.uid, after.uid);
  return sort.direction === 'asc' ? difference > 0 : difference < 0;
};

const matches = (state: ResourceState, query: CheckedQuery): boolean => {
  const { row } = state;
  const tests: readonly boolean[] = [
    query.namespaces === 'all' || query.namespaces.includes(row.namespace),
    query.kinds?.includes(row.kind) ?? true,
    row.name.startsWith(query.namePrefix ?? ''),
    Object.entries(query.labels ?? {}).every(([key, value]) => row.labels[key] === value),
    row.ready === (query.ready ?? row.ready),
    row.reason === (query.reason ?? row.reason),
    query.fields.every((field) => valueAt(row, field) === field.value),
    query.includeDeleted === true || row.deletedAt === undefined,
    hasWords(state, query.q),
  ];
  return tests.every((passed) => passed);
};

const hasWords = ({ searchText }: ResourceState, q: string | undefined): boolean => {
  const words = new Set(wordsOf(searchText));
  return wordsOf(q ?? '').every((word) => words.has(word));
};

const wordsOf = (text: string): readonly string[] =>
  text.toLowerCase().match(/[\p{L}\p{N}.]+/gu) ?? [];

/** As PostgreSQL's #>> has it: text of the value at the path. */
const valueAt = (row: ResourceRow, { root, path }: FieldFilter): string | undefined => {
  let value: unknown = row[root];
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
};
