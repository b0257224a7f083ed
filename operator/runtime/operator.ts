import dotI, { type ResourceEvent, type ResourceMeta } from '@dot-i/k8s-operator';
import type { Cluster } from './cluster.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizers.ts';
import { mergePatch } from './merge-patch.ts';
import type { Observer, OperatorOptions } from './operator-options.ts';
import { OperatorRuntime } from './operator-runtime.ts';
import type { OwnObject, Reconciler } from './reconciler.ts';
import { apiVersionOf, keyOf, type KubernetesObject, type ResourceType } from './resource-type.ts';
import { metaOf } from './resource-watch.ts';
import type { QueueSnapshot } from './work-queue.ts';

export type {
  Observer,
  OperatorOptions,
  RuntimeLogger,
  RuntimeMetrics,
} from './operator-options.ts';

const FIELD_MANAGER = 'mlops-operator';

/**
 * The base class of an operator: @dot-i/k8s-operator's programming model (`init`, `watchResource`,
 * `handleResourceFinalizer`, `setResourceStatus`) on a runtime of its own. The package handles
 * events one at a time, loses a handler's exception, drops failed writes, misses deletions while a
 * watch is down and ends the process on a watch error; so every method of it that reaches the
 * network is overridden here (decisions/0002), and `control` adds level-triggered controllers.
 */
export abstract class Operator extends dotI.default {
  readonly #cluster: Cluster;
  readonly #runtime: OperatorRuntime;
  readonly #types = new Map<string, ResourceType>();

  constructor(options: OperatorOptions) {
    super();
    this.#cluster = options.cluster;
    this.#runtime = new OperatorRuntime(options);
  }

  /** Whether caches are filled, so that answers and decisions are no guesses. */
  get ready(): boolean {
    return this.#runtime.ready;
  }

  /** Whether this replica works, be it on one shard of several. */
  get leads(): boolean {
    return this.#runtime.leads;
  }

  /** By resource, the seconds since the API server last proved its cache to be current. */
  cacheAges(): readonly { readonly resource: string; readonly seconds: number }[] {
    return this.#runtime.informers.ages();
  }

  /** What waits, works and fails, by controller: for a person in trouble. */
  debug(): Readonly<Record<string, QueueSnapshot>> {
    return this.#runtime.debug();
  }

  /** Declares all controllers (`init`), fills the caches and works as soon as this replica leads. */
  override async start(): Promise<void> {
    await this.init();
    await this.#runtime.start();
  }

  /** Begins to stop; `stopped` tells when it is over. */
  override stop(): void {
    this.#runtime.stop();
  }

  /** After `stop`: passes under way have ended, the Lease is handed over, streams are closed. */
  async stopped(): Promise<void> {
    await this.#runtime.stopped();
  }

  /** Runs a reconciler as the controller of its kind. */
  protected control(reconciler: Reconciler): void {
    this.#runtime.control(reconciler);
  }

  /** What the cache holds of an observed resource; undefined before its first list is complete. */
  protected cachedObjects(type: ResourceType): readonly KubernetesObject[] | undefined {
    return this.#runtime.cachedObjects(type);
  }

  /** Shows every change of a resource to an observer, while this replica leads (the first shard). */
  protected observe(type: ResourceType, observer: Observer): void {
    this.#runtime.observe(type, observer);
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
    this.#runtime.handle(type, { onEvent, namespace });
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
    const written = await this.#writes(meta.namespace).apply(type, body, {
      fieldManager: FIELD_MANAGER,
      subresource: 'status',
    });
    this.#runtime.informers.learn(type, written);
    return metaOf(type.plural, written);
  }

  /** Lays `status` over the present one, as a JSON merge patch (RFC 7386). Throws as `setResourceStatus`. */
  protected override async patchResourceStatus(
    meta: ResourceMeta,
    status: unknown,
  ): Promise<ResourceMeta | null> {
    const key = { namespace: meta.namespace ?? '', name: meta.name };
    const live = await this.#cluster.get<OwnObject>(this.#typeOf(meta), key);
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
      await this.#writes(event.meta.namespace).patch(
        type,
        keyOf(object),
        removeFinalizer(object, finalizer),
        {
          fieldManager: FIELD_MANAGER,
        },
      );
    }
    if (going || hasFinalizer(object, finalizer)) return going;
    await this.#writes(event.meta.namespace).patch(
      type,
      keyOf(object),
      addFinalizer(object, finalizer),
      {
        fieldManager: FIELD_MANAGER,
      },
    );
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

  #writes(namespace = ''): Cluster {
    return this.#runtime.shardOf(namespace).writes;
  }

  #typeOf(meta: ResourceMeta): ResourceType {
    const type = this.#types.get(meta.id);
    if (type === undefined) throw new Error(`${meta.id} is not watched`);
    return { ...type, kind: meta.kind };
  }
}
