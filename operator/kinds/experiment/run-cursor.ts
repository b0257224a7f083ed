import { InvalidRunInput } from './run-store.ts';

/** A place in a list, opaque to callers. */
export const encodeCursor = (place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/** Throws `InvalidRunInput` for anything `encodeCursor` did not make. */
export const decodeCursor = (cursor: string, length: number): readonly (string | number)[] => {
  const place = parse(cursor);
  const fits = Array.isArray(place) && place.length === length && place.every(isPart);
  if (!fits)
    throw new InvalidRunInput(
      'The page token is not one this server gave; start again without it.',
    );
  return place as (string | number)[];
};

const isPart = (part: unknown): boolean => typeof part === 'string' || Number.isFinite(part);

const parse = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
};
