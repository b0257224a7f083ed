import type { Cluster } from './cluster.ts';

/** A write was asked for by a replica that does not lead. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  readonly code = 'NotLeader';
}

/** The same cluster, but writes are refused while `mayWrite` says no: a stale leader changes nothing. */
export const fenced = (cluster: Cluster, mayWrite: () => boolean): Cluster => {
  const check = (): void => {
    if (!mayWrite())
      throw new NotLeaderError('This replica is not the leader (any more); nothing was written.');
  };
  return {
    get: (type, key) => cluster.get(type, key),
    list: (type, options) => cluster.list(type, options),
    watch: (type, options) => cluster.watch(type, options),
    async apply(type, object, options) {
      check();
      return cluster.apply(type, object, options);
    },
    async create(type, object, options) {
      check();
      return cluster.create(type, object, options);
    },
    async patch(type, key, operations, options) {
      check();
      return cluster.patch(type, key, operations, options);
    },
    async delete(type, key, options) {
      check();
      return cluster.delete(type, key, options);
    },
  };
};
