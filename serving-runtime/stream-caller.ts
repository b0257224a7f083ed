import type { Writable } from 'node:stream';
import type { Caller } from './admission.ts';

/** Whoever waits at the other end of a response or a stream. */
export class StreamCaller implements Caller {
  readonly deadline: number;
  readonly isGone: () => boolean;
  readonly #stream: Writable;

  constructor(stream: Writable, deadline: number, isGone: () => boolean) {
    this.#stream = stream;
    this.deadline = deadline;
    this.isGone = isGone;
  }

  readonly onGone = (listener: () => void): (() => void) => {
    this.#stream.once('close', listener);
    return () => this.#stream.off('close', listener);
  };
}
