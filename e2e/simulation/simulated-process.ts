import type { Clock, TimerHandle } from '../../operator/runtime/clock.ts';
import type { SimulationClock } from './simulation-clock.ts';

type Held = { inner: TimerHandle; cancelled: boolean };

/**
 * The process an operator runs in: it may be stopped for a while (nothing reaches it, its timers
 * wait), have a wall clock of its own that is wrong, and be killed, after which nothing of it runs.
 */
export class SimulatedProcess {
  readonly identity: string;
  readonly clock: Clock;
  readonly #world: SimulationClock;
  #offset = 0;
  #pausedUntil = 0;
  alive = true;

  constructor(world: SimulationClock, identity: string) {
    this.#world = world;
    this.identity = identity;
    this.clock = {
      now: () => world.now() + this.#offset,
      monotonic: () => world.monotonic(),
      setTimeout: (callback, delayMs) => this.#timer(callback, delayMs),
      clearTimeout: (handle) => this.#clear(handle),
    };
  }

  /** Sets its wall clock wrong by so much; 0 sets it right. */
  setWrongBy(ms: number): void {
    this.#offset = ms;
  }

  /** SIGSTOP, a laptop's lid, a node that swaps: time goes on without it. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#world.monotonic() + ms);
  }

  get paused(): boolean {
    return this.#world.monotonic() < this.#pausedUntil;
  }

  kill(): void {
    this.alive = false;
  }

  /** Something arrives: taken in now, when it wakes up, or never. */
  deliver(step: () => void): void {
    if (!this.alive) return;
    if (this.paused) this.#world.setTimeout(() => this.deliver(step), this.#sleepsFor);
    else step();
  }

  get #sleepsFor(): number {
    return this.#pausedUntil - this.#world.monotonic();
  }

  #timer(callback: () => void, delayMs: number): TimerHandle {
    const held: Held = { inner: undefined, cancelled: false };
    const fire = (): void => {
      if (held.cancelled) return;
      this.deliver(() => {
        if (!held.cancelled) callback();
      });
    };
    held.inner = this.#world.setTimeout(fire, delayMs);
    return held;
  }

  #clear(handle: TimerHandle): void {
    if (handle === undefined) return;
    const held = handle as Held;
    held.cancelled = true;
    this.#world.clearTimeout(held.inner);
  }
}
