import type { ResourceEvent, ResourceEventType, ResourceMeta } from '@dot-i/k8s-operator';
import type { Informer } from './informer.ts';
import type { Change } from './object-cache.ts';
import { keyOf, keyString, parseKey, type KubernetesObject } from './resource-type.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export type ResourceWatchOptions = {
  readonly informer: Informer;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly onEvent: (event: ResourceEvent) => Promise<void>;
  readonly queue: WorkQueueOptions;
};

/** The event handler of one `watchResource`: the latest change of each object, retried until it is handled. */
export class ResourceWatch {
  readonly #options: ResourceWatchOptions;
  readonly #queue: WorkQueue;
  readonly #latest = new Map<string, Change>();

  constructor(options: ResourceWatchOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.queue);
    options.informer.onChange((change, seen) => {
      const { namespace } = options;
      if (
        seen === 'write' ||
        (namespace !== undefined && change.object.metadata.namespace !== namespace)
      )
        return;
      const key = keyString(keyOf(change.object));
      this.#latest.set(key, change);
      this.#queue.add(key);
    });
  }

  start(): void {
    this.#queue.start(async (key) => {
      await this.#handle(key);
      return {};
    });
  }

  stop(): Promise<void> {
    return this.#queue.stop();
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
