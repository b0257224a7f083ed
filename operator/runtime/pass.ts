import type { Reason } from '../../crds/schema/conditions.ts';
import type { BackgroundWork } from './background.ts';
import { childOf, controllerOf, isOwnedBy } from './children.ts';
import { isAlreadyExists, type Cluster } from './cluster.ts';
import type { Doubts } from './doubts.ts';
import { needsWrite, type MetadataDrift } from './drift.ts';
import type { EventType } from './event-recorder.ts';
import type { Informer } from './informer.ts';
import {
  TerminalError,
  type ChildOptions,
  type OwnObject,
  type Pass,
  type PassLogger,
  type Reconciler,
} from './reconciler.ts';
import {
  isSameType,
  keyOf,
  keyString,
  type KubernetesObject,
  type ResourceType,
} from './resource-type.ts';

export type PassPorts = {
  readonly cluster: Cluster;
  readonly reconciler: Reconciler;
  readonly log: PassLogger;
  readonly drift: MetadataDrift;
  readonly doubts: Doubts;
  readonly background: BackgroundWork;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** The informer of a type the reconciler declared. */
  readonly informer: (type: ResourceType) => Informer;
  /** What of an owned type is not ours, by name. */
  readonly foreign: (type: ResourceType) => Informer;
  /** Counts a write and puts its answer into the caches. */
  readonly wrote: (type: ResourceType, answer: KubernetesObject) => void;
  readonly deleted: (
    type: ResourceType,
    object: KubernetesObject,
    answer: KubernetesObject | undefined,
  ) => void;
  readonly record: (type: EventType, reason: Reason, message: string) => void;
};

const FOREIGN_RECHECK_MS = 30_000;

/** What one pass over `object` may use. */
export const passOver = (object: OwnObject, ports: PassPorts): Pass => {
  const { cluster, reconciler, background, informer, foreign, doubts, wrote } = ports;
  const namespace = object.metadata.namespace ?? '';
  const { fieldManager } = reconciler;

  const list = <T extends KubernetesObject>(type: ResourceType): readonly T[] =>
    informer(type).cache.list(namespace) as readonly T[];

  /** What stands under the child's name: one of ours, or whoever has taken it. */
  const present = (
    type: ResourceType,
    child: KubernetesObject,
    owned: boolean,
  ): KubernetesObject | undefined =>
    informer(type).cache.get(keyOf(child)) ??
    (owned ? foreign(type).cache.get(keyOf(child)) : undefined);

  const isAsWanted = (
    type: ResourceType,
    live: KubernetesObject,
    wanted: KubernetesObject,
  ): boolean =>
    reconciler.metadataOnly?.some((each) => isSameType(each, type)) === true
      ? !ports.drift.mayNeedWrite(live, wanted)
      : !needsWrite(live, wanted);

  const refuseForeign = (type: ResourceType, live: KubernetesObject | undefined): void => {
    if (live === undefined || isOwnedBy(live, object)) return;
    const owner = controllerOf(live);
    if (owner?.kind === object.kind && owner.name === object.metadata.name) {
      throw new Error(
        `${type.kind} "${live.metadata.name}" is left over from an earlier ${object.kind} of this name ` +
          'and has not been collected yet.',
      );
    }
    throw new TerminalError(
      'NameTaken',
      `${type.kind} "${live.metadata.name}" in namespace "${namespace}" already exists and belongs to ` +
        `${owner === undefined ? 'no controller' : `${owner.kind} "${owner.name}"`}. ` +
        `Delete or rename it, or rename this ${object.kind}; it is never taken over.`,
      // Nothing tells when the other object goes: informers see only what is ours.
      { recheckAfterMs: FOREIGN_RECHECK_MS },
    );
  };

  return {
    now: ports.now,
    signal: ports.signal,
    log: ports.log,
    live: cluster,
    cached: <T extends KubernetesObject>(type: ResourceType, key: Parameters<Pass['cached']>[1]) =>
      informer(type).cache.get(key) as T | undefined,
    cachedList: list,
    cachedEverywhere: <T extends KubernetesObject>(type: ResourceType) =>
      informer(type).cache.list() as readonly T[],
    serves: (type) => informer(type).isServed,
    owned: <T extends KubernetesObject>(type: ResourceType) =>
      list<T>(type).filter((each) => isOwnedBy(each, object)),
    event: ports.record,

    async apply<T extends KubernetesObject>(
      type: ResourceType,
      child: KubernetesObject,
      options: ChildOptions = {},
    ) {
      const { owned = true } = options;
      const wanted = childOf(object, type, child, options);
      const live = present(type, wanted, owned);
      if (owned) refuseForeign(type, live);
      const id = `${type.group}/${type.plural}/${wanted.metadata.name}`;
      const trusted = live !== undefined && !doubts.about(id);
      if (trusted && isAsWanted(type, live, wanted)) return live as T;
      // Where the caches know of nothing, nothing is overwritten either: whoever took the name at
      // this very moment makes the call fail with a conflict, and the next pass knows of it.
      const force = live !== undefined || !owned;
      const written = await doubts.writing(id, () =>
        cluster.apply<T>(type, wanted, { fieldManager, force }),
      );
      if (live !== undefined) ports.drift.learn(live, written);
      wrote(type, written);
      return written;
    },

    async ensure<T extends KubernetesObject>(
      type: ResourceType,
      child: KubernetesObject,
      options: ChildOptions = {},
    ) {
      const { owned = true } = options;
      const wanted = childOf(object, type, child, options);
      const existing = informer(type).cache.get(keyOf(wanted)) as T | undefined;
      if (owned) refuseForeign(type, existing);
      if (existing !== undefined) return existing;
      try {
        const written = await cluster.create<T>(type, wanted, { fieldManager });
        wrote(type, written);
        return written;
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        const live = await cluster.get<T>(type, keyOf(wanted));
        if (live === undefined) throw error;
        if (owned) refuseForeign(type, live);
        return live;
      }
    },

    async delete(type: ResourceType, child: KubernetesObject) {
      const { uid } = child.metadata;
      const left = await cluster.delete(type, keyOf(child), {
        propagation: 'Background',
        ...(uid !== undefined && { uid }),
      });
      ports.deleted(type, child, left);
    },

    // Another object that takes the name gets no results of this one.
    background: (id, work) =>
      background.observe(keyString(keyOf(object)), `${object.metadata.uid ?? ''}/${id}`, work),
  };
};
