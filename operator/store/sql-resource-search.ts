import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { reachingDatabase } from './database-error.ts';
import {
  type CheckedQuery,
  checkedHistory,
  checkedQuery,
  cursorOf,
  historyCursor,
} from './resource-query.ts';
import { auditRow, resourceRow } from './row-mapping.ts';
import type { ResourceSearch } from './search.ts';
import type { ResourcesTable, Tables } from './tables.ts';

type ResourceSelect = SelectQueryBuilder<Tables, 'resources', Selectable<ResourcesTable>>;

const SORT_COLUMNS = { name: 'name', createdAt: 'created_at', updatedAt: 'updated_at' } as const;

/** Searches PostgreSQL. Values travel as parameters only; column names come from lists above. */
export const sqlResourceSearch = (db: Kysely<Tables>): ResourceSearch => ({
  search: (query) =>
    reachingDatabase('search', async () => {
      const checked = checkedQuery(query);
      const { sort, limit, namespaces } = checked;
      if (namespaces !== 'all' && namespaces.length === 0) return { items: [] };
      const column = SORT_COLUMNS[sort.by];
      const rows = await filtered(db, checked)
        .orderBy(column, sort.direction)
        .orderBy('uid', sort.direction)
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(resourceRow);
      const last = items.at(-1);
      if (!last || rows.length <= limit) return { items };
      return { items, nextCursor: cursorOf({ value: last[sort.by], uid: last.uid }, sort) };
    }),

  get: (kind, namespace, name) =>
    reachingDatabase('look up an object', async () => {
      const row = await db
        .selectFrom('resources')
        .selectAll()
        .where('kind', '=', kind)
        .where('namespace', '=', namespace)
        .where('name', '=', name)
        .where('deleted_at', 'is', null)
        .executeTakeFirst();
      return row && resourceRow(row);
    }),

  history: (query) =>
    reachingDatabase('read the history', async () => {
      const { kind, namespace, name, uid, limit, before } = checkedHistory(query);
      const rows = await db
        .selectFrom('audit')
        .selectAll()
        .where('kind', '=', kind)
        .where('namespace', '=', namespace)
        .where('name', '=', name)
        .$if(uid !== undefined, (select) => select.where('uid', '=', uid ?? ''))
        .$if(before !== undefined, (select) => select.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(auditRow);
      const last = items.at(-1);
      if (!last || rows.length <= limit) return { items };
      return { items, nextCursor: historyCursor(last.id) };
    }),
});

const filtered = (db: Kysely<Tables>, query: CheckedQuery): ResourceSelect => {
  let select: ResourceSelect = db.selectFrom('resources').selectAll();
  const { namespaces, kinds, namePrefix, labels, ready, reason, q } = query;
  if (namespaces !== 'all') select = select.where('namespace', 'in', namespaces);
  if (kinds) select = select.where(sql<boolean>`kind = any(${[...kinds]}::text[])`);
  if (namePrefix) select = select.where(sql<boolean>`starts_with(name, ${namePrefix})`);
  if (labels && Object.keys(labels).length > 0)
    select = select.where(sql<boolean>`labels @> ${JSON.stringify(labels)}::jsonb`);
  if (ready) select = select.where('ready', '=', ready);
  if (reason !== undefined) select = select.where('reason', '=', reason);
  if (!query.includeDeleted) select = select.where('deleted_at', 'is', null);
  if (q) select = select.where(sql<boolean>`search @@ websearch_to_tsquery('simple', ${q})`);
  for (const { root, path, value } of query.fields)
    select = select.where(sql<boolean>`${sql.ref(root)} #>> ${[...path]}::text[] = ${value}`);
  return afterCursor(select, query);
};

/** Row comparison: everything behind the last row of the page before, ties broken by uid. */
const afterCursor = (select: ResourceSelect, { after, sort }: CheckedQuery): ResourceSelect => {
  if (!after) return select;
  const column = sql.ref(SORT_COLUMNS[sort.by]);
  const type = sort.by === 'name' ? sql`text` : sql`timestamptz`;
  const position = sql`(cast(${after.value} as ${type}), ${after.uid}::text)`;
  return select.where(
    sort.direction === 'asc'
      ? sql<boolean>`(${column}, uid) > ${position}`
      : sql<boolean>`(${column}, uid) < ${position}`,
  );
};
