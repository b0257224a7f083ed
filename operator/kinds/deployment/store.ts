import { sql, type Kysely } from 'kysely';
import { reachingDatabase } from '../../store/database-error.ts';
import type { Pairing, PairOfRecords, Side } from './shadow.ts';
import {
  MOST_COMPARED,
  MOST_RECORD_BYTES,
  MOST_REQUESTS,
  type ShadowQuery,
  type ShadowStore,
} from './shadow-store.ts';

type Db = Kysely<unknown>;

/** Pairs of logged requests in PostgreSQL, from the tables of migration 0003. */
export const sqlShadowStore = (db: Db): ShadowStore => ({
  pairing: (query) =>
    reachingDatabase('compare what two versions answered', () =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute((tx) => pairing(tx, query)),
    ),
});

const pairing = async (tx: Db, query: ShadowQuery): Promise<Pairing> => {
  const { rows } = await sql<CountsRow>`${byId(query)}
    select count(*) filter (where s = 1 and c = 1)::float8 as pairs,
      count(*) filter (where s = 1 and c = 0)::float8 as stable_only,
      count(*) filter (where s = 0 and c = 1)::float8 as candidate_only,
      count(*) filter (where s > 1 or c > 1)::float8 as ambiguous,
      (select count(*) from logged)::float8 as requests,
      ${sideOf('s')}, ${sideOf('c')}
    from by_id`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error('an aggregate without a row');
  const { rows: latest } = await sql<PairOfRecords>`${byId(query)}
    select s.record::text as stable, c.record::text as candidate
    from (select * from by_id where by_id.s = 1 and by_id.c = 1
      order by s_id desc limit ${MOST_COMPARED}) pair
    join predictions s on s.id = pair.s_id join predictions c on c.id = pair.c_id
    where octet_length(s.record::text) <= ${MOST_RECORD_BYTES}
      and octet_length(c.record::text) <= ${MOST_RECORD_BYTES}
    order by pair.s_id desc`.execute(tx);
  return {
    pairs: row.pairs,
    stableOnly: row.stable_only,
    candidateOnly: row.candidate_only,
    ambiguous: row.ambiguous,
    truncated: row.requests >= MOST_REQUESTS,
    stable: shownSide(query.stable, row, 's'),
    candidate: shownSide(query.candidate, row, 'c'),
    latest,
  };
};

/** What each side (s, c) answered to each id; copies keep the id and headers of the request. */
const byId = ({ namespace, deployment, stable, candidate, since }: ShadowQuery) => sql`
  with logged as (
    select id, prediction_id, version, status, latency_ms from predictions
    where namespace = ${namespace} and deployment = ${deployment} and at >= ${since}
      and version in (${stable}, ${candidate})
    order by at desc, id desc limit ${MOST_REQUESTS}
  ), by_id as (
    select prediction_id, ${ofSide('s', stable)}, ${ofSide('c', candidate)}
    from logged group by prediction_id
  )`;

const ofSide = (side: 's' | 'c', version: string) => {
  const filter = sql`filter (where version = ${version})`;
  return sql`count(*) ${filter} as ${sql.ref(side)}, max(id) ${filter} as ${sql.ref(`${side}_id`)},
    max(status) ${filter} as ${sql.ref(`${side}_status`)},
    max(latency_ms) ${filter} as ${sql.ref(`${side}_ms`)}`;
};

const sideOf = (side: 's' | 'c') => {
  const paired = sql`filter (where s = 1 and c = 1)`;
  const ms = sql.ref(`${side}_ms`);
  return sql`
    count(*) filter (where s = 1 and c = 1 and ${sql.ref(`${side}_status`)} >= 400)::float8
      as ${sql.ref(`${side}_errors`)},
    percentile_cont(0.5) within group (order by ${ms}) ${paired} as ${sql.ref(`${side}_p50`)},
    percentile_cont(0.99) within group (order by ${ms}) ${paired} as ${sql.ref(`${side}_p99`)},
    avg(${ms}) ${paired} as ${sql.ref(`${side}_mean`)}`;
};

type SideRow<S extends 's' | 'c'> = {
  readonly [field in `${S}_${'p50' | 'p99' | 'mean'}`]: number | null;
} & { readonly [field in `${S}_errors`]: number };

type CountsRow = SideRow<'s'> &
  SideRow<'c'> & {
    readonly pairs: number;
    readonly stable_only: number;
    readonly candidate_only: number;
    readonly ambiguous: number;
    readonly requests: number;
  };

const shownSide = (version: string, row: CountsRow, side: 's' | 'c'): Side => {
  const [p50Ms, p99Ms, meanMs] = [row[`${side}_p50`], row[`${side}_p99`], row[`${side}_mean`]];
  const errors = row[`${side}_errors`];
  if (p50Ms === null || p99Ms === null || meanMs === null) return { version, errors };
  return { version, errors, p50Ms, p99Ms, meanMs };
};
