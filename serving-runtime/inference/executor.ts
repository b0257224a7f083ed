/** Computes on the thread that answers while the model is light, and on threads of its own once it is heavy. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelSession } from '../session.ts';
import type { Tensor } from '../tensors.ts';
import type { Compute } from './compute.ts';
import type { WorkerPool } from './worker-pool.ts';

export type ExecutorEnvironment = {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly openPool: () => WorkerPool;
  readonly onPooled: (workers: number, tookMs: number) => void;
  readonly onPoolFailed: (error: unknown) => void;
};

/**
 * A hop to another thread costs 25 to 120 µs; a computation of several times that holds up health checks
 * and other requests longer than the hop does.
 */
const heavyMs = 0.25;
/** So many timings in a row over it make a model heavy: one may be a pause of the whole machine. */
const heavyTimings = 3;
/** One computation in so many is timed. */
const sampleEvery = 16;

export class Executor {
  readonly #session: ModelSession;
  readonly #environment: ExecutorEnvironment;
  #pool: WorkerPool | undefined;
  #pooling: Promise<void> | undefined;
  #isClosed = false;
  #isReleased = false;
  #mayPool = true;
  #runs = 0;
  #inline = 0;
  #heavy = 0;

  constructor(session: ModelSession, environment: ExecutorEnvironment) {
    this.#session = session;
    this.#environment = environment;
  }

  /** How many computations make progress at once. */
  get width(): number {
    return this.#pool?.size ?? 1;
  }

  get isPooled(): boolean {
    return this.#pool !== undefined;
  }

  readonly compute: Compute = (inputs, outputs) => {
    if (this.#pool !== undefined) return this.#pool.compute(inputs, outputs);
    if (this.#heavy === 0 && this.#runs++ % sampleEvery !== 0)
      return this.#computeHere(inputs, outputs);
    return this.#computeTimed(inputs, outputs);
  };

  /** Times computations, and moves a heavy model to its threads before it serves. */
  async measure(compute: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < heavyTimings; i++) {
      this.#runs = 0;
      await nextTurn();
      await compute();
    }
    await this.#pooling;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pooling;
    await this.#pool?.close();
    if (!this.#isReleased) await this.#session.close();
  }

  async #computeHere(
    inputs: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
  ): Promise<readonly Tensor[]> {
    this.#inline++;
    try {
      return await this.#session.run(inputs, outputs);
    } finally {
      this.#inline--;
      this.#release();
    }
  }

  async #computeTimed(
    inputs: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
  ): Promise<readonly Tensor[]> {
    // The session begins in an immediate of its own, right after this one.
    let began = 0;
    setImmediate(() => {
      began = this.#environment.now();
    });
    const results = await this.#computeHere(inputs, outputs);
    const ms = this.#environment.now() - began;
    this.#heavy = ms < heavyMs ? 0 : this.#heavy + 1;
    if (this.#heavy >= heavyTimings) this.#moveToThreads(ms);
    return results;
  }

  #moveToThreads(tookMs: number): void {
    if (!this.#mayPool || this.#isClosed) return;
    this.#mayPool = false;
    this.#pooling = this.#open(tookMs);
  }

  /** Threads have sessions of their own: the one here would be memory for nothing. */
  #release(): void {
    if (this.#pool === undefined || this.#inline > 0 || this.#isReleased) return;
    this.#isReleased = true;
    this.#session.close().catch(this.#environment.onPoolFailed);
  }

  /** Never rejects: without threads it computes on here. */
  async #open(tookMs: number): Promise<void> {
    const pool = this.#environment.openPool();
    try {
      await pool.start();
      this.#pool = pool;
      this.#release();
      this.#environment.onPooled(pool.size, tookMs);
    } catch (error) {
      this.#environment.onPoolFailed(error);
    }
  }
}
