/**
 * A number from 0 (inclusive) to 1 (exclusive) that depends on the text alone: FNV-1a over its UTF-16
 * units, then the finalizer of MurmurHash3, without which texts that differ in their last character
 * would get neighbouring numbers. Sources: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv,
 * https://github.com/aappleby/smhasher (fmix32).
 */
export function hashShare(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(hash) / 4_294_967_296;
}

/** fmix32 of MurmurHash3; an unsigned 32-bit integer. */
export function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Whether the request of this id belongs to the sample: the same answer in every pod and at every time. */
export function isSampled(id: string, rate: number): boolean {
  return rate >= 1 || (rate > 0 && hashShare(id) < rate);
}
