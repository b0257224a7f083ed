/** A bug as somebody might make it: an exact replacement of text in one file. */
export type Bug = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

const RUNTIME = 'operator/runtime';

export const BUGS: readonly Bug[] = [
  {
    name: 'lost event: news during a pass',
    file: `${RUNTIME}/work-queue.ts`,
    from: "if (this.#again.get(key) !== 'change') this.#again.set(key, lane);",
    to: '',
  },
  {
    name: 'double create: a run that has a version gets another',
    file: 'operator/kinds/experiment/registration.ts',
    from: 'return live.items[0];',
    to: 'return undefined;',
  },
  {
    name: 'stale read: the cache goes back',
    file: `${RUNTIME}/object-cache.ts`,
    from: `      if (!isNewer(object.metadata.resourceVersion, before.metadata.resourceVersion))
        return undefined;`,
    to: '',
  },
  {
    name: 'finalizer dropped before the clean-up is done',
    file: `${RUNTIME}/reconciliation.ts`,
    from: 'if (!finalized.done && !overdue) {',
    to: 'if (!finalized.done && waitedMs < 0) {',
  },
  {
    name: 'status written with the wrong generation',
    file: `${RUNTIME}/status.ts`,
    from: 'const generation = object.metadata.generation ?? 0;',
    to: 'const generation = 1;',
  },
  {
    name: 'fencing off',
    file: `${RUNTIME}/fenced-cluster.ts`,
    from: 'const leftMs = timeMs();',
    to: 'const leftMs = Math.max(timeMs(), Number.POSITIVE_INFINITY);',
  },
  {
    name: 'lease taken while another holds it',
    file: `${RUNTIME}/lease-record.ts`,
    from: 'return this.#clock.monotonic() >= this.#freeAt;',
    to: 'return this.#clock.monotonic() >= this.#freeAt - 12_000;',
  },
  {
    name: 'requeue lost',
    file: `${RUNTIME}/work-queue.ts`,
    from: 'else if (delayMs === undefined) return;',
    to: 'else if (retryInMs === undefined || delayMs === undefined) return;',
  },
  {
    name: 'retry lost',
    file: `${RUNTIME}/controller.ts`,
    from: 'return { error, ...progress };',
    to: 'return progress;',
  },
  {
    name: 'deletion missed on relist',
    file: `${RUNTIME}/informer.ts`,
    from: 'if (isNewer(version, known.metadata.resourceVersion)) this.#vanish(known, version);',
    to: '',
  },
  {
    name: 'relist missed after 410',
    file: `${RUNTIME}/reflector.ts`,
    from: 'if (isExpired(error) || isNotFound(error)) this.#version = undefined;',
    to: 'if (isNotFound(error)) this.#version = undefined;',
  },
  {
    name: 'answers to writes not learned',
    file: `${RUNTIME}/informer.ts`,
    from: "if (this.#selects(object)) this.#put(object, 'write');",
    to: '',
  },
];
