import { reportOf, type ShadowReport } from './shadow.ts';
import type { ShadowQuery, ShadowStore } from './shadow-store.ts';

/** How old a report may be before another one is made. */
export const SHADOW_MS = 15_000;

/** Reports of mirrors under way, made beside the passes that ask for them. */
export type ShadowReports = {
  /** The last report on this; starts to make another one where it is old. Failures are told to `failed`. */
  look(
    uid: string,
    query: ShadowQuery,
    now: Date,
    failed: (error: unknown) => void,
  ): ShadowReport | undefined;
  forget(uid: string): void;
};

type Known = {
  readonly what: string;
  startedAt: number;
  isRunning: boolean;
  report: ShadowReport | undefined;
};

/** Keeps one report for each object that has a mirror. */
export const createShadowReports = (store: ShadowStore): ShadowReports => {
  const known = new Map<string, Known>();
  const make = async (entry: Known, query: ShadowQuery): Promise<void> => {
    entry.report = reportOf(await store.pairing(query), query.since);
  };
  return {
    look: (uid, query, now, failed) => {
      const what = JSON.stringify(query);
      const before = known.get(uid);
      const entry: Known =
        before?.what === what
          ? before
          : { what, startedAt: -Infinity, isRunning: false, report: undefined };
      known.set(uid, entry);
      if (!entry.isRunning && now.getTime() - entry.startedAt >= SHADOW_MS) {
        entry.startedAt = now.getTime();
        entry.isRunning = true;
        void make(entry, query)
          .catch(failed)
          .finally(() => {
            entry.isRunning = false;
          });
      }
      return entry.report;
    },
    forget: (uid) => void known.delete(uid),
  };
};
