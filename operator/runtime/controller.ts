import { BackgroundWork } from './background.ts';
import { controllerOf, FOREIGN_SELECTOR, MANAGED_SELECTOR } from './children.ts';
import type { Clock } from './clock.ts';
import { isConflict, isNamespaceTerminating, type Cluster } from './cluster.ts';
import { same } from './coverage.ts';
import { DyingNamespaces } from './dying-namespaces.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { Informer, Seen } from './informer.ts';
import type { Informers } from './informers.ts';
import type { Change } from './object-cache.ts';
import type { OwnObject, PassLogger, Reconciler, Watch } from './reconciler.ts';
import type { Lane } from './ready-keys.ts';
import { Reconciliation } from './reconciliation.ts';
import type { RetryBudget } from './retry-budget.ts';
import { isTransient } from './retry-policy.ts';
import { conditionsOf } from './status.ts';
import {
  keyOf,
  isSameType,
  keyString,
  parseKey,
  type KubernetesObject,
  type ResourceType,
} from './resource-type.ts';
import { withoutWriters } from './slim-object.ts';
import { noSpans, type Spans } from './spans.ts';
import { WorkQueue, type Handled, type QueueMetrics } from './work-queue.ts';

export type PassResult = 'success' | 'error' | 'requeue_after' | 'stalled';

export type ControllerMetrics = QueueMetrics & {
  reconciled(result: PassResult, seconds: number): void;
};

export type ControllerOptions = {
  readonly reconciler: Reconciler;
  /** Whether the objects of a namespace are this controller's; all are when absent. */
  readonly mine?: ((namespace: string) => boolean) | undefined;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: PassLogger & { child(fields: object): PassLogger };
  readonly metrics: ControllerMetrics;
  readonly spans?: Spans | undefined;
  readonly workers: number;
  /** Shared by all controllers of a process. */
  readonly budget?: RetryBudget | undefined;
  /** How long a deletion waits for outside state before the object is let go. */
  readonly finalizerDeadlineMs: number;
};

