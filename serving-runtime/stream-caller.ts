import type { Writable } from 'node:stream';
import type { Caller } from './admission.ts';
import type { RequestTrace } from './telemetry/request-trace.ts';

/** Whoever waits at the other end of a response or a stream. */
export class StreamCaller implements Caller {
  readonly deadline: number;
  readonly isGone: () => boolean;
  readonly trace: RequestTrace | undefined;
  readonly #stream: Writable;

  constructor(stream: Writable, waits: Pick<Caller, 'deadline' | 'isGone' | 'trace'>) {
    this.#stream = stream;
    this.deadline = waits.deadline;
    this.isGone = waits.isGone;
    this.trace = waits.trace;
  }

  readonly onGone = (listener: () => void): (() => void) => {
    this.#stream.once('close', listener);
    return () => this.#stream.off('close', listener);
  };
}
