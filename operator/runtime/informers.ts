import { Informer, type InformerOptions } from './informer.ts';
import type { KubernetesObject, ResourceType } from './resource-type.ts';

export type InformersOptions = Omit<
  InformerOptions,
  'type' | 'labelSelector' | 'metadataOnly' | 'keep' | 'onError' | 'onListenerError' | 'onHealed'
> & {
  readonly onError: (type: ResourceType, error: unknown, retryInMs: number) => void;
  readonly onListenerError: (type: ResourceType, error: unknown) => void;
  readonly onHealed?: (type: ResourceType, objects: number) => void;
};

/** Whether to hold metadata alone, and what of it to keep; by default all but managers' field sets. */
export type CacheOptions = Pick<InformerOptions, 'metadataOnly' | 'keep'>;

/** The informers of a process, one per resource, selector and manner of caching, shared by all that watch it. */
export class Informers {
  readonly #informers = new Map<string, Informer>();
  readonly #options: InformersOptions;
  #running: { readonly signal: AbortSignal; readonly runs: Promise<void>[] } | undefined;

  constructor(options: InformersOptions) {
    this.#options = options;
  }

  /**
   * The informer of a resource; one asked for while running starts at once. `keep` is that of the
   * first who asks.
   */
  of(type: ResourceType, labelSelector?: string, cache: CacheOptions = {}): Informer {
    const manner = cache.metadataOnly === true ? '#metadata' : '';
    const id = `${type.group}/${type.plural}?${labelSelector ?? ''}${manner}`;
    const known = this.#informers.get(id);
    if (known !== undefined) return known;
    const { onError, onListenerError, onHealed, ...options } = this.#options;
    const informer = new Informer({
      ...options,
      ...cache,
      type,
      labelSelector,
      onError: (error, retryInMs) => onError(type, error, retryInMs),
      onListenerError: (error) => onListenerError(type, error),
      onHealed: (objects) => onHealed?.(type, objects),
    });
    this.#informers.set(id, informer);
    this.#running?.runs.push(informer.run(this.#running.signal));
    return informer;
  }

  /** Puts the answer to a write of ours into the caches that hold that resource. */
  learn(type: ResourceType, object: KubernetesObject): void {
    for (const informer of this.#holding(type)) informer.learn(object);
  }

  /**
   * Puts the answer to a deletion of ours, or to the removal of a finalizer, into those caches.
   *
   * @param object the object that was to be deleted, with its uid
   * @param answer what the server showed of it; undefined when it is gone
   */
  learnDeleted(
    type: ResourceType,
    object: KubernetesObject,
    answer: KubernetesObject | undefined,
  ): void {
    for (const informer of this.#holding(type)) informer.learnDeleted(object, answer);
  }

  /** By resource, the seconds since the server last proved its cache to be current. */
  ages(): readonly { readonly resource: string; readonly seconds: number }[] {
    const ages = new Map<string, number>();
    for (const [id, { ageSeconds }] of this.#informers) {
      const resource = id.slice(id.indexOf('/') + 1, id.indexOf('?'));
      ages.set(resource, Math.max(ages.get(resource) ?? 0, ageSeconds));
    }
    return [...ages].map(([resource, seconds]) => ({ resource, seconds }));
  }

  #holding(type: ResourceType): readonly Informer[] {
    const prefix = `${type.group}/${type.plural}?`;
    return [...this.#informers].flatMap(([id, each]) => (id.startsWith(prefix) ? [each] : []));
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