/** A server in trouble is news only when it stays so. */
const TELL_TROUBLE_AFTER = 4;

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
  /** What the log line of a failed pass says besides the error. */
  readonly #failed = new Map<string, object>();
  readonly #dying: DyingNamespaces;
  #passes = 0;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { reconciler, informers, clock, random, metrics, workers, budget } = options;
    this.#queue = new WorkQueue({
      concurrency: workers,
      budget,
      clock,
      random,
      metrics,
      onError: (key, error, attempt, retryInMs) => this.#onError(key, error, attempt, retryInMs),
    });
    this.#dying = new DyingNamespaces(clock);
    this.#background = new BackgroundWork((key) => this.#add(key));
    this.#reconciliation = new Reconciliation({
      ...options,
      background: this.#background,
      informer: (type) => this.#informer(type),
      foreign: (type) => this.#foreign(type),
    });
    this.#own = informers.of(reconciler.type);
    this.#own.onChange((change, seen) => this.#onOwnChange(change, seen));
    for (const type of reconciler.owns) {
      this.#informer(type).onChange((change) => this.#onChildChange(change));
      this.#foreign(type);
    }
    for (const watch of reconciler.watches)
      this.#watched(watch).onChange((change) => this.#onWatchedChange(watch, change));
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
    for (const object of this.#own.cache.list()) this.#add(keyString(keyOf(object)), 'resync');
    this.#queue.start((key) => this.#handle(key));
  }

  async stop(): Promise<void> {
    // Passes first: one that is under way might still begin work.
    await this.#queue.stop();
    await this.#background.stop();
  }

  /** Nothing is noted while this replica does not work; `start` looks at every object anyway. */
  #add(key: string, lane: Lane = 'change'): void {
    const { mine = () => true } = this.#options;
    if (!this.#signal.aborted && mine(parseKey(key).namespace)) this.#queue.add(key, lane);
  }

  #watched({ type, labelSelector }: Watch): Informer {
    return this.#options.informers.of(type, labelSelector);
  }

  /**
   * The cache to read a type from, the widest that was declared: what is watched without a selector
   * is there whole, children only where they are ours.
   */
  #informer(type: ResourceType): Informer {
    const { reconciler, informers } = this.#options;
    if (isSameType(type, reconciler.type)) return informers.of(type);
    const watches = reconciler.watches.filter((each) => isSameType(each.type, type));
    const whole = watches.find(({ labelSelector }) => labelSelector === undefined);
    if (whole !== undefined) return this.#watched(whole);
    if (reconciler.owns.some((each) => isSameType(each, type))) {
      const metadataOnly = reconciler.metadataOnly?.some((each) => isSameType(each, type)) ?? false;
      // Who wrote a child is read only where nothing else of it is known.
      return informers.of(
        type,
        MANAGED_SELECTOR,
        metadataOnly ? { metadataOnly } : { keep: withoutWriters },
      );
    }
    const [watch] = watches;
    if (watch === undefined)
      throw new Error(
        `${reconciler.fieldManager} reads ${type.plural}, but neither owns nor watches it`,
      );
    return this.#watched(watch);
  }

  /** The names that owned types may not take: what of them does not carry our label. */
  #foreign(type: ResourceType): Informer {
    const { reconciler, informers } = this.#options;
    const isWhole = (each: Watch): boolean =>
      isSameType(each.type, type) && each.labelSelector === undefined;
    return reconciler.watches.some(isWhole)
      ? informers.of(type)
      : informers.of(type, FOREIGN_SELECTOR, { metadataOnly: true });
  }

  #onOwnChange(change: Change, seen: Seen): void {
    const { finalizer } = this.#options.reconciler;
    if (change.type === 'MODIFIED' && !matters(change.before, change.object, finalizer)) return;
    // What a first list shows has most likely not changed since the last look.
    const lane = seen === 'list' && change.type === 'ADDED' ? 'resync' : 'change';
    this.#add(keyString(keyOf(change.object)), lane);
  }

  /** Both states count: an owner has to hear that its child was taken from it. */
  #onChildChange(change: Change): void {
    const { type } = this.#options.reconciler;
    for (const object of statesOf(change)) {
      const owner = controllerOf(object);
      if (owner?.kind !== type.kind || groupOf(owner.apiVersion) !== type.group) continue;
      this.#add(keyString({ ...keyOf(object), name: owner.name }));
    }
  }

  #onWatchedChange(watch: Watch, change: Change): void {
    const lookup = {
      own: <T extends OwnObject>(namespace: string) =>
        this.#own.cache.list(namespace) as readonly T[],
    };
    for (const object of statesOf(change)) {
      for (const key of watch.keysFor(object, lookup)) this.#add(keyString(key));
    }
  }

  #isStalled(key: string): boolean {
    const object = this.#own.cache.get(parseKey(key)) as OwnObject | undefined;
    return (
      object !== undefined &&
      conditionsOf(object).some(({ type, status }) => type === 'Stalled' && status === 'True')
    );
  }

  async #handle(key: string): Promise<Handled> {
    const { clock, log, metrics, spans = noSpans } = this.#options;
    const object = this.#own.cache.get(parseKey(key)) as OwnObject | undefined;
    if (object === undefined) {
      this.#queue.forget(key);
      this.#background.forget(key);
      this.#reconciliation.forget(key);
      this.#dying.forget(key);
      return {};
    }
    const leftAloneFor = this.#dying.leftAloneFor(key, object);
    if (leftAloneFor !== undefined) return { requeueAfterMs: leftAloneFor };
    const startedAt = clock.monotonic();
    const reconcileId = `${this.name}-${(this.#passes += 1)}`;
    const { generation = 0 } = object.metadata;
    const progress = { writes: 0 };
    const ended = (result: PassResult): { readonly result: string; readonly ms: number } => {
      const ms = clock.monotonic() - startedAt;
      metrics.reconciled(result, ms / 1000);
      return { result, ms: Math.round(ms) };
    };
    const attributes = {
      'k8s.object.key': key,
      'k8s.object.generation': generation,
      'reconcile.id': reconcileId,
    };
    try {
      const handled = await spans(`reconcile ${this.name}`, attributes, () =>
        this.#reconciliation.run(object, this.#signal, progress),
      );
      const cameToRest = handled.requeueAfterMs === undefined ? 'success' : 'requeue_after';
      const told = ended(this.#isStalled(key) ? 'stalled' : cameToRest);
      const fields = { key, reconcileId, generation, ...told, ...progress, ...handled };
      // What changed nothing is not news.
      log[progress.writes > 0 ? 'info' : 'debug'](fields, 'reconciled');
      return { ...handled, ...progress };
    } catch (error) {
      // The object goes with its namespace; its deletion is what comes next, not another attempt.
      if (isNamespaceTerminating(error)) {
        log.debug(
          { key, reconcileId, ...ended('requeue_after') },
          'its namespace is being deleted',
        );
        return { requeueAfterMs: this.#dying.leaveAlone(key, object), ...progress };
      }
      this.#failed.set(key, { reconcileId, generation, ...ended('error'), ...progress });
      return { error, ...progress };
    }
  }

  #onError(key: string, error: unknown, attempt: number, retryInMs: number): void {
    const { log } = this.#options;
    const fields = { key, ...this.#failed.get(key), attempt, retryInMs, err: error };
    this.#failed.delete(key);
    log.warn(fields, 'pass failed, will retry');
    // Neither a race that the next pass settles, nor the end of this replica's lead, is news.
    if (this.#signal.aborted || isConflict(error)) return;
    if (isTransient(error) && attempt !== TELL_TROUBLE_AFTER) return;
    const object = this.#own.cache.get(parseKey(key)) as OwnObject | undefined;
    if (object !== undefined) this.#reconciliation.tellOfFailure(object, error);
  }
}

/** All but metadata and status: for types that count no generations. */
const contentOf = (object: KubernetesObject): unknown => {
  const { metadata: _metadata, status: _status, ...content } = object as OwnObject;
  return content;
};

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

const statesOf = (change: Change): readonly KubernetesObject[] =>
  change.type === 'MODIFIED' ? [change.object, change.before] : [change.object];

/**
 * Whether a change of one of our objects is more than a status or than our own finalizer put on,
 * which the pass that did it knows.
 */
const matters = (
  before: KubernetesObject,
  after: KubernetesObject,
  finalizer: string | undefined,
): boolean => {
  const known = before.metadata.finalizers ?? [];
  const news = (after.metadata.finalizers ?? []).filter(
    (each) => each !== finalizer || known.includes(each),
  );
  return (
    before.metadata.generation !== after.metadata.generation ||
    (after.metadata.generation === undefined && !same(contentOf(before), contentOf(after))) ||
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    !same(before.metadata.annotations, after.metadata.annotations) ||
    !same(before.metadata.labels, after.metadata.labels) ||
    !same(known, news)
  );
};
