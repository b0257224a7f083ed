import type { ResourceType, ObjectKey } from '../../../operator/runtime/resource-type.ts';
import { keyOf, keyString, parseKey } from '../../../operator/runtime/resource-type.ts';
import { isConflict, isNotFound } from '../../../operator/runtime/cluster.ts';
import { idOf, type SimulatedApiServer, type StoredChange } from '../api-server.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { SimulationClock } from '../simulation-clock.ts';
import type { Trace } from '../trace.ts';

export type ActorWorld = {
  readonly clock: SimulationClock;
  readonly server: SimulatedApiServer;
  readonly random: SeededRandom;
  readonly trace: Trace;
  /** Something in the simulated cluster itself went wrong: a fault of the simulation. */
  readonly failed: (error: unknown) => void;
};

export type ActorOptions = {
  readonly name: string;
  readonly slowestMs: number;
  /** Which object to look at when this one has changed. */
  readonly wakes: (change: StoredChange) => ObjectKey | undefined;
  /** @returns look again after so many ms */
  readonly sync: (key: ObjectKey) => Promise<number | undefined>;
};

/** A controller of Kubernetes' own: looks at an object some time after it has changed, never at two states at once. */
export const startActor = (world: ActorWorld, options: ActorOptions): void => {
  const due = new Set<string>();
  const look = (key: string, delayMs: number): void => {
    if (due.has(key)) return;
    due.add(key);
    world.clock.setTimeout(() => {
      due.delete(key);
      options
        .sync(parseKey(key))
        .then((again) => {
          if (again !== undefined) look(key, again);
        })
        .catch((error: unknown) => {
          if (isConflict(error) || isNotFound(error)) look(key, 1_000);
          else world.failed(error);
        });
    }, delayMs);
  };
  world.server.onChange((change) => {
    const key = options.wakes(change);
    if (key !== undefined) look(keyString(key), world.random.int(1, options.slowestMs));
  });
};

/** The key of the changed object, where it is of this type. */
export const itself =
  (type: ResourceType) =>
  (change: StoredChange): ObjectKey | undefined =>
    idOf(change.type) === idOf(type) ? keyOf(change.object) : undefined;

/** The key of the changed object's controller, where both are of these types. */
export const controllerOfIts =
  (child: ResourceType, owner: ResourceType) =>
  ({ type, object }: StoredChange): ObjectKey | undefined => {
    if (idOf(type) !== idOf(child)) return undefined;
    const reference = object.metadata.ownerReferences?.find(
      ({ kind, apiVersion }) =>
        kind === owner.kind && apiVersion.startsWith(owner.group === '' ? 'v1' : owner.group),
    );
    return reference && { ...keyOf(object), name: reference.name };
  };
