import { ANNOTATIONS } from '../../crds/schema/names.ts';
import { covers } from './coverage.ts';
import type { KubernetesObject } from './resource-type.ts';

/** Whether writing `wanted` over `live` would change something: here, or by dropping a field. */
export const needsWrite = (live: KubernetesObject, wanted: KubernetesObject): boolean =>
  appliedOf(live) !== appliedOf(wanted) || !covers(live, wanted);

/**
 * The same where only metadata are known. The fingerprint says what we wrote last; that nobody else
 * has written since is in managedFields, whose times are of seconds: whoever wrote in the same second
 * or later makes us look once, by an apply that changes nothing if nothing is amiss.
 */
export class MetadataDrift {
  readonly #fieldManager: string;
  /**
   * What an apply has found to be as wanted. A cached object is replaced by another when it changes,
   * so nothing here can be out of date.
   */
  readonly #found = new WeakSet<KubernetesObject>();

  constructor(fieldManager: string) {
    this.#fieldManager = fieldManager;
  }

  mayNeedWrite(live: KubernetesObject, wanted: KubernetesObject): boolean {
    if (appliedOf(live) !== appliedOf(wanted) || !covers(live.metadata, wanted.metadata))
      return true;
    return !this.#found.has(live) && !this.#wroteLast(live);
  }

  /** The answer to an apply over `live`. */
  learn(live: KubernetesObject, answer: KubernetesObject): void {
    if (live.metadata.resourceVersion === answer.metadata.resourceVersion) this.#found.add(live);
  }

  #wroteLast({ metadata }: KubernetesObject): boolean {
    const writers = (metadata.managedFields ?? []).filter(({ subresource = '' }) => !subresource);
    const own = writers.find(
      ({ manager, operation }) => manager === this.#fieldManager && operation === 'Apply',
    );
    const { time } = own ?? {};
    return (
      time !== undefined && writers.every((each) => each === own || (each.time ?? time) < time)
    );
  }
}

const appliedOf = ({ metadata }: KubernetesObject): string | undefined =>
  metadata.annotations?.[ANNOTATIONS.applied];
