import type { Condition } from '../../crds/schema/conditions.ts';
import type { ArtifactStore } from '../../operator/artifacts/artifact-store.ts';
import { isConflict, isNotFound, type JsonPatchOperation } from '../../operator/runtime/cluster.ts';
import {
  apiVersionOf,
  type KubernetesObject,
  type ResourceType,
} from '../../operator/runtime/resource-type.ts';
import type { SimulatedApiServer } from './api-server.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulationClock } from './simulation-clock.ts';
import type { Trace } from './trace.ts';
import { NAMESPACE_NAME } from './types.ts';

type Served = KubernetesObject & {
  readonly spec?: unknown;
  readonly status?: Readonly<Record<string, unknown>> & {
    readonly conditions?: readonly Condition[];
  };
};

export type UserOptions = {
  readonly clock: SimulationClock;
  readonly server: SimulatedApiServer;
  readonly artifacts: ArtifactStore;
  readonly random: SeededRandom;
  readonly trace: Trace;
};

const BY = { fieldManager: 'kubectl' };
const LOOKS_EVERY_MS = 700;

/** Somebody with kubectl, who waits, creates, changes and deletes, and reads what the status says. */
export class User {
  readonly #options: UserOptions;
  readonly random: SeededRandom;
  /** What the user waits to see, for a run that does not end. */
  waitsFor: string | undefined;

  constructor(options: UserOptions) {
    this.#options = options;
    this.random = options.random;
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, ms));
  }

  /** Some time, up to so much. */
  dawdle(mostMs: number): Promise<void> {
    return this.wait(this.random.int(0, mostMs));
  }

  async until(words: string, holds: () => boolean): Promise<void> {
    this.waitsFor = words;
    while (!holds()) await this.wait(LOOKS_EVERY_MS);
    this.waitsFor = undefined;
  }

  async create(
    type: ResourceType,
    name: string,
    object: { readonly metadata?: object; readonly spec: object },
  ): Promise<void> {
    this.#options.trace.add('user', `creates ${type.kind} ${name}`);
    await this.#options.server.cluster.create(
      type,
      {
        apiVersion: apiVersionOf(type),
        kind: type.kind,
        ...object,
        metadata: { ...object.metadata, namespace: NAMESPACE_NAME, name },
      },
      BY,
    );
  }

  /** Sets one field; again where somebody else was quicker. */
  async set(type: ResourceType, name: string, path: string, value: unknown): Promise<void> {
    await this.patch(type, name, [{ op: 'add', path, value }]);
  }

  async patch(
    type: ResourceType,
    name: string,
    operations: readonly JsonPatchOperation[],
  ): Promise<void> {
    this.#options.trace.add('user', `changes ${type.kind} ${name}: ${JSON.stringify(operations)}`);
    const key = { namespace: NAMESPACE_NAME, name };
    for (;;) {
      try {
        await this.#options.server.cluster.patch(type, key, operations, BY);
        return;
      } catch (error) {
        if (!isConflict(error) || isNotFound(error)) throw error;
        await this.wait(100);
      }
    }
  }

  async annotate(type: ResourceType, name: string, annotation: string, value: string) {
    const annotations = this.get(type, name)?.metadata.annotations ?? {};
    await this.set(type, name, '/metadata/annotations', { ...annotations, [annotation]: value });
  }

  async delete(type: ResourceType, name: string): Promise<void> {
    this.#options.trace.add('user', `deletes ${type.kind} ${name}`);
    await this.#options.server.cluster.delete(type, { namespace: NAMESPACE_NAME, name });
  }

  /** Deletes and waits for the end, as kubectl does. */
  async remove(type: ResourceType, name: string): Promise<void> {
    await this.delete(type, name);
    await this.until(`${type.kind} ${name} gone`, () => this.get(type, name) === undefined);
  }

  async upload(key: string, bytes: Buffer): Promise<void> {
    await this.#options.artifacts.put(key, once(bytes), { maxBytes: 1e6 });
  }

  get(type: ResourceType, name: string): Served | undefined {
    return this.#options.server.one<Served>(type, NAMESPACE_NAME, name);
  }

  /** `True Ready`: status and reason of Ready, once they are about the spec as it is. */
  ready(type: ResourceType, name: string): string {
    const object = this.get(type, name);
    const condition = object?.status?.conditions?.find((each) => each.type === 'Ready');
    if (condition?.observedGeneration !== object?.metadata.generation) return 'not told yet';
    return `${condition?.status ?? ''} ${condition?.reason ?? ''}`;
  }

  untilReady(type: ResourceType, name: string, ...wanted: readonly string[]): Promise<void> {
    return this.until(`${type.kind} ${name} to say ${wanted.join(' or ')}`, () =>
      wanted.includes(this.ready(type, name)),
    );
  }
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}
