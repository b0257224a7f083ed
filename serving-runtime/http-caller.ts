import type { ServerResponse } from 'node:http';
import type { Caller } from './admission.ts';

/** Whoever waits for an HTTP response. */
export class HttpCaller implements Caller {
  readonly deadline: number;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, deadline: number) {
    this.#response = response;
    this.deadline = deadline;
  }

  readonly isGone = (): boolean => this.#response.destroyed && !this.#response.writableFinished;

  readonly onGone = (listener: () => void): (() => void) => {
    this.#response.once('close', listener);
    return () => this.#response.off('close', listener);
  };
}
