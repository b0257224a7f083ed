import { ApiError, type ApplyOptions } from './cluster.ts';
import { same } from './coverage.ts';
import { mergeApplied } from './memory-apply.ts';
import type { KubernetesObject } from './resource-type.ts';

type Plain = Readonly<Record<string, unknown>>;
type Manager = Pick<ApplyOptions, 'fieldManager' | 'subresource'>;

/** Which manager set which fields of which object, by server-side apply or otherwise. */
export class FieldOwners {
  readonly #applied = new Map<string, KubernetesObject>();
  readonly #updated = new Map<string, KubernetesObject>();

  /** What this manager applied last. */
  appliedBy(id: string, manager: Manager): KubernetesObject | undefined {
    return this.#applied.get(ownerId(id, manager));
  }

  apply(id: string, manager: Manager, object: KubernetesObject): void {
    this.#applied.set(ownerId(id, manager), object);
  }

  update(id: string, manager: Manager, before: unknown, after: KubernetesObject): void {
    const owner = ownerId(id, manager);
    const changed = changedFields(before, after);
    if (changed === undefined) return;
    const known = this.#updated.get(owner);
    this.#updated.set(owner, mergeApplied(known, undefined, changed as KubernetesObject));
  }

  /** Throws the 409 that an apply without force gets when it would change what others own. */
  refuseContested(
    id: string,
    manager: Manager,
    live: KubernetesObject,
    wanted: KubernetesObject,
  ): void {
    const own = ownerId(id, manager);
    const others = [...this.#applied, ...this.#updated].flatMap(([owner, fields]) =>
      owner !== own && owner.startsWith(`${id}|`) ? [fields] : [],
    );
    const part = manager.subresource === 'status' ? statusOf : withoutStatus;
    const contested = contestedFields(part(live), others.map(part), part(wanted));
    if (contested.length > 0)
      throw new ApiError(409, 'Conflict', `Apply failed with conflicts: .${contested.join(', .')}`);
  }

  forget(id: string): void {
    for (const owners of [this.#applied, this.#updated])
      for (const owner of owners.keys()) if (owner.startsWith(`${id}|`)) owners.delete(owner);
  }
}

const ownerId = (id: string, { fieldManager, subresource }: Manager): string =>
  [id, fieldManager, subresource ?? ''].join('|');

const statusOf = (object: object): unknown => ({ status: 'status' in object && object.status });

const withoutStatus = (object: object): unknown => ({ ...object, status: undefined });

/** The fields, such as `data.x`, of `wanted` that stand in `live` with another value as an owner set them. */
const contestedFields = (
  live: unknown,
  owners: readonly unknown[],
  wanted: unknown,
  path = '',
): readonly string[] => {
  if (wanted === undefined || same(live, wanted)) return [];
  const owning = owners.filter((each) => each !== undefined);
  if (isPlain(wanted) && isPlain(live))
    return Object.entries(wanted).flatMap(([name, value]) =>
      contestedFields(
        live[name],
        owning.map((each) => (isPlain(each) ? each[name] : undefined)),
        value,
        path === '' ? name : `${path}.${name}`,
      ),
    );
  // What somebody else has changed since is no longer its own.
  return owning.some((each) => same(each, live)) ? [path] : [];
};

/** The fields whose values are new; undefined when there are none. */
const changedFields = (before: unknown, after: unknown): unknown => {
  if (same(before, after)) return undefined;
  if (!isPlain(before) || !isPlain(after)) return after;
  const entries = Object.entries(after).flatMap(([name, value]): [string, unknown][] => {
    const changed = changedFields(before[name], value);
    return changed === undefined ? [] : [[name, changed]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
