import dotI, { type ResourceEvent, type ResourceMeta } from '@dot-i/k8s-operator';
import { systemClock, type Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { Controller, type ControllerMetrics } from './controller.ts';
import { EventRecorder } from './event-recorder.ts';
import { Fence } from './fenced-cluster.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizers.ts';
import type { InformerMetrics } from './informer.ts';
import { Informers } from './informers.ts';
import { Leader } from './leader.ts';
import { mergePatch } from './merge-patch.ts';
import type { Change } from './object-cache.ts';
import type { OwnObject, PassLogger, Reconciler } from './reconciler.ts';
import { apiVersionOf, keyOf, type KubernetesObject, type ResourceType } from './resource-type.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Spans } from './spans.ts';
import { metaOf, ResourceWatch } from './resource-watch.ts';
import type { QueueSnapshot } from './work-queue.ts';

export type RuntimeLogger = PassLogger & { child(fields: object): RuntimeLogger };

export type RuntimeMetrics = {
  readonly informers: InformerMetrics;
  controller(name: string): ControllerMetrics;
  leads(leads: boolean): void;
};

export type OperatorOptions = {
  readonly cluster: Cluster;
  readonly log: RuntimeLogger;
  readonly metrics: RuntimeMetrics;
  /** One per pass, with its calls inside; none when absent. */
  readonly spans?: Spans;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Watch one namespace only; all when undefined. */
  readonly namespace?: string | undefined;
  /** Watch these namespaces only; all when absent or empty. */
  readonly namespaces?: readonly string[] | undefined;
  /** Passes of one kind that may run at once. */
  readonly workers: number;
  /** The same, by plural, where it differs. */
  readonly workersByKind?: Readonly<Record<string, number>>;
  readonly finalizerDeadlineMs: number;
  /** This replica's name, in Events and as holder of the Lease. */
  readonly identity: string;
  /** undefined: leads without an election (one replica, tests). */
  readonly lease?: { readonly namespace: string; readonly name: string } | undefined;
};

/** Sees every change of a resource while this replica leads, and everything there is when it begins to. */
export type Observer = {
  changed(change: Change): void;
  listed(objects: readonly KubernetesObject[]): void;
};

const FIELD_MANAGER = 'mlops-operator';
/** How long the end of a lead may wait for Events; others wait for the lead. */
const EVENTS_MS = 500;

/**
 * The base class of an operator: @dot-i/k8s-operator's programming model (`init`, `watchResource`,
 * `handleResourceFinalizer`, `setResourceStatus`) on a runtime of its own. The package handles
 * events one at a time, loses a handler's exception, drops failed writes, misses deletions while a
 * watch is down and ends the process on a watch error; so every method of it that reaches the
 * network is overridden here (decisions/0002), and `control` adds level-triggered controllers.
 */
export abstract class Operator extends dotI.default {
  readonly #options: OperatorOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #writes: Cluster;
  readonly #informers: Informers;
  readonly #events: EventRecorder;
  readonly #budget: RetryBudget;
  readonly #controllers: Controller[] = [];
  readonly #observers: { readonly type: ResourceType; readonly observer: Observer }[] = [];
  readonly #watches: ResourceWatch[] = [];
  readonly #types = new Map<string, ResourceType>();
  readonly #leader: Leader | undefined;
  readonly #stopping = new AbortController();
  #ending = false;
  #started = false;
  /** From the beginning of a term until its last pass has ended: what is written then is still seen. */
  #observing = false;
  #term: AbortController | undefined;
  /** Starts and stops of terms, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #finished: Promise<unknown> = Promise.resolve();

  constructor(options: OperatorOptions) {
    super();
    this.#options = options;
    const { cluster, log, metrics, lease, identity } = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#budget = new RetryBudget(this.#clock);
    if (lease !== undefined) {
      this.#leader = new Leader({
        cluster,
        clock: this.#clock,
        lease,
        identity,
        onError: (err) => log.warn({ err }, 'leader election call failed, will retry'),
        onChange: (leads) => this.#lead(leads),
      });
    }
    this.#writes = new Fence(
      cluster,
      () => this.#leader?.writeTimeMs ?? Number.POSITIVE_INFINITY,
    ).cluster;
    this.#events = new EventRecorder({
      cluster: this.#writes,
      clock: this.#clock,
      instance: identity,
      onError: (err) => log.warn({ err }, 'an Event could not be recorded'),
    });
    this.#informers = new Informers({
      cluster,
      namespaces: options.namespace === undefined ? options.namespaces : [options.namespace],
      clock: this.#clock,
      random: this.#random,
      metrics: metrics.informers,
      onError: (type, err, retryInMs) =>
        log.warn({ resource: type.plural, retryInMs, err }, 'list or watch failed, will retry'),
      onListenerError: (type, err) =>
        log.error({ resource: type.plural, err }, 'a change could not be taken in'),
    });
  }

  /** Whether caches are filled, so that answers and decisions are no guesses. */
  get ready(): boolean {
    return this.#started && this.#informers.synced;
  }

  get leads(): boolean {
    return this.#term !== undefined;
  }

  /** By resource, the seconds since the API server last proved its cache to be current. */
  cacheAges(): ReturnType<Informers['ages']> {
    return this.#informers.ages();
  }

  /** What waits, works and fails, by controller: for a person in trouble. */
  debug(): Readonly<Record<string, QueueSnapshot>> {
    return Object.fromEntries(this.#controllers.map((each) => [each.name, each.queue.snapshot()]));
  }

  /** Declares all controllers (`init`), fills the caches and works as soon as this replica leads. */
  override async start(): Promise<void> {
    await this.init();
    const { signal } = this.#stopping;
    this.#informers.start(signal);
    this.#started = true;
    await Promise.race([this.#informers.waitForSync(), aborted(signal)]);
    if (signal.aborted) return;
    if (this.#leader === undefined) this.#lead(true);
    else this.#finished = this.#leader.run(signal);
  }

  /** Begins to stop; `stopped` tells when it is over. */
  override stop(): void {
    this.#ending = true;
    this.#lead(false);
    // The Lease is kept until the passes under way have ended, so that what they write counts.
    this.#then(() => this.#stopping.abort());
  }

  /** After `stop`: passes under way have ended, the Lease is handed over, streams are closed. */
  async stopped(): Promise<void> {
    await this.#turn;
    await this.#finished;
    await this.#informers.stopped();
  }

  /** Runs a reconciler as the controller of its kind. */
  protected control(reconciler: Reconciler): void {
    const { log, metrics, workers, workersByKind = {}, finalizerDeadlineMs } = this.#options;
    const name = reconciler.type.kind.toLowerCase();
    this.#controllers.push(
      new Controller({
        reconciler,
        cluster: this.#writes,
        informers: this.#informers,
        events: this.#events,
        clock: this.#clock,
        random: this.#random,
        log: log.child({ controller: name }),
        metrics: metrics.controller(name),
        spans: this.#options.spans,
        workers: workersByKind[reconciler.type.plural] ?? workers,
        budget: this.#budget,
        finalizerDeadlineMs,
      }),
    );
  }

  /** What the cache holds of an observed resource; undefined before its first list is complete. */
  protected cachedObjects(type: ResourceType): readonly KubernetesObject[] | undefined {
    const informer = this.#informers.of(type);
    return informer.hasSynced ? informer.cache.list() : undefined;
  }

  /** Shows every change of a resource to an observer, while this replica leads. */
  protected observe(type: ResourceType, observer: Observer): void {
    const informer = this.#informers.of(type);
    this.#observers.push({ type, observer });
    informer.onChange((change, seen) => {
      if (this.#observes && seen !== 'list') observer.changed(change);
    });
    informer.onList((objects) => {
      if (this.#observes) observer.listed(objects);
    });
  }

  /**
   * As in the package, but: handlers of different objects run side by side, of one object one after
   * the other; a handler that throws is called again with backoff; of changes that pile up the
   * latest is given; deletions missed while a watch was down arrive.
   */
  // eslint-disable-next-line max-params -- the package's signature
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    const type: ResourceType = { group, version, plural, kind: plural, namespaced: true };
    this.#types.set(`${plural}.${apiVersionOf(type)}`, type);
    const { log, workers, metrics } = this.#options;
    this.#watches.push(
      new ResourceWatch({
        informer: this.#informers.of(type),
        plural,
        namespace,
        onEvent,
        queue: {
          concurrency: workers,
          budget: this.#budget,
          clock: this.#clock,
          random: this.#random,
          metrics: metrics.controller(plural),
          onError: (key, err, attempt, retryInMs) =>
            log.warn({ key, attempt, retryInMs, err }, 'handler failed, will retry'),
        },
      }),
    );
  }

  /** Throws when the write fails, so that the handler is called again. */
  protected override async setResourceStatus(
    meta: ResourceMeta,
    status: unknown,
  ): Promise<ResourceMeta | null> {
    const type = this.#typeOf(meta);
    const body = {
      apiVersion: meta.apiVersion,
      kind: meta.kind,
      metadata: {
        ...(meta.namespace !== undefined && { namespace: meta.namespace }),
        name: meta.name,
      },
      status,
    };
    const written = await this.#writes.apply(type, body, {
      fieldManager: FIELD_MANAGER,
      subresource: 'status',
    });
    this.#informers.learn(type, written);
    return metaOf(type.plural, written);
  }

  /** Lays `status` over the present one, as a JSON merge patch (RFC 7386). Throws as `setResourceStatus`. */
  protected override async patchResourceStatus(
    meta: ResourceMeta,
    status: unknown,
  ): Promise<ResourceMeta | null> {
    const key = { namespace: meta.namespace ?? '', name: meta.name };
    const live = await this.#options.cluster.get<OwnObject>(this.#typeOf(meta), key);
    return this.setResourceStatus(meta, mergePatch(live?.status, status));
  }

  /**
   * @returns as in the package: true when the handler has nothing more to do, because the finalizer
   * was put on (the change brings another event) or the object is going
   */
  protected override async handleResourceFinalizer(
    event: ResourceEvent,
    finalizer: string,
    deleteAction: (event: ResourceEvent) => Promise<void>,
  ): Promise<boolean> {
    const object = event.object as unknown as KubernetesObject;
    const type = this.#typeOf(event.meta);
    const going = object.metadata.deletionTimestamp !== undefined;
    if (String(event.type) === 'DELETED') return false;
    if (going && hasFinalizer(object, finalizer)) {
      await deleteAction(event);
      await this.#writes.patch(type, keyOf(object), removeFinalizer(object, finalizer), {
        fieldManager: FIELD_MANAGER,
      });
    }
    if (going || hasFinalizer(object, finalizer)) return going;
    await this.#writes.patch(type, keyOf(object), addFinalizer(object, finalizer), {
      fieldManager: FIELD_MANAGER,
    });
    return true;
  }

  protected override setResourceFinalizers(): Promise<void> {
    throw new Error(
      'A whole list of finalizers erases what others put on meanwhile; use handleResourceFinalizer.',
    );
  }

  protected override registerCustomResourceDefinition(): Promise<never> {
    throw new Error(
      'CRDs are installed by the chart or kubectl apply -f crds/, not by the operator.',
    );
  }

  #typeOf(meta: ResourceMeta): ResourceType {
    const type = this.#types.get(meta.id);
    if (type === undefined) throw new Error(`${meta.id} is not watched`);
    return { ...type, kind: meta.kind };
  }

  #lead(leads: boolean): void {
    if (leads === this.leads || (leads && this.#ending)) return;
    this.#options.metrics.leads(leads);
    this.#options.log.info(
      { identity: this.#options.identity, leads },
      leads ? 'leading' : 'not leading',
    );
    const term = this.#term ?? new AbortController();
    this.#term = leads ? term : undefined;
    if (!leads) term.abort();
    this.#then(() => (leads ? this.#begin(term.signal) : this.#end()));
  }

  get #observes(): boolean {
    return this.#observing && (this.#leader?.leads ?? true);
  }

  #then(step: () => void | Promise<void>): void {
    this.#turn = this.#turn.then(step).catch((err: unknown) => {
      this.#options.log.error({ err }, 'beginning or ending to lead failed');
    });
  }

  #begin(signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#observing = true;
    for (const { type, observer } of this.#observers)
      observer.listed(this.#informers.of(type).cache.list());
    for (const controller of this.#controllers) controller.start(signal);
    for (const watch of this.#watches) watch.start();
  }

  async #end(): Promise<void> {
    await Promise.all([
      ...this.#controllers.map((each) => each.stop()),
      ...this.#watches.map((each) => each.stop()),
    ]);
    await this.#events.drain(EVENTS_MS);
    this.#observing = false;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
