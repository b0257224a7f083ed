import {
  ApiError,
  type Cluster,
  type ListOptions,
  type ObjectList,
  type WatchEvent,
  type WatchOptions,
} from '../../operator/runtime/cluster.ts';
import { matchesFields } from '../../operator/runtime/field-selector.ts';
import { matchesLabels } from '../../operator/runtime/label-selector.ts';
import {
  keyOf,
  keyString,
  type KubernetesObject,
  type ObjectKey,
  type ResourceType,
} from '../../operator/runtime/resource-type.ts';
import type { SimulatedApiServer } from './api-server.ts';
import type { FaultPlan } from './fault-plan.ts';
import { EVENT } from '../../operator/runtime/kubernetes-types.ts';
import { brokenConnection, type Fate, type Link } from './link.ts';
import type { SeededRandom } from './seeded-random.ts';
import { metadataOf, WatchStream, type StreamOptions } from './watch-stream.ts';

export type ConnectionOptions = Omit<StreamOptions, 'type' | 'watch'> & {
  readonly server: SimulatedApiServer;
  readonly link: Link;
  readonly plan: FaultPlan;
  readonly random: SeededRandom;
  /** Called on the server's side when a write of this process is about to be stored. */
  readonly writes: (verb: string, type: ResourceType, key: ObjectKey) => void;
};

/** The API server as one process of the operator meets it. */
export class FaultyCluster implements Cluster {
  readonly #options: ConnectionOptions;
  /** Types whose informer has listed before. */
  readonly #listed = new Set<string>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get<T extends KubernetesObject>(type: ResourceType, key: ObjectKey): Promise<T | undefined> {
    const { server, link } = this.#options;
    return link.exchange(`get ${nameOf(type, key)}`, this.#fate(), () =>
      server.cluster.get<T>(type, key),
    );
  }

  list<T extends KubernetesObject>(
    type: ResourceType,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const { link, plan, server } = this.#options;
    const { signal: _signal, ...asked } = options;
    const what = `list ${type.plural}${options.continueToken === undefined ? '' : ', next page'}`;
    if (options.continueToken !== undefined && link.draws(plan.calls.expired))
      return link.exchange(what, { refusal: new ApiError(410, 'Expired', 'too old page') }, never);
    const stale =
      this.#mayLag(type, options) && link.draws(plan.calls.staleList)
        ? this.#stale<T>(type, asked)
        : undefined;
    if (stale !== undefined) return link.exchange(`${what}, stale`, {}, async () => stale);
    const limit =
      options.limit !== undefined && link.faulty ? Math.min(options.limit, 4) : undefined;
    return link.exchange(what, this.#fate(), () =>
      server.cluster.list<T>(type, { ...asked, ...(limit !== undefined && { limit }) }),
    );
  }

  apply: Cluster['apply'] = (type, object, options) =>
    this.#write(
      { verb: options.subresource === undefined ? 'apply' : 'apply status', ...options },
      type,
      keyOf(object),
      () => this.#options.server.cluster.apply(type, object, options),
    );

  create: Cluster['create'] = (type, object, options) =>
    this.#write({ verb: 'create', ...options }, type, keyOf(object), () =>
      this.#options.server.cluster.create(type, object, options),
    );

  patch: Cluster['patch'] = (type, key, operations, options) =>
    this.#write({ verb: 'patch', ...options }, type, key, () =>
      this.#options.server.cluster.patch(type, key, operations, options),
    );

  delete: Cluster['delete'] = (type, key, options) =>
    this.#write({ verb: 'delete', ...options }, type, key, () =>
      this.#options.server.cluster.delete(type, key, options),
    );

  async *watch(type: ResourceType, watch: WatchOptions): AsyncIterable<WatchEvent> {
    const { link, plan } = this.#options;
    const expired = watch.initialEvents !== true && link.draws(plan.calls.expired);
    const unknown = watch.initialEvents === true && !plan.offersWatchList;
    const refusal = unknown
      ? new ApiError(422, 'Invalid', 'sendInitialEvents is forbidden')
      : expired
        ? new ApiError(410, 'Expired', 'too old resource version')
        : undefined;
    const fate = refusal === undefined ? this.#fate() : { refusal };
    const what = `watch ${type.plural} from ${watch.resourceVersion || 'all'}`;
    const stream = await link.exchange(what, fate, async () =>
      WatchStream.open({ ...this.#options, type, watch }),
    );
    try {
      yield* stream.events();
    } finally {
      stream.close();
    }
  }

  /**
   * Whether a list may show an older state: one that asks for what the watch cache has may, and an
   * informer's when it lists again (a proxy's fault; it can tell). The first list of a process, and
   * what a pass reads live, is a consistent read.
   */
  #mayLag({ plural }: ResourceType, options: ListOptions): boolean {
    if (options.continueToken !== undefined) return false;
    if (options.resourceVersion === '0') return true;
    const again = this.#listed.has(plural);
    if (options.signal !== undefined) this.#listed.add(plural);
    return again && options.signal !== undefined;
  }

  #write<T>(
    write: { readonly verb: string; readonly withinMs?: number | undefined },
    type: ResourceType,
    key: ObjectKey,
    run: () => Promise<T>,
  ): Promise<T> {
    const { link, plan, writes, clock } = this.#options;
    const { verb, withinMs = Number.POSITIVE_INFINITY } = write;
    const deadline = clock.monotonic() + withinMs;
    const raced = verb !== 'create' && verb !== 'delete' && link.draws(plan.calls.conflict);
    const fate: Fate = raced
      ? { refusal: new ApiError(409, 'Conflict', 'the object has been modified') }
      : {
          ...this.#fate(),
          ...(link.draws(plan.calls.lostAnswer) && { lost: brokenConnection() }),
        };
    return link.exchange(`${verb} ${nameOf(type, key)}`, fate, async () => {
      if (clock.monotonic() > deadline)
        throw new ApiError(504, 'Timeout', 'the request came too late to be carried out');
      writes(verb, type, key);
      return run();
    });
  }

  #fate(): Fate {
    const { link, plan, random } = this.#options;
    if (link.draws(plan.calls.broken)) return { refusal: brokenConnection() };
    if (link.draws(plan.calls.failure)) {
      const code = random.pick([500, 503, 504]);
      return { refusal: new ApiError(code, 'InternalError', 'the server is unwell') };
    }
    if (!link.draws(plan.calls.tooMany)) return {};
    const retryAfterSeconds = random.int(1, 3);
    return { refusal: new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterSeconds }) };
  }

  #stale<T extends KubernetesObject>(
    type: ResourceType,
    { namespace, labelSelector, fieldSelector, metadataOnly }: ListOptions,
  ): ObjectList<T> | undefined {
    const { server, random } = this.#options;
    const state = server.stale(type, random.int(1, 6));
    if (state === undefined) return undefined;
    const items = state.items
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
      .filter(({ metadata }) => matchesLabels(labelSelector, metadata.labels))
      .filter((object) => matchesFields(fieldSelector, object))
      .map((object) => (metadataOnly === true ? metadataOf(object) : object));
    return { items: items as unknown as T[], resourceVersion: String(state.version) };
  }
}

const nameOf = (type: ResourceType, key: ObjectKey): string =>
  // Events are named by the wall clock of whoever records them.
  `${type.plural} ${type.plural === EVENT.plural ? '' : keyString(key)}`;

const never = async (): Promise<never> => {
  throw new Error('refused before');
};
