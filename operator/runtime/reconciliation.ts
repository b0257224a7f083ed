import type { Reason } from '../../crds/schema/conditions.ts';
import { ANNOTATIONS } from '../../crds/schema/names.ts';
import type { BackgroundWork } from './background.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { Doubts, ITSELF } from './doubts.ts';
import { MetadataDrift } from './drift.ts';
import type { EventRecorder, EventType } from './event-recorder.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizers.ts';
import type { Informer } from './informer.ts';
import type { Informers } from './informers.ts';
import { passOver } from './pass.ts';
import {
  TerminalError,
  type Finalized,
  type OwnObject,
  type Outcome,
  type Pass,
  type PassLogger,
  type Reconciler,
} from './reconciler.ts';
import { keyOf, keyString, type KubernetesObject, type ResourceType } from './resource-type.ts';
import { StatusWriter, type Progress, type Turn } from './status-writer.ts';
import type { Handled } from './work-queue.ts';

export type ReconciliationOptions = {
  readonly reconciler: Reconciler;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly informer: (type: ResourceType) => Informer;
  /** What of an owned type is not ours, by name. */
  readonly foreign: (type: ResourceType) => Informer;
  readonly background: BackgroundWork;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: PassLogger & { child(fields: object): PassLogger };
  /** How long a deletion waits for outside state before the object is let go. */
  readonly finalizerDeadlineMs: number;
};

/**
 * What happens to one object in one pass: paused or going, finalizer on or off, the reconciler's
 * verdict, and status written once, at the end, where it differs.
 */
export class Reconciliation {
  readonly #options: ReconciliationOptions;
  readonly #drift: MetadataDrift;
  readonly #status: StatusWriter;
  /** By key, of objects whose last pass failed with a write of unknown outcome. */
  readonly #doubts = new Map<string, Doubts>();

  constructor(options: ReconciliationOptions) {
    this.#options = options;
    this.#drift = new MetadataDrift(options.reconciler.fieldManager);
    this.#status = new StatusWriter(options);
  }

  /** One pass; throws what should be retried. */
  async run(
    object: OwnObject,
    signal: AbortSignal,
    progress: Progress = { writes: 0 },
  ): Promise<Handled> {
    const key = keyString(keyOf(object));
    const doubts = this.#doubts.get(key) ?? new Doubts();
    try {
      const known = doubts.about(ITSELF) ? await this.#readLive(object, doubts) : object;
      if (known === undefined) return {};
      const handled = await this.#pass(known, { signal, progress, doubts });
      // What the pass still wants has been written again.
      this.#doubts.delete(key);
      return handled;
    } catch (error) {
      if (!doubts.none) this.#doubts.set(key, doubts);
      throw error;
    }
  }

  /** Drops what is known of an object that no longer exists. */
  forget(key: string): void {
    this.#doubts.delete(key);
  }

