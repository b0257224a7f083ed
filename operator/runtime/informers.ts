import { Informer, type InformerOptions } from './informer.ts';
import type { KubernetesObject, ResourceType } from './resource-type.ts';

export type InformersOptions = Omit<
  InformerOptions,
  'type' | 'labelSelector' | 'onError' | 'onListenerError'
> & {
  readonly onError: (type: ResourceType, error: unknown, retryInMs: number) => void;
  readonly onListenerError: (type: ResourceType, error: unknown) => void;
};

/** The informers of a process, one per resource and selector, shared by all that watch it. */
export class Informers {
  readonly #informers = new Map<string, Informer>();
  readonly #options: InformersOptions;
  #running: { readonly signal: AbortSignal; readonly runs: Promise<void>[] } | undefined;

  constructor(options: InformersOptions) {
    this.#options = options;
  }

  /** The informer of a resource; one asked for while running starts at once. */
  of(type: ResourceType, labelSelector?: string): Informer {
    const id = `${type.group}/${type.plural}?${labelSelector ?? ''}`;
    const known = this.#informers.get(id);
    if (known !== undefined) return known;
    const { onError, onListenerError, ...options } = this.#options;
    const informer = new Informer({
      ...options,
      type,
      labelSelector,
      onError: (error, retryInMs) => onError(type, error, retryInMs),
      onListenerError: (error) => onListenerError(type, error),
    });
    this.#informers.set(id, informer);
    this.#running?.runs.push(informer.run(this.#running.signal));
    return informer;
  }

  /** Puts the answer to a write of ours into the caches that hold that resource. */
  learn(type: ResourceType, object: KubernetesObject): void {
    const prefix = `${type.group}/${type.plural}?`;
    for (const [id, informer] of this.#informers) {
      if (id.startsWith(prefix)) informer.learn(object);
    }
  }

  start(signal: AbortSignal): void {
    this.#running = { signal, runs: [...this.#informers.values()].map((each) => each.run(signal)) };
  }

  get synced(): boolean {
    return [...this.#informers.values()].every(({ hasSynced }) => hasSynced);
  }

  async waitForSync(): Promise<void> {
    await Promise.all([...this.#informers.values()].map(({ synced }) => synced));
  }

  /** After the signal of `start` has aborted: waits until no stream is open. */
  async stopped(): Promise<void> {
    await Promise.all(this.#running?.runs ?? []);
  }
}
