import { keyOf } from '../../../operator/runtime/resource-type.ts';
import type { SimulatedApiServer } from '../api-server.ts';
import { SIMULATED_TYPES } from '../types.ts';
import type { ActorWorld } from './actor.ts';

/**
 * The memory cluster deletes what an object owned when the object goes. What comes into the world
 * after its owner has gone is collected here, a little later.
 */
export const startGarbageCollector = (world: ActorWorld): void => {
  world.server.onChange(({ type, what, object }) => {
    const owners = object.metadata.ownerReferences ?? [];
    if (what === 'DELETED' || owners.length === 0) return;
    world.clock.setTimeout(
      () => {
        const known = uidsOf(world.server);
        if (owners.some(({ uid }) => known.has(uid))) return;
        const { uid = '' } = object.metadata;
        world.server.cluster.delete(type, keyOf(object), { uid }).catch(() => {
          // Another object has the name by now; that one has owners of its own.
        });
      },
      world.random.int(500, 3_000),
    );
  });
};

const uidsOf = (server: SimulatedApiServer): ReadonlySet<string | undefined> =>
  new Set(SIMULATED_TYPES.flatMap((type) => server.live(type)).map(({ metadata }) => metadata.uid));
