import { between, noTraffic, total, type Traffic } from '../traffic/traffic.ts';
import type { Reading } from './reading.ts';

/** Times are of a clock that never jumps, in milliseconds. */
type Snapshot = {
  readonly at: number;
  /** Since the first process seen began; goes on over restarts, so that it never goes down. */
  readonly traffic: Traffic;
};

export type Stretch = { readonly traffic: Traffic; readonly from: number; readonly to: number };

/** Two hours of a reading every 30 s; some 40 KB of a pod of the serving runtime. */
const MAX_SNAPSHOTS = 256;

/**
 * What one pod's counters said over time, in order of time. Of more than 256 snapshots the oldest
 * goes, save the one that the window which is asked for begins with (`pinned`): then it is the next
 * oldest, which no window with that beginning needs. (A window that begins in a gap this made begins
 * with the snapshot before the gap.)
 */
export class PodHistory {
  readonly #snapshots: Snapshot[] = [];
  #latest: Reading | undefined;
  /** When the first process seen began. */
  #began: number | undefined;

  /** `at` must not go back; `began` is when the process began, where that is known. */
  add(at: number, reading: Reading, began: number | undefined, pinned: number | undefined): void {
    const before = this.#snapshots.at(-1);
    // A start in the future says that the clocks differ.
    if (before === undefined) this.#began = began !== undefined && began <= at ? began : undefined;
    const came = between(this.#countsFrom(reading), reading.traffic);
    this.#snapshots.push({ at, traffic: total([before?.traffic ?? noTraffic, came]) });
    this.#latest = reading;
    if (this.#snapshots.length > MAX_SNAPSHOTS) {
      this.#snapshots.splice(this.#indexBefore(pinned ?? at) > 0 ? 0 : 1, 1);
    }
  }

  /**
   * From the newest snapshot at or before `since` to the newest; of a pod first seen after it, from
   * 0 when its process began after it, else from its first snapshot. Undefined when the pod was not
   * read since.
   */
  since(since: number): Stretch | undefined {
    const newest = this.#snapshots.at(-1);
    if (newest === undefined || newest.at < since) return undefined;
    if (this.#began !== undefined && this.#began > since) {
      return { traffic: newest.traffic, from: this.#began, to: newest.at };
    }
    const first = this.#snapshots[this.#indexBefore(since)] ?? newest;
    return { traffic: between(first.traffic, newest.traffic), from: first.at, to: newest.at };
  }

  /** A start that changed is a restart even where the counters have overtaken those before. */
  #countsFrom({ startedAt }: Reading): Traffic {
    const before = this.#latest;
    if (before === undefined) return noTraffic;
    const bothKnown = before.startedAt !== undefined && startedAt !== undefined;
    const restarted = bothKnown && before.startedAt.getTime() !== startedAt.getTime();
    return restarted ? noTraffic : before.traffic;
  }

  #indexBefore(time: number): number {
    return Math.max(
      0,
      this.#snapshots.findLastIndex(({ at }) => at <= time),
    );
  }
}
