import type { DeploymentKey, NewPrediction } from '../../store/predictions.ts';
import type { Arrivals, Split } from './measurement.ts';
import { measureUnits } from './memory-measure.ts';
import { nameOutcomes, unitsOf } from './memory-units.ts';
import type { Request } from './memory-units.ts';
import { OUTCOME_RETENTION_MS, TestClosed } from './outcome-store.ts';
import type { Outcome, OutcomeStore, TestScope } from './outcome-store.ts';

/** The log of requests in the order it was written. */
type RequestLog = { requests(deployment: DeploymentKey): readonly NewPrediction[] };

type TestRows = {
  scope: TestScope;
  cursor: number;
  readonly requests: Request[];
  readonly keys: Set<string>;
  readonly outcomes: Outcome[];
  splits: readonly Split[];
};

/** Outcomes in memory, for tests: keeps all that came, and counts it anew whenever it is asked. */
export const memoryOutcomeStore = (log: RequestLog): OutcomeStore => {
  const tests = new Map<string, TestRows>();
  const closed = new Set<string>();
  const open = (scope: TestScope): TestRows => {
    if (closed.has(scope.uid)) throw new TestClosed(scope);
    const rows = tests.get(scope.uid) ?? {
      ...{ scope, cursor: 0, requests: [], keys: new Set<string>(), outcomes: [], splits: [] },
    };
    tests.set(scope.uid, rows);
    return rows;
  };
  const logged = ({ namespace, deployment }: TestScope): readonly NewPrediction[] =>
    log.requests({ namespace, name: deployment });

  return {
    append: async (test, outcomes) => {
      const { keys, outcomes: known } = open(test);
      let taken = 0;
      for (const outcome of outcomes) {
        if (keys.has(outcome.key)) continue;
        keys.add(outcome.key);
        known.push(outcome);
        taken++;
      }
      return { taken, duplicates: outcomes.length - taken };
    },

    absorb: async (test, now) => {
      const rows = open(test);
      const fresh = logged(test)
        .slice(rows.cursor)
        .filter(({ variant }) => variant !== undefined);
      rows.cursor = logged(test).length;
      rows.requests.push(...fresh.map((prediction) => ({ prediction, absorbedAt: now })));
      for (const { key, at } of rows.outcomes) {
        if (Date.parse(at) < now - OUTCOME_RETENTION_MS) rows.keys.delete(key);
      }
      return { requests: fresh.length, behind: false };
    },

    skip: async (test) => {
      open(test).cursor = logged(test).length;
    },

    noteSplit: async (test, split) => {
      const rows = open(test);
      const last = rows.splits.at(-1);
      if (last !== undefined && sameWeights(last, split)) return;
      rows.splits = [...rows.splits.filter(({ since }) => since !== split.since), split];
    },

    measure: async (test, metrics) => {
      const { requests = [], outcomes = [], splits = [] } = tests.get(test.uid) ?? {};
      return measureUnits(test, metrics, {
        units: unitsOf(test, requests),
        outcomes: nameOutcomes(outcomes, requests),
        splits,
      });
    },

    arrivals: async (uid) => arrivalsOf(tests.get(uid)),

    deleteTest: async (uid) => {
      const rows = tests.get(uid);
      closed.add(uid);
      tests.delete(uid);
      return rows === undefined ? 0 : rows.outcomes.length + rows.requests.length;
    },
  };
};

const sameWeights = ({ weights: one }: Split, { weights: other }: Split): boolean =>
  JSON.stringify(one && Object.entries(one).sort()) ===
  JSON.stringify(other && Object.entries(other).sort());

const HOUR_MS = 3_600_000;

const arrivalsOf = (rows: TestRows | undefined): readonly Arrivals[] => {
  if (rows === undefined) return [];
  const units = [...unitsOf(rows.scope, rows.requests).values()];
  const counts = new Map<string, number>();
  for (const { variant, firstSeen } of units.filter(({ conflicting }) => !conflicting)) {
    const hour = new Date(Math.floor(firstSeen / HOUR_MS) * HOUR_MS).toISOString();
    counts.set(`${hour} ${variant}`, (counts.get(`${hour} ${variant}`) ?? 0) + 1);
  }
  return [...counts].sort().map(([key, count]) => {
    const [hour = '', variant = ''] = key.split(' ');
    return { variant, hour, units: count };
  });
};
