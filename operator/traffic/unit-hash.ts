/**
 * Which of 100 buckets a unit (say, a user) is in. A gateway computes the same in Lua
 * (operator/kinds/ab-test/assignment-lua.ts), so neither can change without the other: units would move.
 *
 * FNV-1a of salt, NUL and unit as UTF-8 (http://www.isthe.com/chongo/tech/comp/fnv/), then fmix32 of
 * MurmurHash3 (https://github.com/aappleby/smhasher), modulo 100. FNV alone would not do: the lowest
 * bit of two salts' hashes differs for all units or for none.
 */
export const BUCKETS = 100;

const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const utf8 = new TextEncoder();

/**
 * Bucket 0 … 99 of a unit. Buckets of the same unit under two salts are independent.
 * The share of a bucket is 1/100 to within 2^-25.
 */
export const bucketOf = (salt: string, unit: string): number =>
  (fmix32(fnv1a(seedOf(salt), unit)) >>> 0) % BUCKETS;

/** State of the hash, a signed 32-bit integer, before the first byte of the unit. */
export const seedOf = (salt: string): number => fnv1a(FNV_OFFSET_BASIS | 0, `${salt}\0`);

const fnv1a = (seed: number, text: string): number =>
  utf8.encode(text).reduce((hash, byte) => Math.imul(hash ^ byte, FNV_PRIME), seed);

const fmix32 = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
};
