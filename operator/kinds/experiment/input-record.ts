import { INPUT_TAG } from './artifact-record.ts';

/** What a run read, as JSON texts: put together from the pieces in its tags. */
export const recordedInputs = (tags: Readonly<Record<string, string>>): readonly string[] => {
  const pieces = new Map<string, string>();
  const keys = Object.keys(tags).filter((key) => key.startsWith(INPUT_TAG));
  for (const key of keys.toSorted()) {
    const of = key.slice(INPUT_TAG.length, key.lastIndexOf('.'));
    pieces.set(of, (pieces.get(of) ?? '') + (tags[key] ?? ''));
  }
  return [...pieces.values()];
};
