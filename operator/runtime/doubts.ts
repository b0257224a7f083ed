import { ApiError } from './cluster.ts';

/**
 * What a pass wrote without learning whether it was stored: the connection broke, the server failed
 * or time ran out. Until the same has been written again, no cache may be trusted to show it: the
 * news of a write that was stored after all come when nobody compares any more.
 */
export class Doubts {
  readonly #writes = new Set<string>();

  /** Whether an earlier write of this may have been stored behind the cache's back. */
  about(id: string): boolean {
    return this.#writes.has(id);
  }

  /** Makes a write and notes whether its outcome is known. */
  async writing<T>(id: string, write: () => Promise<T>): Promise<T> {
    try {
      const answer = await write();
      this.#writes.delete(id);
      return answer;
    } catch (error) {
      if (!isRefusal(error)) this.#writes.add(id);
      throw error;
    }
  }

  get none(): boolean {
    return this.#writes.size === 0;
  }
}

/** The server has answered, and said that it stored nothing. */
const isRefusal = (error: unknown): boolean => error instanceof ApiError && error.code < 500;
