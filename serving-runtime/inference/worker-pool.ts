/** Threads that compute, so that a heavy model does not hold up the thread that answers. */
import type { TransferListItem } from 'node:worker_threads';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Tensor } from '../tensors.ts';
import type { Compute } from './compute.ts';
import type { ComputeRequest, WorkerMessage } from './worker-messages.ts';

/** What is used of a thread; `exit` comes once, after any `error`. */
export type InferenceWorker = {
  postMessage(request: ComputeRequest, transfer?: readonly TransferListItem[]): void;
  on(event: 'message', listener: (message: WorkerMessage) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<unknown>;
};

export type PoolEnvironment = {
  readonly spawn: () => InferenceWorker;
  readonly size: number;
  /** A thread ended by itself; another takes its place. */
  readonly onLost: (reason: string) => void;
  readonly pause: (ms: number) => Promise<void>;
};

type Job = {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly string[];
  readonly resolve: (results: readonly Tensor[]) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
};

type Seat = { worker: InferenceWorker; job: Job | undefined; isReady: boolean };

/** A computation that took a thread with it is tried once more: it need not have been its fault. */
const maxAttempts = 2;
const maxPauseMs = 10_000;

export class WorkerPool {
  readonly #environment: PoolEnvironment;
  readonly #seats = new Set<Seat>();
  readonly #waiting: Job[] = [];
  #failures = 0;
  #ids = 0;
  #isClosed = false;

  constructor(environment: PoolEnvironment) {
    this.#environment = environment;
  }

  /** Resolves when every thread has loaded the model; rejects, with all closed, when one cannot. */
  async start(): Promise<void> {
    const { size } = this.#environment;
    try {
      await Promise.all(Array.from({ length: size }, () => this.#seat()));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get size(): number {
    return this.#environment.size;
  }

  readonly compute: Compute = (inputs, outputs) =>
    new Promise((resolve, reject) => {
      this.#waiting.push({ inputs, outputs, resolve, reject, attempts: 0 });
      this.#assign();
    });

  /** Ends the threads; what they had under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const seats = [...this.#seats];
    this.#seats.clear();
    await Promise.all(seats.map(({ worker }) => worker.terminate()));
    for (const job of [...seats.flatMap(({ job }) => job ?? []), ...this.#waiting.splice(0)]) {
      job.reject(lost('the model was unloaded'));
    }
  }

  #seat(): Promise<void> {
    return new Promise((resolve, reject) => {
      const seat: Seat = { worker: this.#environment.spawn(), job: undefined, isReady: false };
      this.#seats.add(seat);
      let reason = '';
      seat.worker.on('message', (message) => {
        if (message.is === 'useless') reason = message.message;
        if (message.is === 'useless') void seat.worker.terminate();
        else if (message.is === 'ready') {
          seat.isReady = true;
          resolve();
        } else {
          this.#failures = 0;
          this.#finish(seat, message);
        }
        this.#assign();
      });
      seat.worker.on('error', (error) => {
        reason = error instanceof Error ? error.message : String(error);
      });
      seat.worker.on('exit', (code) => {
        const why = reason === '' ? `it ended with code ${String(code)}` : reason;
        reject(new Error(why));
        this.#lose(seat, why);
      });
    });
  }

  #assign(): void {
    for (const seat of this.#seats) {
      if (!seat.isReady || seat.job !== undefined) continue;
      const job = this.#waiting.shift();
      if (job === undefined) return;
      job.attempts++;
      seat.job = job;
      seat.worker.postMessage({
        id: ++this.#ids,
        inputs: compact(job.inputs),
        outputs: job.outputs,
      });
    }
  }

  #finish(seat: Seat, message: Extract<WorkerMessage, { is: 'done' | 'failed' }>): void {
    const { job } = seat;
    seat.job = undefined;
    if (message.is === 'done') job?.resolve(message.results);
    else job?.reject(new ProtocolError('InferenceFailed', message.message));
  }

  #lose(seat: Seat, reason: string): void {
    if (!this.#seats.delete(seat) || this.#isClosed) return;
    this.#environment.onLost(reason);
    const { job } = seat;
    if (job !== undefined && job.attempts < maxAttempts) this.#waiting.unshift(job);
    else job?.reject(lost(reason));
    if (seat.isReady) void this.#replace();
  }

  /** Never rejects. A new thread at once, and ever later while they keep failing. */
  async #replace(): Promise<void> {
    for (;;) {
      const pauseMs = this.#failures === 0 ? 0 : Math.min(50 * 2 ** this.#failures, maxPauseMs);
      this.#failures++;
      if (pauseMs > 0) await this.#environment.pause(pauseMs);
      if (this.#isClosed) return;
      try {
        await this.#seat();
        return;
      } catch {
        // onLost has been told why; the next attempt follows.
      }
    }
  }
}

const lost = (reason: string): ProtocolError =>
  new ProtocolError('InferenceFailed', `the thread that computed this was lost: ${reason}`);

/** A view would be sent with all the memory it looks at, such as the whole body of its request. */
function compact(inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const compacted = new Map<string, Tensor>();
  for (const [name, tensor] of inputs) {
    const { data } = tensor;
    const isPart = ArrayBuffer.isView(data) && data.byteLength < data.buffer.byteLength;
    compacted.set(name, isPart ? { ...tensor, data: data.slice() } : tensor);
  }
  return compacted;
}
