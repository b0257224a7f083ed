import type { KubernetesObject } from '../runtime/resource-type.ts';
import { type Change, foldChanges } from './fold-changes.ts';
import { type MirrorRows, RowsRefused } from './mirror-rows.ts';
import type { ChangeObserver, ObservedChange } from './observed-change.ts';
import { type ResourceState, resourceState } from './resource-state.ts';
import { Spool, type SpoolLimits, type SpooledChange, type SpooledSnapshot } from './spool.ts';

export type MirrorMetrics = {
  /** Entries waiting to be written. */
  spooled(entries: number): void;
  /** Rows written, of both tables. */
  written(rows: number): void;
  /** Changes dropped: the spool was full, or the database refused them for good. */
  dropped(changes: number): void;
};

export type MirrorLog = {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
};

export type MirrorOptions = {
  readonly rows: MirrorRows;
  readonly limits: SpoolLimits;
  /** What the informer's cache holds of a kind, or undefined while it is not synced. */
  readonly currentObjects: (kind: string) => readonly KubernetesObject[] | undefined;
  readonly metrics: MirrorMetrics;
  readonly log: MirrorLog;
  readonly now: () => Date;
  readonly random: () => number;
  /** Resolves after `ms`, or earlier when aborted; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

const BATCH = 100;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/**
 * Projects what informers see into PostgreSQL: the current state of every object, and an audit row
 * for every change. Observing never waits and never fails; one writer drains the spool behind it.
 */
export class Mirror implements ChangeObserver {
  readonly #options: MirrorOptions;
  readonly #spool: Spool;
  readonly #stopping = new AbortController();
  #wake: () => void = () => {};
  #running: Promise<void> | undefined;
  #deadline = Infinity;
  #warned = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#spool = new Spool(options.limits);
  }

  observe({ kind, type, object }: ObservedChange): void {
    const change = { type, object, observedAt: this.#options.now().toISOString() };
    this.#noted(this.#spool.addChange(kind, change), kind);
  }

  snapshot(kind: string, objects: readonly KubernetesObject[], namespace?: string): void {
    const observedAt = this.#options.now().toISOString();
    const snapshot = { type: 'snapshot', kind, namespace, objects, observedAt } as const;
    this.#noted(this.#spool.addSnapshot(snapshot), kind);
  }

  #noted(added: boolean, kind: string): void {
    const { metrics, log } = this.#options;
    if (!added) metrics.dropped(1);
    if (!added && !this.#warned) {
      this.#warned = true;
      log.warn('The audit spool is full; changes from here on become gaps', { kind });
    }
    metrics.spooled(this.#spool.size);
    this.#wake();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Writes what is left, for at most `withinMs`; resolves to the number of entries given up, which
   * the next start finds again as gaps.
   */
  async stop(withinMs: number): Promise<number> {
    this.#deadline = this.#options.now().getTime() + withinMs;
    this.#stopping.abort();
    this.#wake();
    const timer = new AbortController();
    await Promise.race([this.#running, this.#options.sleep(withinMs, timer.signal)]);
    timer.abort();
    const left = this.#spool.size;
    if (left > 0) this.#options.log.warn('Stopped before the audit spool was written', { left });
    return left;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#done()) {
      if (this.#spool.size === 0 && !this.#catchUp()) {
        await this.#nextNote();
        continue;
      }
      try {
        await this.#writeHead();
        failures = 0;
      } catch (error) {
        await this.#waitAfter(error, failures++);
      }
      this.#options.metrics.spooled(this.#spool.size);
    }
  }

  #done(): boolean {
    if (!this.#stopping.signal.aborted) return false;
    return this.#spool.size === 0 || this.#options.now().getTime() >= this.#deadline;
  }

  #nextNote(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#spool.size > 0 || this.#stopping.signal.aborted) resolve();
    });
  }

  /** Spools snapshots of the kinds that lost changes; true when there is something to write now. */
  #catchUp(): boolean {
    this.#warned = false;
    for (const kind of this.#spool.behind) {
      const objects = this.#options.currentObjects(kind);
      if (objects) this.snapshot(kind, objects);
    }
    return this.#spool.size > 0;
  }

  async #writeHead(): Promise<void> {
    const head = this.#spool.peek(BATCH);
    if ('kind' in head) await this.#writeSnapshot(head);
    else await this.#write(head.map((change) => asChange(change, false)));
    this.#spool.remove('kind' in head ? 1 : head.length);
  }

  /** Every object that differs from its row, and every row whose object is gone, as a gap. */
  async #writeSnapshot(snapshot: SpooledSnapshot): Promise<void> {
    const { kind, namespace, objects, observedAt } = snapshot;
    const known = await this.#options.rows.known(kind, namespace);
    const versions = new Map(known.map(({ uid, resourceVersion }) => [uid, resourceVersion]));
    const changed = objects.filter(
      ({ metadata }) => versions.get(metadata.uid ?? '') !== metadata.resourceVersion,
    );
    const present = new Set(objects.map(({ metadata }) => metadata.uid));
    const gone = known.filter(({ uid }) => !present.has(uid)).map(({ uid }) => uid);
    for (const batch of batches(changed))
      await this.#write(
        batch.map((object) => asChange({ type: 'upsert', object, observedAt }, true)),
      );
    for (const uids of batches(gone)) {
      const states = await this.#options.rows.states(uids);
      await this.#write(states.map((state) => asDeletion(state, observedAt)));
    }
  }

  /** Rows the database refuses are narrowed down to the one at fault, which is left out. */
  async #write(changes: readonly Change[]): Promise<void> {
    const uids = [...new Set(changes.map(({ state }) => state.row.uid))];
    try {
      const rows = await this.#options.rows.update(uids, (stored) => foldChanges(stored, changes));
      this.#options.metrics.written(rows);
    } catch (error) {
      if (!(error instanceof RowsRefused)) throw error;
      const [first] = changes;
      if (changes.length === 1 && first) this.#leaveOut(first, error);
      else for (const change of changes) await this.#write([change]);
    }
  }

  #leaveOut({ state }: Change, error: RowsRefused): void {
    const { kind, namespace, name } = state.row;
    this.#options.metrics.dropped(1);
    this.#options.log.error('The database refuses a change; it is missing in search and audit', {
      ...{ kind, namespace, name },
      error: error.message,
    });
  }

  async #waitAfter(error: unknown, failures: number): Promise<void> {
    const { log, now, random, sleep } = this.#options;
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
    const retryInMs = Math.round(longest * (0.5 + random() / 2));
    log.warn('The mirror could not be written; trying again', {
      error: error instanceof Error ? error.message : String(error),
      retryInMs,
      spooled: this.#spool.size,
    });
    // Stopping cuts a wait short; after that only the deadline does.
    const { signal } = this.#stopping;
    const never = new AbortController().signal;
    const left = this.#deadline - now().getTime();
    await sleep(Math.max(0, Math.min(retryInMs, left)), signal.aborted ? never : signal);
  }
}

const batches = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  );

const asChange = ({ type, object, observedAt }: SpooledChange, gap: boolean): Change => ({
  type,
  gap,
  state: resourceState(object, observedAt),
});

const asDeletion = (state: ResourceState, at: string): Change => ({
  type: 'delete',
  gap: true,
  state: { ...state, row: { ...state.row, updatedAt: at } },
});
