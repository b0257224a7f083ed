import type { BackgroundState } from './reconciler.ts';

type Task = {
  readonly id: string;
  readonly controller: AbortController;
  state: BackgroundState<unknown>;
};

/**
 * Long work of passes, one piece per object. A pass starts it and a later one reads its result; the
 * object is woken when it ends. Results live as long as the object is known here.
 */
export class BackgroundWork {
  readonly #tasks = new Map<string, Task>();
  readonly #wake: (key: string) => void;
  readonly #running = new Set<Promise<void>>();

  constructor(wake: (key: string) => void) {
    this.#wake = wake;
  }

  observe<T>(
    key: string,
    id: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): BackgroundState<T> {
    const known = this.#tasks.get(key);
    if (known?.id === id) {
      // A failure is told once; the next pass that still wants the result starts it afresh.
      if (known.state.state === 'failed') this.#tasks.delete(key);
      return known.state as BackgroundState<T>;
    }
    known?.controller.abort();
    this.#start(key, id, work);
    return { state: 'running' };
  }

  forget(key: string): void {
    this.#tasks.get(key)?.controller.abort();
    this.#tasks.delete(key);
  }

  /** Aborts all work and waits for it to end; what is started afterwards is started afresh. */
  async stop(): Promise<void> {
    for (const key of [...this.#tasks.keys()]) this.forget(key);
    await Promise.all(this.#running);
  }

  #start<T>(key: string, id: string, work: (signal: AbortSignal) => Promise<T>): void {
    const task: Task = { id, controller: new AbortController(), state: { state: 'running' } };
    this.#tasks.set(key, task);
    const run = this.#run(key, task, work).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #run<T>(key: string, task: Task, work: (signal: AbortSignal) => Promise<T>): Promise<void> {
    try {
      task.state = { state: 'done', value: await work(task.controller.signal) };
    } catch (error) {
      task.state = {
        state: 'failed',
        error: error instanceof Error ? error : new Error(String(error)),
      };
    }
    if (this.#tasks.get(key) === task) this.#wake(key);
  }
}
