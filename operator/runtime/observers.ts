import type { Informers } from './informers.ts';
import type { Observer } from './operator-options.ts';
import type { ResourceType } from './resource-type.ts';
import type { Work } from './shard.ts';

/** Shows changes to observers, from the beginning of a term until its last pass has ended. */
export class Observers implements Work {
  readonly #informers: Informers;
  readonly #mayWrite: () => boolean;
  readonly #observers: { readonly type: ResourceType; readonly observer: Observer }[] = [];
  #observing = false;

  /** @param mayWrite whether this replica still leads: another one's observers see the same */
  constructor(informers: Informers, mayWrite: () => boolean) {
    this.#informers = informers;
    this.#mayWrite = mayWrite;
  }

  add(type: ResourceType, observer: Observer): void {
    const informer = this.#informers.of(type);
    this.#observers.push({ type, observer });
    informer.onChange((change, seen) => {
      if (this.#observes && seen !== 'list') observer.changed(change);
    });
    informer.onList((objects) => {
      if (this.#observes) observer.listed(objects);
    });
  }

  start(): void {
    this.#observing = true;
    for (const { type, observer } of this.#observers)
      observer.listed(this.#informers.of(type).cache.list());
  }

  async stop(): Promise<void> {
    // What the last passes write is still seen; `ended` comes after them.
  }

  ended(): void {
    this.#observing = false;
  }

  get #observes(): boolean {
    return this.#observing && this.#mayWrite();
  }
}
