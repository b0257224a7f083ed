import { ApiError, isConflict } from './cluster.ts';

/** The object under reconciliation itself, among what a pass writes. */
export const ITSELF = 'itself';

/**
 * What a pass wrote without learning whether it was stored (the connection broke, the server failed,
 * time ran out), or could not write because it had changed behind the cache's back. Until the same
 * has been written again or read live, no cache may be trusted to show it: the news of a write that
 * was stored after all come when nobody compares any more.
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

  /** It has been read live. */
  settle(id: string): void {
    this.#writes.delete(id);
  }

  get none(): boolean {
    return this.#writes.size === 0;
  }
}

/** The server has answered that it stored nothing, and not because something else was stored. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && error.code < 500 && !isConflict(error);
