import { Crash } from '../../testing/faults.ts';

/**
 * A process that dies at its k-th call to the outside: the call has its effect, but the answer never
 * comes, and no later call has any. As all a process does to the world are such calls, letting k
 * run over all of them is a kill at every await.
 */
export class Mortal {
  #left: number;
  dead = false;

  constructor(k: number) {
    this.#left = k;
  }

  /** Another process: it does not die. */
  restart(): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.dead = false;
  }

  around<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...call: unknown[]) => this.#call(() => value.apply(target, call) as unknown);
      },
    });
  }

  async #call(call: () => unknown): Promise<unknown> {
    if (this.dead) throw new Crash('the process is dead');
    this.#left -= 1;
    const last = this.#left === 0;
    // From here on nobody else gets through, also while the effect is under way.
    if (last) this.dead = true;
    const answer = await call();
    if (last) throw new Crash('killed before the answer came');
    return answer;
  }
}
