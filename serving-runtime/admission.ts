import { ProtocolError } from './protocol/protocol-error.ts';
import type { RequestTrace } from './telemetry/request-trace.ts';

/** What admission needs to know of a request. */
export type Caller = {
  /** On the clock given to Admission, in milliseconds. */
  readonly deadline: number;
  readonly isGone: () => boolean;
  /** Tells when the client goes away, once; gives how to stop listening. */
  readonly onGone: (listener: () => void) => () => void;
  /** Where its stages are told. */
  readonly trace?: RequestTrace | undefined;
};

type Waiting = { readonly admit: () => void };

/**
 * At most `concurrency` requests at work; at most `queueSize` more wait, first come first served. What
 * comes on top is refused at once, before its body is read, so that memory cannot grow.
 */
export class Admission {
  readonly #concurrency: number;
  readonly #queueSize: number;
  readonly #now: () => number;
  #active = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(concurrency: number, queueSize: number, now: () => number) {
    this.#concurrency = concurrency;
    this.#queueSize = queueSize;
    this.#now = now;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when the request may go on; call `release` once it is done. Throws ProtocolError 429 when
   * the queue is full, 504 when its deadline passes in the queue.
   */
  async enter(caller: Caller): Promise<void> {
    if (this.#active < this.#concurrency) {
      this.#active++;
      return;
    }
    if (this.#waiting.size >= this.#queueSize) {
      throw new ProtocolError(
        'TooManyRequests',
        `${String(this.#active)} requests are at work and ${String(this.#waiting.size)} wait; try again later`,
        { headers: { 'retry-after': '1' } },
      );
    }
    await this.#wait(caller);
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#active--;
    else next.admit();
  }

  #wait(caller: Caller): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        stopListening();
        this.#waiting.delete(waiting);
      };
      const fail = (error: Error) => {
        leave();
        reject(error);
      };
      const onGone = () => {
        fail(new ProtocolError('RequestTimeout', 'the client went away while it waited'));
      };
      const timer = setTimeout(() => {
        fail(new ProtocolError('DeadlineExceeded', 'the time allowed passed while it waited'));
      }, caller.deadline - this.#now());
      const waiting: Waiting = {
        admit: () => {
          leave();
          resolve();
        },
      };
      const stopListening = caller.onGone(onGone);
      this.#waiting.add(waiting);
    });
  }
}