  /** The object as the server holds it, when the cache may be behind our own writes. */
  async #readLive(object: OwnObject, doubts: Doubts): Promise<OwnObject | undefined> {
    const { reconciler, cluster, informers } = this.#options;
    const live = await cluster.get<OwnObject>(reconciler.type, keyOf(object));
    doubts.settle(ITSELF);
    if (live === undefined) informers.learnDeleted(reconciler.type, object, undefined);
    else informers.learn(reconciler.type, live);
    return live;
  }

  async #pass(object: OwnObject, turn: Turn): Promise<Handled> {
    if (object.metadata.deletionTimestamp !== undefined) return this.#finalize(object, turn);
    if (object.metadata.annotations?.[ANNOTATIONS.paused] === 'true') return {};
    const guarded = await this.#guard(object, turn);
    const outcome = await this.#reconcile(guarded, turn);
    await this.#status.write(guarded, outcome, turn);
    return outcome.requeueAfterMs === undefined ? {} : { requeueAfterMs: outcome.requeueAfterMs };
  }

  async #reconcile(object: OwnObject, turn: Turn): Promise<Outcome> {
    try {
      return await this.#options.reconciler.reconcile(object, this.#passOver(object, turn));
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      const {
        conditions: _conditions,
        observedGeneration: _generation,
        ...status
      } = (object.status ?? {}) as Record<string, unknown>;
      const ready = {
        type: 'Ready',
        status: 'False',
        reason: error.reason,
        message: error.message,
      } as const;
      return {
        status,
        conditions: [ready],
        progress: 'stalled',
        ...(error.recheckAfterMs !== undefined && { requeueAfterMs: error.recheckAfterMs }),
      };
    }
  }

  #passOver(object: OwnObject, { signal, progress, doubts }: Turn): Pass {
    const { reconciler, cluster, informers, clock, log, background, informer, foreign } =
      this.#options;
    const { namespace, name } = keyOf(object);
    return passOver(object, {
      cluster,
      reconciler,
      drift: this.#drift,
      doubts,
      background,
      now: new Date(clock.now()),
      signal,
      get log() {
        return log.child({
          kind: object.kind,
          namespace,
          name,
          generation: object.metadata.generation,
        });
      },
      informer,
      foreign,
      wrote: (type, written) => {
        progress.writes += 1;
        informers.learn(type, written);
      },
      deleted: (type, child, answer) => {
        progress.writes += 1;
        informers.learnDeleted(type, child, answer);
      },
      record: (type, reason, message) => this.#record(object, type, reason, message),
    });
  }

  /** Puts the finalizer on before outside state can exist, and off when there can be none. */
  async #guard(object: OwnObject, turn: Turn): Promise<OwnObject> {
    const { reconciler } = this.#options;
    const { finalizer } = reconciler;
    if (finalizer === undefined) return object;
    const needed = reconciler.needsFinalizer?.(object) ?? true;
    const present = hasFinalizer(object, finalizer);
    if (needed === present) return object;
    return this.#patch(
      object,
      needed ? addFinalizer(object, finalizer) : removeFinalizer(object, finalizer),
      turn,
    );
  }

  async #finalize(object: OwnObject, turn: Turn): Promise<Handled> {
    const { reconciler, clock, finalizerDeadlineMs } = this.#options;
    const { finalizer } = reconciler;
    if (finalizer === undefined || !hasFinalizer(object, finalizer)) return {};
    const waitedMs = clock.now() - Date.parse(object.metadata.deletionTimestamp ?? '');
    const overdue = waitedMs > finalizerDeadlineMs;
    const finalized = await this.#cleanUp(object, overdue, turn);
    if (!finalized.done && !overdue) {
      this.#record(object, 'Warning', 'Deleting', finalized.message);
      const leftMs = finalizerDeadlineMs - waitedMs + 1;
      return { requeueAfterMs: Math.min(finalized.requeueAfterMs, leftMs) };
    }
    if (!finalized.done) {
      this.#record(
        object,
        'Warning',
        'CleanupFailed',
        `Deleted without cleaning up, after ${Math.round(waitedMs / 1000)} s: ${finalized.message}`,
      );
    }
    await this.#patch(object, removeFinalizer(object, finalizer), turn);
    return {};
  }

  async #cleanUp(object: OwnObject, overdue: boolean, turn: Turn): Promise<Finalized> {
    const { reconciler, log } = this.#options;
    try {
      return (await reconciler.finalize?.(object, this.#passOver(object, turn))) ?? { done: true };
    } catch (error) {
      if (!overdue) throw error;
      log.error(
        { err: error, key: keyString(keyOf(object)) },
        'cleanup failed until the deadline, letting go',
      );
      return {
        done: false,
        message: error instanceof Error ? error.message : String(error),
        requeueAfterMs: 0,
      };
    }
  }

  async #patch(
    object: OwnObject,
    operations: ReturnType<typeof addFinalizer>,
    { progress, doubts }: Turn,
  ): Promise<OwnObject> {
    const { reconciler, cluster, informers } = this.#options;
    const { type, fieldManager } = reconciler;
    const written = await doubts.writing(ITSELF, () =>
      cluster.patch<OwnObject>(type, keyOf(object), operations, { fieldManager }),
    );
    progress.writes += 1;
    const going = written.metadata.deletionTimestamp !== undefined;
    const gone = going && (written.metadata.finalizers ?? []).length === 0;
    if (gone) informers.learnDeleted(reconciler.type, object, undefined);
    else informers.learn(reconciler.type, written);
    return written;
  }

  /** So that `kubectl describe` shows why nothing happens. */
  tellOfFailure(object: OwnObject, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#record(object, 'Warning', 'InternalError', `${message} (will be tried again)`);
  }

  /** No pass waits for an Event. */
  #record(object: KubernetesObject, type: EventType, reason: Reason, message: string): void {
    void this.#options.events.record(object, { type, reason, message });
  }
}
