import type { FaultPlan } from './fault-plan.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { SimulationClock } from './simulation-clock.ts';
import type { Trace } from './trace.ts';

export type LinkOptions = {
  readonly clock: SimulationClock;
  readonly process: SimulatedProcess;
  readonly plan: FaultPlan;
  readonly random: SeededRandom;
  readonly trace: Trace;
  /** Called when the process dies in the middle of a call. */
  readonly died: () => void;
};

/** What becomes of one call, decided when it is made. */
export type Fate = {
  /** The server answers this and does nothing. */
  readonly refusal?: Error | undefined;
  /** It does what was asked, and this is all that the caller gets to know. */
  readonly lost?: Error | undefined;
};

/** The way from one process to everything outside: slow, breaking, and where the process may die. */
export class Link {
  readonly #options: LinkOptions;
  #cutUntil = 0;
  #dies: { calls: number; readonly after: boolean } | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Whether faults still happen. */
  get faulty(): boolean {
    return this.#options.clock.monotonic() < this.#options.plan.until;
  }

  get cut(): boolean {
    return this.#options.clock.monotonic() < this.#cutUntil;
  }

  /** Nothing passes for a while. */
  partition(ms: number): void {
    this.#cutUntil = Math.max(this.#cutUntil, this.#options.clock.monotonic() + ms);
  }

  /** The process dies at its n-th call from now, before the server has it or when it is done. */
  dieAt(calls: number, after: boolean): void {
    this.#dies ??= { calls, after };
  }

  /** Draws for a fault that happens with this probability, while there are any. */
  draws(probability: number): boolean {
    return probability > 0 && this.faulty && this.#options.random.chance(probability);
  }

  async exchange<T>(what: string, fate: Fate, run: () => Promise<T>): Promise<T> {
    const { process, trace } = this.#options;
    const death = this.#deathNow();
    if (this.cut) return this.#unreachable(what);
    return new Promise<T>((resolve, reject) => {
      const answer = (words: string, step: () => void): void => {
        trace.add(process.identity, `${what} ${words}`);
        process.clock.setTimeout(step, this.#latency());
      };
      const arrive = async (): Promise<void> => {
        if (death === 'before') return this.#die(`${what} (not sent)`);
        if (fate.refusal !== undefined) {
          const { refusal } = fate;
          return answer(`refused: ${refusal.message}`, () => reject(refusal));
        }
        try {
          const value = await run();
          if (death === 'after') return this.#die(`${what} (done, not answered)`);
          if (fate.lost !== undefined)
            return answer('answer lost', () => reject(fate.lost ?? brokenConnection()));
          answer('ok', () => resolve(value));
        } catch (error) {
          answer(`failed: ${String(error)}`, () => reject(asError(error)));
        }
      };
      this.#options.clock.setTimeout(() => {
        // What a dead process had sent may still arrive.
        if (process.alive || this.#options.random.chance(0.5)) void arrive();
      }, this.#latency());
    });
  }

  #deathNow(): 'before' | 'after' | undefined {
    if (this.#dies === undefined || !this.#options.process.alive) return undefined;
    this.#dies.calls -= 1;
    if (this.#dies.calls > 0) return undefined;
    const { after } = this.#dies;
    this.#dies = undefined;
    return after ? 'after' : 'before';
  }

  #die(what: string): void {
    const { process, trace, died } = this.#options;
    if (!process.alive) return;
    trace.add(process.identity, `dies at ${what}`);
    process.kill();
    died();
  }

  #unreachable(what: string): Promise<never> {
    const { process, random, trace } = this.#options;
    const slow = random.chance(0.5);
    trace.add(process.identity, `${what} ${slow ? 'gets no answer' : 'is not sent'}: partition`);
    return new Promise((_resolve, reject) => {
      const error = slow ? timedOut() : brokenConnection('ECONNREFUSED');
      process.clock.setTimeout(() => reject(asError(error)), slow ? 5_000 : 1);
    });
  }

  #latency(): number {
    const { plan, random } = this.#options;
    return this.faulty ? random.next() * plan.slowestCallMs : 1;
  }
}

export const brokenConnection = (code = 'ECONNRESET'): Error =>
  Object.assign(new Error(`read ${code}`), { code });

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));

const timedOut = (): Error =>
  Object.assign(new Error('The operation was aborted due to timeout'), { name: 'TimeoutError' });
