import { keyOf, keyString, type KubernetesObject, type ObjectKey } from './resource-type.ts';

export type Change<T extends KubernetesObject = KubernetesObject> =
  | { readonly type: 'ADDED'; readonly object: T }
  | { readonly type: 'MODIFIED'; readonly object: T; readonly before: T }
  | { readonly type: 'DELETED'; readonly object: T };

/**
 * Whether `left` was written after `right`. Resource versions are compared as integers, as
 * Kubernetes itself does since KEP-5504; anything else counts as newer.
 */
export const isNewer = (left: string | undefined, right: string | undefined): boolean => {
  if (left === undefined || right === undefined) return true;
  if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return left !== right;
  return left.length === right.length ? left > right : left.length > right.length;
};

/** Whether `left` is known to have been written before `right`. */
export const isOlder = (left: string | undefined, right: string | undefined): boolean =>
  left !== undefined && right !== undefined && left !== right && !isNewer(left, right);

/**
 * The latest known state of one resource's objects. Older states never replace newer ones, whatever
 * order they arrive in, so the answer to a write may be put in ahead of its watch event.
 */
export class ObjectCache<T extends KubernetesObject = KubernetesObject> {
  readonly #objects = new Map<string, T>();
  readonly #byNamespace = new Map<string, Set<string>>();

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyString(key));
  }

  /** All objects, or those of a namespace. */
  list(namespace?: string): readonly T[] {
    if (namespace === undefined) return [...this.#objects.values()];
    const keys = this.#byNamespace.get(namespace) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** @returns what changed, or undefined when nothing did or `object` is older than what is known */
  put(object: T): Change<T> | undefined {
    const key = keyString(keyOf(object));
    const before = this.#objects.get(key);
    if (before !== undefined && before.metadata.uid === object.metadata.uid) {
      if (!isNewer(object.metadata.resourceVersion, before.metadata.resourceVersion))
        return undefined;
      this.#objects.set(key, object);
      return { type: 'MODIFIED', object, before };
    }
    // Another uid under the same name: whichever came later into the world is the one that exists.
    if (
      before !== undefined &&
      !isNewer(object.metadata.resourceVersion, before.metadata.resourceVersion)
    )
      return undefined;
    this.#objects.set(key, object);
    this.#index(object, key);
    return { type: 'ADDED', object };
  }

  /** @returns undefined when it was not there, or a newer object has taken its name */
  remove(object: KubernetesObject): Change<T> | undefined {
    const key = keyString(keyOf(object));
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    const replaced =
      object.metadata.uid !== undefined && before.metadata.uid !== object.metadata.uid;
    if (replaced) return undefined;
    this.#objects.delete(key);
    const { namespace } = keyOf(object);
    this.#byNamespace.get(namespace)?.delete(key);
    if (this.#byNamespace.get(namespace)?.size === 0) this.#byNamespace.delete(namespace);
    // Its last state, where that is told, rather than the one known before.
    const newer = isNewer(object.metadata.resourceVersion, before.metadata.resourceVersion);
    return { type: 'DELETED', object: newer ? (object as T) : before };
  }

  #index(object: T, key: string): void {
    const { namespace } = keyOf(object);
    const keys = this.#byNamespace.get(namespace) ?? new Set();
    keys.add(key);
    this.#byNamespace.set(namespace, keys);
  }
}
