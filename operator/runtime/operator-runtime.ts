import { systemClock, type Clock } from './clock.ts';
import { Controller } from './controller.ts';
import { Informers } from './informers.ts';
import { Observers } from './observers.ts';
import type { Observer, OperatorOptions } from './operator-options.ts';
import type { Reconciler } from './reconciler.ts';
import type { KubernetesObject, ResourceType } from './resource-type.ts';
import { ResourceWatch, type ResourceWatchOptions } from './resource-watch.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Shard } from './shard.ts';
import { Shards } from './shards.ts';
import type { QueueSnapshot } from './work-queue.ts';

/** The life of an operator: caches filled once for all, and work on the shards this replica leads. */
export class OperatorRuntime {
  readonly informers: Informers;
  readonly #options: OperatorOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #budget: RetryBudget;
  readonly #shards: Shards;
  readonly #observers: Observers;
  readonly #controllers = new Map<string, Controller>();
  readonly #stopping = new AbortController();
  #ending: Promise<void> | undefined;
  #started = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { cluster, log, metrics, namespace, namespaces } = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#budget = new RetryBudget(this.#clock);
    this.informers = new Informers({
      cluster,
      namespaces: namespace === undefined ? namespaces : [namespace],
      verifyMs: options.verifyMs,
      clock: this.#clock,
      random: this.#random,
      metrics: metrics.informers,
      onError: (type, err, retryInMs) =>
        log.warn({ resource: type.plural, retryInMs, err }, 'list or watch failed, will retry'),
      onListenerError: (type, err) =>
        log.error({ resource: type.plural, err }, 'a change could not be taken in'),
      onHealed: (type, objects) =>
        log.warn({ resource: type.plural, objects }, 'events were lost; the cache was put right'),
    });
    this.#shards = this.#newShards();
    const [first] = this.#shards.all;
    this.#observers = new Observers(this.informers, () => first?.mayWrite ?? false);
    first?.add(this.#observers);
  }

  get ready(): boolean {
    return this.#started && this.informers.synced;
  }

  /** Whether this replica works on a shard, be it only one of several. */
  get leads(): boolean {
    return this.#shards.all.some((shard) => shard.leads);
  }

  /** The shard whose Lease fences writes to a namespace. */
  shardOf(namespace: string): Shard {
    return this.#shards.of(namespace);
  }

  debug(): Readonly<Record<string, QueueSnapshot>> {
    return Object.fromEntries(
      [...this.#controllers].map(([name, { queue }]) => [name, queue.snapshot()]),
    );
  }

  /** Fills the caches and works as soon as this replica leads. */
  async start(): Promise<void> {
    const { signal } = this.#stopping;
    this.informers.start(signal);
    this.#started = true;
    await Promise.race([this.informers.waitForSync(), aborted(signal)]);
    if (this.#ending === undefined) this.#shards.start();
  }

  stop(): void {
    this.#ending ??= this.#shards.stop().finally(() => this.#stopping.abort());
  }

  async stopped(): Promise<void> {
    await this.#ending;
    await this.informers.stopped();
  }

  control(reconciler: Reconciler): void {
    const { log, metrics, spans, workers, workersByKind = {} } = this.#options;
    for (const shard of this.#shards.all) {
      const name = this.#named(reconciler.type.kind.toLowerCase(), shard);
      const controller = new Controller({
        reconciler,
        mine: shard.mine,
        cluster: shard.writes,
        informers: this.informers,
        events: shard.events,
        clock: this.#clock,
        random: this.#random,
        log: log.child({ controller: name }),
        metrics: metrics.controller(name),
        spans,
        workers: workersByKind[reconciler.type.plural] ?? workers,
        budget: this.#budget,
        finalizerDeadlineMs: this.#options.finalizerDeadlineMs,
      });
      this.#controllers.set(name, controller);
      shard.add(controller);
    }
  }

  /** Calls a handler for every change of a resource. */
  handle(type: ResourceType, handler: Pick<ResourceWatchOptions, 'onEvent' | 'namespace'>): void {
    const { log, workers, metrics } = this.#options;
    for (const shard of this.#shards.all)
      shard.add(
        new ResourceWatch({
          ...handler,
          informer: this.informers.of(type),
          plural: type.plural,
          mine: shard.mine,
          queue: {
            concurrency: workers,
            budget: this.#budget,
            clock: this.#clock,
            random: this.#random,
            metrics: metrics.controller(this.#named(type.plural, shard)),
            onError: (key, err, attempt, retryInMs) =>
              log.warn({ key, attempt, retryInMs, err }, 'handler failed, will retry'),
          },
        }),
      );
  }

  /** Shows every change of a resource to an observer, while this replica leads the first shard. */
  observe(type: ResourceType, observer: Observer): void {
    this.#observers.add(type, observer);
  }

  cachedObjects(type: ResourceType): readonly KubernetesObject[] | undefined {
    const informer = this.informers.of(type);
    return informer.hasSynced ? informer.cache.list() : undefined;
  }

  #newShards(): Shards {
    const { cluster, log, lease, leaseTimes, identity, shards = 1 } = this.#options;
    return new Shards({
      // Without an election there is nobody to share with.
      count: lease === undefined ? 1 : shards,
      cluster,
      clock: this.#clock,
      identity,
      lease,
      times: leaseTimes,
      onElectionError: (err) => log.warn({ err }, 'leader election call failed, will retry'),
      onEventError: (err) => log.warn({ err }, 'an Event could not be recorded'),
      onError: (err) => log.error({ err }, 'beginning or ending to lead failed'),
      onChange: (shard, leads) => this.#tell(shard, leads),
    });
  }

  #tell(shard: number, leads: boolean): void {
    const { log, metrics, identity } = this.#options;
    metrics.leads(this.leads);
    const which = this.#shards.all.length === 1 ? {} : { shard };
    log.info({ identity, leads, ...which }, leads ? 'leading' : 'not leading');
  }

  #named(name: string, { index }: Shard): string {
    return this.#shards.all.length === 1 ? name : `${name}-${index}`;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
