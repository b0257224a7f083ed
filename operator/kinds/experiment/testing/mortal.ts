import { Crash } from '../../testing/faults.ts';
import { DatabaseDown } from '../../testing/faulty-runs.ts';

/** What stands between a process and the outside. */
export type Faults = {
  around<T extends object>(port: T): T;
  /** The process has ended. */
  readonly dead: boolean;
  /** Whether the fault has happened. */
  readonly happened: boolean;
  restart(): void;
};

const around = <T extends object>(port: T, call: (work: () => unknown) => Promise<unknown>): T =>
  new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => call(() => value.apply(target, args) as unknown);
    },
  });

/** The k-th call to the outside fails without an effect, as when nobody answers; all others work. */
export class Outage implements Faults {
  #left: number;
  readonly dead = false;
  happened = false;

  constructor(k: number) {
    this.#left = k;
  }

  restart(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  around<T extends object>(port: T): T {
    return around(port, async (work) => {
      this.#left -= 1;
      if (this.#left !== 0) return work();
      this.happened = true;
      throw new DatabaseDown('connection refused');
    });
  }
}

/**
 * A process that dies at its k-th call to the outside: the call has its effect, but the answer never
 * comes, and no later call has any. As all a process does to the world are such calls, letting k
 * run over all of them is a kill at every await.
 */
export class Mortal implements Faults {
  #left: number;
  dead = false;
  happened = false;

  constructor(k: number) {
    this.#left = k;
  }

  /** Another process: it does not die. */
  restart(): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.dead = false;
  }

  around<T extends object>(port: T): T {
    return around(port, (work) => this.#call(work));
  }

  async #call(call: () => unknown): Promise<unknown> {
    if (this.dead) throw new Crash('the process is dead');
    this.#left -= 1;
    const last = this.#left === 0;
    // From here on nobody else gets through, also while the effect is under way.
    if (last) [this.dead, this.happened] = [true, true];
    const answer = await call();
    if (last) throw new Crash('killed before the answer came');
    return answer;
  }
}
