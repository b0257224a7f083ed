import type { Clock } from './clock.ts';
import type { OwnObject } from './reconciler.ts';

/** How long an object in a namespace that is being deleted is left alone. */
const LEFT_ALONE_MS = 30_000;

/**
 * Objects that could not get their children because their namespace is being deleted. Each child that
 * goes with the namespace would be one more attempt to create it; what comes next for them is their
 * own deletion.
 */
export class DyingNamespaces {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #until = new Map<string, { readonly uid: string | undefined; readonly ms: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Leaves the object alone from now on; gives for how many milliseconds. */
  leaveAlone(key: string, { metadata: { uid } }: OwnObject): number {
    this.#until.set(key, { uid, ms: this.#clock.monotonic() + LEFT_ALONE_MS });
    return LEFT_ALONE_MS;
  }

  /** For how many milliseconds more; undefined for an object to work for, such as one that is deleted. */
  leftAloneFor(
    key: string,
    { metadata: { uid, deletionTimestamp } }: OwnObject,
  ): number | undefined {
    const left = this.#until.get(key);
    if (left === undefined) return undefined;
    const ms = left.ms - this.#clock.monotonic();
    // One of the same name may live in a namespace that was made anew.
    if (ms > 0 && left.uid === uid && deletionTimestamp === undefined) return ms;
    this.#until.delete(key);
    return undefined;
  }

  forget(key: string): void {
    this.#until.delete(key);
  }
}
