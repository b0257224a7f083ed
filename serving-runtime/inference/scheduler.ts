/** Gives inferences to the model, as many at once as it can compute; joins what waits to batches. */
import type { Tensor } from '../tensors.ts';
import { hasRows, joinInputs, kindOf, rowsAt, rowsOf } from './batch-tensors.ts';
import type { Compute, Inference } from './compute.ts';

export type BatchLimits = {
  /** Most rows computed at once; 1: nothing is joined. */
  readonly maxRows: number;
  /** Longest time a request waits for others that are on their way here. */
  readonly maxWaitMs: number;
};

export type SchedulerEvents = {
  /** A batch begins: its rows (0: unknown) and requests. */
  readonly began: (rows: number, requests: number) => void;
  /** The model does not answer row by row, so nothing is joined any more. */
  readonly refusedToJoin: (reason: string) => void;
};

export type Lanes = {
  readonly compute: Compute;
  /** How many computations may be under way; read each time. */
  readonly width: () => number;
  /** How many requests have been admitted, those that are here included. */
  readonly admitted: () => number;
};

type Waiting = {
  readonly inference: Inference;
  readonly rows: number;
  /** Found out only when there is something to compare it with. */
  kind: string | undefined;
  readonly resolve: (results: readonly Tensor[]) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Where the model is free and nobody else is on the way, a request is computed at once, so that batching
 * costs a lone client nothing. Those that come while it computes are computed together next, in order. What may not be
 * joined (other shapes, other outputs, no rows) is computed alone. Where a batch fails, each request of
 * it is computed alone, so that none fails for another.
 */
export class Scheduler {
  readonly #lanes: Lanes;
  readonly #events: SchedulerEvents;
  #maxRows: number;
  readonly #maxWaitMs: number;
  #queue: Waiting[] = [];
  #active = 0;
  /** Requests that have come and have no answer yet. */
  #present = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(lanes: Lanes, limits: BatchLimits, events: SchedulerEvents) {
    this.#lanes = lanes;
    this.#maxRows = limits.maxRows;
    this.#maxWaitMs = limits.maxWaitMs;
    this.#events = events;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Rejects with the inference's refusal where it is over before it could begin. */
  async run(inference: Inference): Promise<readonly Tensor[]> {
    this.#present++;
    try {
      const isFree = this.#active < this.#width && this.#queue.length === 0;
      if (isFree && !this.#expectsMore()) return await this.#runAlone(inference);
      return await this.#enqueue(inference, isFree);
    } finally {
      this.#present--;
    }
  }

  /** Without batches there is nothing to gain from holding requests back. */
  get #width(): number {
    const width = this.#lanes.width();
    return this.#maxRows === 1 && width === 1 ? Number.POSITIVE_INFINITY : width;
  }

  #expectsMore(): boolean {
    return this.#maxWaitMs > 0 && this.#maxRows > 1 && this.#lanes.admitted() > this.#present;
  }

  #enqueue(inference: Inference, isFree: boolean): Promise<readonly Tensor[]> {
    return new Promise((resolve, reject) => {
      const rows = this.#maxRows > 1 ? rowsOf(inference.inputs) : 0;
      this.#queue.push({ inference, rows, kind: undefined, resolve, reject });
      if (isFree) this.#timer = setTimeout(this.#begin, this.#maxWaitMs);
      else if (this.#timer !== undefined && (this.#isFull() || !this.#expectsMore())) this.#begin();
    });
  }

  #isFull(): boolean {
    return this.#queue.reduce((sum, { rows }) => sum + rows, 0) >= this.#maxRows;
  }

  readonly #begin = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next();
  };

  async #runAlone({ inputs, outputs }: Inference): Promise<readonly Tensor[]> {
    this.#active++;
    this.#events.began(rowsOf(inputs), 1);
    try {
      return await this.#lanes.compute(inputs, outputs);
    } finally {
      this.#active--;
      this.#next();
    }
  }

  #next(): void {
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    while (this.#active < this.#width) {
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#active++;
      void this.#compute(batch).finally(() => {
        this.#active--;
        this.#next();
      });
    }
  }

  /** The first that is still wanted, and those behind it that may be computed with it. */
  #take(): readonly Waiting[] {
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    let rows = 0;
    for (const each of this.#queue) {
      const [first] = batch;
      if (first !== undefined && !this.#joins(first, each, rows)) {
        left.push(each);
        continue;
      }
      const refusal = each.inference.refusal();
      if (refusal !== undefined) {
        each.reject(refusal);
        continue;
      }
      batch.push(each);
      rows += each.rows;
    }
    this.#queue = left;
    return batch;
  }

  #joins(first: Waiting, each: Waiting, rows: number): boolean {
    if (first.rows === 0 || each.rows === 0 || rows + each.rows > this.#maxRows) return false;
    first.kind ??= kindOf(first.inference.inputs, first.inference.outputs);
    each.kind ??= kindOf(each.inference.inputs, each.inference.outputs);
    return first.kind === each.kind;
  }

  /** Never rejects. */
  async #compute(batch: readonly Waiting[]): Promise<void> {
    const rows = batch.reduce((sum, each) => sum + each.rows, 0);
    this.#events.began(rows, batch.length);
    const [first] = batch;
    if (first === undefined) return;
    if (batch.length === 1) return this.#settle(first);
    let results: readonly Tensor[];
    try {
      const inputs = joinInputs(
        batch.map(({ inference }) => inference.inputs),
        rows,
      );
      results = await this.#lanes.compute(inputs, first.inference.outputs);
    } catch {
      // One request may be at fault for all: each is judged by itself.
      for (const each of batch) await this.#settle(each);
      return;
    }
    if (!hasRows(results, rows)) {
      this.#maxRows = 1;
      this.#events.refusedToJoin('its outputs do not have one row for each row of the inputs');
      for (const each of batch) await this.#settle(each);
      return;
    }
    let from = 0;
    for (const each of batch) {
      each.resolve(rowsAt(results, from, each.rows));
      from += each.rows;
    }
  }

  async #settle({ inference, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await this.#lanes.compute(inference.inputs, inference.outputs));
    } catch (error) {
      reject(error);
    }
  }
}
