import type { ResourceEvent, ResourceEventType, ResourceMeta } from '@dot-i/k8s-operator';
import type { Informer } from './informer.ts';
import type { Change } from './object-cache.ts';
import { keyOf, keyString, parseKey, type KubernetesObject } from './resource-type.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export type ResourceWatchOptions = {
  readonly informer: Informer;
  readonly plural: string;
  readonly namespace: string | undefined;
  /** Whether the objects of a namespace are handled here. */
  readonly mine: (namespace: string) => boolean;
  readonly onEvent: (event: ResourceEvent) => Promise<void>;
  readonly queue: WorkQueueOptions;
};

/** The event handler of one `watchResource`: the latest change of each object, retried until it is handled. */
export class ResourceWatch {
  readonly #options: ResourceWatchOptions;
  readonly #queue: WorkQueue;
  readonly #latest = new Map<string, Pick<Change, 'type' | 'object'>>();
  #running = false;

  constructor(options: ResourceWatchOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.queue);
    // A replica that only stands by notes nothing: `start` shows every object as added.
    options.informer.onChange((change) => {
      if (this.#running) this.#note(change);
    });
  }

  start(): void {
    this.#running = true;
    for (const object of this.#options.informer.cache.list(this.#options.namespace))
      this.#note({ type: 'ADDED', object });
    this.#queue.start(async (key) => {
      await this.#handle(key);
      return {};
    });
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#queue.stop();
    this.#latest.clear();
  }

  #note(change: Pick<Change, 'type' | 'object'>): void {
    const { namespace, mine } = this.#options;
    if (!mine(change.object.metadata.namespace ?? '')) return;
    if (namespace !== undefined && change.object.metadata.namespace !== namespace) return;
    const key = keyString(keyOf(change.object));
    // Added it stays until a handler has come to its end with it.
    const unseen = this.#latest.get(key)?.type === 'ADDED' && change.type === 'MODIFIED';
    this.#latest.set(key, unseen ? { type: 'ADDED', object: change.object } : change);
    this.#queue.add(key);
  }

  async #handle(key: string): Promise<void> {
    const { informer, plural, onEvent } = this.#options;
    const change = this.#latest.get(key);
    if (change === undefined) return;
    const current = change.type === 'DELETED' ? undefined : informer.cache.get(parseKey(key));
    const object = current ?? change.object;
    await onEvent({
      meta: metaOf(plural, object),
      type: change.type as ResourceEventType,
      object: object as unknown as ResourceEvent['object'],
    });
    if (this.#latest.get(key) === change) this.#latest.delete(key);
  }
}

export const metaOf = (plural: string, object: KubernetesObject): ResourceMeta => ({
  id: `${plural}.${object.apiVersion}`,
  name: object.metadata.name,
  ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
  resourceVersion: object.metadata.resourceVersion ?? '',
  apiVersion: object.apiVersion,
  kind: object.kind,
});
