import type { Reason } from '../../crds/schema/conditions.ts';
import { ANNOTATIONS } from '../../crds/schema/names.ts';
import type { BackgroundWork } from './background.ts';
import type { Clock } from './clock.ts';
import { isNotFound, type Cluster } from './cluster.ts';
import { same } from './coverage.ts';
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
import {
  apiVersionOf,
  keyOf,
  keyString,
  type KubernetesObject,
  type ResourceType,
} from './resource-type.ts';
import { conditionsOf, statusOf } from './status.ts';
import type { Handled } from './work-queue.ts';

export type ReconciliationOptions = {
  readonly reconciler: Reconciler;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly informer: (type: ResourceType) => Informer;
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

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** One pass; throws what should be retried. */
  async run(object: OwnObject, signal: AbortSignal): Promise<Handled> {
    if (object.metadata.deletionTimestamp !== undefined) return this.#finalize(object, signal);
    if (object.metadata.annotations?.[ANNOTATIONS.paused] === 'true') return {};
    const guarded = await this.#guard(object);
    const outcome = await this.#reconcile(guarded, signal);
    await this.#writeStatus(guarded, outcome);
    return outcome.requeueAfterMs === undefined ? {} : { requeueAfterMs: outcome.requeueAfterMs };
  }

  async #reconcile(object: OwnObject, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#options.reconciler.reconcile(object, this.#passOver(object, signal));
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

  #passOver(object: OwnObject, signal: AbortSignal): Pass {
    const { reconciler, cluster, informers, clock, log, background, informer } = this.#options;
    const { namespace, name } = keyOf(object);
    return passOver(object, {
      cluster,
      reconciler,
      background,
      now: new Date(clock.now()),
      signal,
      log: log.child({
        kind: object.kind,
        namespace,
        name,
        generation: object.metadata.generation,
      }),
      informer,
      learn: (type, written) => informers.learn(type, written),
      record: (type, reason, message) => void this.#record(object, type, reason, message),
    });
  }

  /** Puts the finalizer on before outside state can exist, and off when there can be none. */
  async #guard(object: OwnObject): Promise<OwnObject> {
    const { reconciler } = this.#options;
    const { finalizer } = reconciler;
    if (finalizer === undefined) return object;
    const needed = reconciler.needsFinalizer?.(object) ?? true;
    const present = hasFinalizer(object, finalizer);
    if (needed === present) return object;
    return this.#patch(
      object,
      needed ? addFinalizer(object, finalizer) : removeFinalizer(object, finalizer),
    );
  }

  async #finalize(object: OwnObject, signal: AbortSignal): Promise<Handled> {
    const { reconciler, clock, finalizerDeadlineMs } = this.#options;
    const { finalizer } = reconciler;
    if (finalizer === undefined || !hasFinalizer(object, finalizer)) return {};
    const waitedMs = clock.now() - Date.parse(object.metadata.deletionTimestamp ?? '');
    const overdue = waitedMs > finalizerDeadlineMs;
    const finalized = await this.#cleanUp(object, overdue, signal);
    if (!finalized.done && !overdue) {
      await this.#record(object, 'Warning', 'Deleting', finalized.message);
      const leftMs = finalizerDeadlineMs - waitedMs + 1;
      return { requeueAfterMs: Math.min(finalized.requeueAfterMs, leftMs) };
    }
    if (!finalized.done) {
      await this.#record(
        object,
        'Warning',
        'CleanupFailed',
        `Deleted without cleaning up, after ${Math.round(waitedMs / 1000)} s: ${finalized.message}`,
      );
    }
    await this.#patch(object, removeFinalizer(object, finalizer));
    return {};
  }

  async #cleanUp(object: OwnObject, overdue: boolean, signal: AbortSignal): Promise<Finalized> {
    const { reconciler, log } = this.#options;
    try {
      return (
        (await reconciler.finalize?.(object, this.#passOver(object, signal))) ?? { done: true }
      );
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

  async #patch(object: OwnObject, operations: ReturnType<typeof addFinalizer>): Promise<OwnObject> {
    const { reconciler, cluster, informers } = this.#options;
    const written = await cluster.patch<OwnObject>(reconciler.type, keyOf(object), operations, {
      fieldManager: reconciler.fieldManager,
    });
    if (written.metadata.deletionTimestamp === undefined) informers.learn(reconciler.type, written);
    return written;
  }

  async #writeStatus(object: OwnObject, outcome: Outcome): Promise<void> {
    const { reconciler, cluster, informers, clock } = this.#options;
    const status = statusOf(object, outcome, new Date(clock.now()));
    if (same(object.status, status)) return;
    const { namespace, name } = keyOf(object);
    const body = {
      apiVersion: apiVersionOf(reconciler.type),
      kind: reconciler.type.kind,
      // The uid keeps a status from landing on an object that has taken the name meanwhile.
      metadata: {
        namespace,
        name,
        ...(object.metadata.uid !== undefined && { uid: object.metadata.uid }),
      },
      status,
    };
    let written: OwnObject;
    try {
      written = await cluster.apply<OwnObject>(reconciler.type, body, {
        fieldManager: reconciler.fieldManager,
        subresource: 'status',
      });
    } catch (error) {
      // Gone while the pass was under way: there is nothing left to say.
      if (isNotFound(error)) return;
      throw error;
    }
    informers.learn(reconciler.type, written);
    await this.#recordTransition(object, outcome);
  }

  async #recordTransition(object: OwnObject, outcome: Outcome): Promise<void> {
    const before = conditionsOf(object).find(({ type }) => type === 'Ready');
    const after = outcome.conditions.find(({ type }) => type === 'Ready');
    if (after === undefined || (before?.status === after.status && before.reason === after.reason))
      return;
    const type = after.status === 'False' && outcome.progress !== 'working' ? 'Warning' : 'Normal';
    await this.#record(object, type, after.reason, after.message);
  }

  /** So that `kubectl describe` shows why nothing happens. */
  async tellOfFailure(object: OwnObject, error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    await this.#record(object, 'Warning', 'InternalError', `${message} (will be tried again)`);
  }

  #record(
    object: KubernetesObject,
    type: EventType,
    reason: Reason,
    message: string,
  ): Promise<void> {
    return this.#options.events.record(object, { type, reason, message });
  }
}
