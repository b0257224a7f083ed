import type { KubernetesObject } from '../runtime/resource-type.ts';

/** What an informer saw happen to one object. */
export type ObservedChange = {
  readonly kind: string;
  readonly type: 'upsert' | 'delete';
  readonly object: KubernetesObject;
};

/**
 * What informers tell. Neither call waits, and neither throws because of the database.
 *
 * Hand over every watch event with `observe`, and after every list (at the start and whenever a
 * watch was cut) all current objects of the kind with `snapshot` instead: what it shows to have
 * changed while nobody watched becomes one audit row an object, marked as a gap.
 */
export type ChangeObserver = {
  observe(change: ObservedChange): void;
  /** `namespace` when the list covered only that one; objects elsewhere are then left alone. */
  snapshot(kind: string, objects: readonly KubernetesObject[], namespace?: string): void;
};
