import type { Cluster, WriteOptions } from './cluster.ts';

/** A write was asked for by a replica that does not lead. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  readonly code = 'NotLeader';
}

/**
 * The same cluster, but a write is refused while there is no time for it, and given up, here and at
 * the server, when that time is over: a stale leader changes nothing.
 *
 * @param timeMs how long a write that begins now may take; 0 or less: it must not begin
 */
export const fenced = (cluster: Cluster, timeMs: () => number): Cluster => {
  const limited = <T extends Pick<WriteOptions, 'withinMs'>>(options: T): T => {
    const leftMs = timeMs();
    if (leftMs <= 0)
      throw new NotLeaderError('This replica is not the leader (any more); nothing was written.');
    if (leftMs === Number.POSITIVE_INFINITY) return options;
    return { ...options, withinMs: Math.min(leftMs, options.withinMs ?? leftMs) };
  };
  return {
    get: (type, key) => cluster.get(type, key),
    list: (type, options) => cluster.list(type, options),
    watch: (type, options) => cluster.watch(type, options),
    async apply(type, object, options) {
      return cluster.apply(type, object, limited(options));
    },
    async create(type, object, options) {
      return cluster.create(type, object, limited(options));
    },
    async patch(type, key, operations, options) {
      return cluster.patch(type, key, operations, limited(options));
    },
    async delete(type, key, options = {}) {
      return cluster.delete(type, key, limited(options));
    },
  };
};
