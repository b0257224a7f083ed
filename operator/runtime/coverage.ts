import { createHash } from 'node:crypto';

/**
 * Whether `live` already has every field of `wanted`, so that applying it would change nothing.
 * Fields that only `live` has (defaults, other managers' fields) do not count. Lists must have the
 * same length and order. What differs only in spelling (quantities) counts as a difference, which
 * costs one idle write at most.
 */
export const covers = (live: unknown, wanted: unknown): boolean => {
  if (wanted === undefined || Object.is(live, wanted)) return true;
  // The API server drops null where a field may not hold it.
  if (wanted === null) return live === undefined;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((item, index) => covers(live[index], item))
    );
  }
  if (!isRecord(wanted) || !isRecord(live)) return false;
  return Object.entries(wanted).every(([name, value]) => covers(live[name], value));
};

/** Whether two plain values are the same, whatever the order of their fields; undefined is absent. */
export const same = (left: unknown, right: unknown): boolean =>
  covers(left, right) && covers(right, left);

/** SHA-256 of a plain value, whatever the order of its fields, as 16 hex digits. */
export const fingerprint = (value: unknown): string =>
  createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) =>
    isRecord(each)
      ? Object.fromEntries(
          Object.entries(each).toSorted(([left], [right]) => (left < right ? -1 : 1)),
        )
      : each,
  );

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
