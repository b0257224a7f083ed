import type { Cluster, WriteOptions } from './cluster.ts';

/** A write was asked for by a replica that does not lead. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  readonly code = 'NotLeader';
}

/** How long a write that begins now may take; 0 or less: it must not begin. */
export type WriteTime = () => number;

/**
 * The same cluster, but a write is refused while there is no time for it, and given up, here and at
 * the server, when that time is over: a stale leader changes nothing.
 */
export class Fence {
  readonly cluster: Cluster;
  readonly #time: WriteTime;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(cluster: Cluster, time: WriteTime) {
    this.#time = time;
    this.cluster = {
      get: (type, key) => cluster.get(type, key),
      list: (type, options) => cluster.list(type, options),
      watch: (type, options) => cluster.watch(type, options),
      apply: (type, object, options) =>
        this.#write(() => cluster.apply(type, object, this.#limited(options))),
      create: (type, object, options) =>
        this.#write(() => cluster.create(type, object, this.#limited(options))),
      patch: (type, key, operations, options) =>
        this.#write(() => cluster.patch(type, key, operations, this.#limited(options))),
      delete: (type, key, options) =>
        this.#write(() => cluster.delete(type, key, this.#limited(options ?? {}))),
    };
  }

  /** Resolves when no write is under way, also none that nobody waits for, such as an Event's. */
  async drained(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #write<T>(write: () => Promise<T>): Promise<T> {
    const answer = write();
    this.#underWay.add(answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  #limited<T extends Pick<WriteOptions, 'withinMs'>>(options: T): T {
    const leftMs = this.#time();
    if (leftMs <= 0)
      throw new NotLeaderError('This replica is not the leader (any more); nothing was written.');
    if (leftMs === Number.POSITIVE_INFINITY) return options;
    return { ...options, withinMs: Math.min(leftMs, options.withinMs ?? leftMs) };
  }
}
