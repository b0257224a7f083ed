import type { SeededRandom } from './seeded-random.ts';

/** How likely a call of the operator is to meet which fault, from 0 to 1. */
export type CallFaults = {
  /** 500, 503 or 504, not carried out. */
  readonly failure: number;
  /** 429 with Retry-After. */
  readonly tooMany: number;
  /** 409 to a write that others have raced; creates are spared. */
  readonly conflict: number;
  /** The connection breaks before the server gets it. */
  readonly broken: number;
  /** The server does it, and the answer is lost. */
  readonly lostAnswer: number;
  /** A list from a watch cache that lags; only lists of informers may be stale. */
  readonly staleList: number;
  /** 410 to a watch or to a page. */
  readonly expired: number;
};

/** How streams are disturbed; per event, but for `cut` and `frozen`, which are per stream. */
export type StreamFaults = {
  readonly repeated: number;
  readonly reordered: number;
  readonly lost: number;
  readonly cut: number;
  readonly frozen: number;
};

export type Incident =
  | { readonly at: number; readonly is: 'crash'; readonly replica: number }
  /** Counted from `at`: the process dies at its n-th call, before the server has it or after. */
  | {
      readonly at: number;
      readonly is: 'crash at a call';
      readonly replica: number;
      readonly calls: number;
      readonly after: boolean;
    }
  | { readonly at: number; readonly is: 'restart'; readonly replica: number }
  | { readonly at: number; readonly is: 'pause'; readonly replica: number; readonly forMs: number }
  | {
      readonly at: number;
      readonly is: 'partition';
      readonly replica: number;
      readonly forMs: number;
    }
  | {
      readonly at: number;
      readonly is: 'wrong clock';
      readonly replica: number;
      readonly byMs: number;
      readonly forMs: number;
    }
  | { readonly at: number; readonly is: 'compaction' };

export type FaultPlan = {
  readonly replicas: number;
  /** Virtual ms after which nothing goes wrong any more. */
  readonly until: number;
  readonly calls: CallFaults;
  /** The same for the database and the artifact store. */
  readonly ports: { readonly failure: number; readonly lostAnswer: number };
  readonly streams: StreamFaults;
  /** Whether the server can begin a watch with all there is (WatchList). */
  readonly offersWatchList: boolean;
  readonly slowestCallMs: number;
  readonly slowestEventMs: number;
  readonly incidents: readonly Incident[];
};

const NO_CALL_FAULTS: CallFaults = {
  failure: 0,
  tooMany: 0,
  conflict: 0,
  broken: 0,
  lostAnswer: 0,
  staleList: 0,
  expired: 0,
};
const NO_STREAM_FAULTS: StreamFaults = { repeated: 0, reordered: 0, lost: 0, cut: 0, frozen: 0 };

/** Nothing goes wrong: what the world looks like afterwards is what every other run has to reach. */
export const cleanPlan: FaultPlan = {
  replicas: 1,
  until: 0,
  calls: NO_CALL_FAULTS,
  ports: { failure: 0, lostAnswer: 0 },
  streams: NO_STREAM_FAULTS,
  offersWatchList: true,
  slowestCallMs: 5,
  slowestEventMs: 5,
  incidents: [],
};

/**
 * Some faults at some rates: each run has only a few kinds of them (swarm testing, Groce et al.
 * 2012), so that none hides behind another.
 */
export const planFaults = (random: SeededRandom): FaultPlan => {
  const until = random.int(20, 90) * 1000;
  const replicas = random.chance(0.5) ? 2 : 1;
  const rate = (most: number): number => (random.chance(0.4) ? random.next() * most : 0);
  return {
    replicas,
    until,
    calls: {
      failure: rate(0.3),
      tooMany: rate(0.3),
      conflict: rate(0.4),
      broken: rate(0.3),
      lostAnswer: rate(0.3),
      staleList: rate(0.6),
      expired: rate(0.3),
    },
    ports: { failure: rate(0.3), lostAnswer: rate(0.3) },
    streams: {
      repeated: rate(0.3),
      reordered: rate(0.2),
      lost: 0,
      cut: rate(0.6),
      frozen: rate(0.15),
    },
    offersWatchList: random.chance(0.5),
    slowestCallMs: random.pick([5, 50, 1500]),
    slowestEventMs: random.pick([5, 200, 3000]),
    incidents: planIncidents(random, { until, replicas }),
  };
};

const planIncidents = (
  random: SeededRandom,
  { until, replicas }: { readonly until: number; readonly replicas: number },
): readonly Incident[] =>
  Array.from({ length: random.int(0, 5) }, () => incident(random, until, replicas)).toSorted(
    (left, right) => left.at - right.at,
  );

const incident = (random: SeededRandom, until: number, replicas: number): Incident => {
  const at = random.int(500, until);
  const replica = random.int(0, replicas - 1);
  const forMs = random.pick([2_000, 12_000, 18_000, 40_000]);
  const is: Incident['is'] = random.pick([
    'crash',
    'crash at a call',
    'crash at a call',
    'restart',
    'pause',
    'partition',
    'wrong clock',
    'compaction',
  ] as const);
  switch (is) {
    case 'crash at a call':
      return { at, is, replica, calls: random.int(1, 25), after: random.chance(0.6) };
    case 'pause':
    case 'partition':
      return { at, is, replica, forMs };
    case 'wrong clock':
      return { at, is, replica, forMs, byMs: random.int(-60, 60) * 1000 };
    case 'compaction':
      return { at, is };
    default:
      return { at, is, replica };
  }
};
