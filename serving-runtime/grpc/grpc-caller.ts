import type { ServerHttp2Stream } from 'node:http2';
import type { Caller } from '../admission.ts';

/** Whoever waits at the other end of a stream. */
export class GrpcCaller implements Caller {
  readonly deadline: number;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, deadline: number) {
    this.#stream = stream;
    this.deadline = deadline;
  }

  readonly isGone = (): boolean => this.#stream.aborted || this.#stream.destroyed;

  readonly onGone = (listener: () => void): (() => void) => {
    this.#stream.once('close', listener);
    return () => this.#stream.off('close', listener);
  };
}
