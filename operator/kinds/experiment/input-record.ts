import { INPUT_TAG } from './artifact-record.ts';

/** A tag's value holds 8000 characters; escapes make some of them longer. */
export const INPUT_PIECE = 7_900;

/**
 * What a run read, as JSON texts: put together from the pieces in its tags. A piece that is not full is
 * the last one: what follows is left of a longer record that this one took the place of.
 */
export const recordedInputs = (tags: Readonly<Record<string, string>>): readonly string[] => {
  const texts = new Map<string, { readonly text: string; readonly whole: boolean }>();
  const keys = Object.keys(tags).filter((key) => key.startsWith(INPUT_TAG));
  for (const key of keys.toSorted()) {
    const of = key.slice(INPUT_TAG.length, key.lastIndexOf('.'));
    const piece = tags[key] ?? '';
    const before = texts.get(of) ?? { text: '', whole: false };
    if (!before.whole)
      texts.set(of, { text: before.text + piece, whole: piece.length < INPUT_PIECE });
  }
  return [...texts.values()].map(({ text }) => text);
};
