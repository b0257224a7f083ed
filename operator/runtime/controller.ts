import { BackgroundWork } from './background.ts';
import { controllerOf, MANAGED_SELECTOR } from './children.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { same } from './coverage.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { Informer, Seen } from './informer.ts';
import type { Informers } from './informers.ts';
import type { Change } from './object-cache.ts';
import type { OwnObject, PassLogger, Reconciler, Watch } from './reconciler.ts';
import { Reconciliation } from './reconciliation.ts';
import {
  apiVersionOf,
  keyOf,
  keyString,
  parseKey,
  type KubernetesObject,
  type ResourceType,
} from './resource-type.ts';
import { WorkQueue, type Handled, type QueueMetrics } from './work-queue.ts';

export type ControllerMetrics = QueueMetrics & {
  reconciled(result: 'success' | 'error' | 'requeue_after' | 'stalled', seconds: number): void;
};

export type ControllerOptions = {
  readonly reconciler: Reconciler;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: PassLogger & { child(fields: object): PassLogger };
  readonly metrics: ControllerMetrics;
  readonly workers: number;
  /** How long a deletion waits for outside state before the object is let go. */
  readonly finalizerDeadlineMs: number;
};

const BACKOFF = { baseMs: 250, maxMs: 60_000 };

/**
 * One kind's controller: turns changes into keys, keys into passes, and what a pass found out into
 * status. The whole retry policy is here: a thrown error comes back with backoff, a TerminalError
 * waits for a change, an outcome comes back when it asks to.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #own: Informer;
  readonly #queue: WorkQueue;
  readonly #background: BackgroundWork;
  readonly #reconciliation: Reconciliation;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { reconciler, informers, log, clock, random, metrics, workers } = options;
    this.#queue = new WorkQueue({
      concurrency: workers,
      backoff: BACKOFF,
      clock,
      random,
      metrics,
      onError: (key, error, attempt, retryInMs) =>
        log.warn({ key, attempt, retryInMs, err: error }, 'pass failed, will retry'),
    });
    this.#background = new BackgroundWork((key) => this.#queue.add(key));
    this.#reconciliation = new Reconciliation({
      ...options,
      background: this.#background,
      informer: (type) => this.#informer(type),
    });
    this.#own = informers.of(reconciler.type);
    this.#own.onChange((change, seen) => this.#onOwnChange(change, seen));
    for (const type of reconciler.owns)
      this.#informer(type).onChange((change) => this.#onChildChange(change));
    for (const watch of reconciler.watches)
      this.#informer(watch.type).onChange((change) => this.#onWatchedChange(watch, change));
  }

  get name(): string {
    return this.#options.reconciler.type.kind.toLowerCase();
  }

  get queue(): Pick<WorkQueue, 'snapshot'> {
    return this.#queue;
  }

  /**
   * Works from now on, until `stop`; may be started again. The signal aborts passes when this
   * replica may no longer write.
   */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    // Whatever was due while this replica did not lead is found out by looking at every object.
    for (const object of this.#own.cache.list()) this.#queue.add(keyString(keyOf(object)));
    this.#queue.start((key) => this.#handle(key));
  }

  async stop(): Promise<void> {
    await Promise.all([this.#queue.stop(), this.#background.stop()]);
  }

  /** Children are cached only where they are ours; what a reconciler merely watches, whole or by its selector. */
  #informer(type: ResourceType): Informer {
    const { reconciler, informers } = this.#options;
    const isOwn = type.plural === reconciler.type.plural && type.group === reconciler.type.group;
    if (isOwn) return this.#own;
    if (
      reconciler.owns.some(({ plural, group }) => plural === type.plural && group === type.group)
    ) {
      return informers.of(type, MANAGED_SELECTOR);
    }
    const watch = reconciler.watches.find(
      (each) => each.type.plural === type.plural && each.type.group === type.group,
    );
    if (watch === undefined)
      throw new Error(
        `${reconciler.fieldManager} reads ${type.plural}, but neither owns nor watches it`,
      );
    return informers.of(type, watch.labelSelector);
  }

  #onOwnChange(change: Change, seen: Seen): void {
    const key = keyString(keyOf(change.object));
    // Our own writes of status and finalizers are what the pass already knows.
    if (seen === 'write') return;
    if (change.type === 'MODIFIED' && !matters(change.before, change.object)) return;
    this.#queue.add(key);
  }

  #onChildChange({ object }: Change): void {
    const owner = controllerOf(object);
    const { type } = this.#options.reconciler;
    if (owner?.kind !== type.kind || owner.apiVersion !== apiVersionOf(type)) return;
    this.#queue.add(keyString({ namespace: object.metadata.namespace ?? '', name: owner.name }));
  }

  #onWatchedChange(watch: Watch, change: Change): void {
    const lookup = {
      own: <T extends OwnObject>(namespace: string) =>
        this.#own.cache.list(namespace) as readonly T[],
    };
    const states = change.type === 'MODIFIED' ? [change.object, change.before] : [change.object];
    for (const object of states) {
      for (const key of watch.keysFor(object, lookup)) this.#queue.add(keyString(key));
    }
  }

  async #handle(key: string): Promise<Handled> {
    const { clock, metrics } = this.#options;
    const object = this.#own.cache.get(parseKey(key)) as OwnObject | undefined;
    if (object === undefined) {
      this.#queue.forget(key);
      this.#background.forget(key);
      return {};
    }
    const startedAt = clock.now();
    try {
      const handled = await this.#reconciliation.run(object, this.#signal);
      const result = handled.requeueAfterMs === undefined ? 'success' : 'requeue_after';
      metrics.reconciled(result, (clock.now() - startedAt) / 1000);
      return handled;
    } catch (error) {
      metrics.reconciled('error', (clock.now() - startedAt) / 1000);
      // A pass that ended because this replica stops or lost the lead is nobody's concern.
      if (!this.#signal.aborted) await this.#reconciliation.tellOfFailure(object, error);
      throw error;
    }
  }
}

/** Whether a change of one of our objects is more than a status. */
const matters = (before: KubernetesObject, after: KubernetesObject): boolean =>
  before.metadata.generation !== after.metadata.generation ||
  before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
  !same(before.metadata.annotations, after.metadata.annotations) ||
  !same(before.metadata.labels, after.metadata.labels) ||
  !same(before.metadata.finalizers, after.metadata.finalizers);
