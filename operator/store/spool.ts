import type { KubernetesObject } from '../runtime/resource-type.ts';

export type SpooledChange = {
  readonly type: 'upsert' | 'delete';
  readonly object: KubernetesObject;
  readonly observedAt: string;
};

export type SpooledSnapshot = {
  readonly type: 'snapshot';
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly objects: readonly KubernetesObject[];
  readonly observedAt: string;
};

export type SpoolLimits = { readonly maxEntries: number; readonly maxBytes: number };

type Entry = { readonly item: SpooledChange | SpooledSnapshot; readonly bytes: number };

/**
 * What was seen and is not written yet, in order, within bounds.
 *
 * When it is full, what comes next is dropped and its kind marked as behind, until a snapshot of
 * the kind makes up for it (one gap an object). What was spooled before stays: the audit keeps
 * every change up to the moment the spool ran full.
 */
export class Spool {
  readonly #limits: SpoolLimits;
  readonly #entries: Entry[] = [];
  readonly #behind = new Set<string>();
  #bytes = 0;

  constructor(limits: SpoolLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Kinds of which changes were dropped since their last snapshot. */
  get behind(): readonly string[] {
    return [...this.#behind];
  }

  /** @returns false when it was dropped */
  addChange(kind: string, change: SpooledChange): boolean {
    if (!this.#behind.has(kind) && this.#add(change, sizeOf(change.object))) return true;
    this.#behind.add(kind);
    return false;
  }

  /** @returns false when it was dropped */
  addSnapshot(snapshot: SpooledSnapshot): boolean {
    // Its objects are the informer's own, so they cost a reference each.
    const added = this.#add(snapshot, 8 * snapshot.objects.length);
    if (!added) this.#behind.add(snapshot.kind);
    else if (snapshot.namespace === undefined) this.#behind.delete(snapshot.kind);
    return added;
  }

  #add(item: Entry['item'], bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#limits;
    const full = this.size >= maxEntries || this.#bytes + bytes > maxBytes;
    // One thing always fits, or something larger than the bounds could never pass.
    if (full && this.size > 0) return false;
    this.#entries.push({ item, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** The snapshot at the head, or the changes before the next snapshot, at most `count`. */
  peek(count: number): SpooledSnapshot | readonly SpooledChange[] {
    const head = this.#entries[0]?.item;
    if (head?.type === 'snapshot') return head;
    const changes: SpooledChange[] = [];
    for (const { item } of this.#entries.slice(0, count)) {
      if (item.type === 'snapshot') break;
      changes.push(item);
    }
    return changes;
  }

  /** Forgets the first `count` entries. */
  remove(count: number): void {
    for (const { bytes } of this.#entries.splice(0, count)) this.#bytes -= bytes;
  }
}

/** Two bytes a character, as V8 may hold it; exact enough for a bound. */
const sizeOf = (object: KubernetesObject): number => 2 * JSON.stringify(object).length;
