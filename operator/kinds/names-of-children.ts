import { createHash } from 'node:crypto';

const LABEL_MAX = 63;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/**
 * The value a label carries for an object's name: the name itself, or, where that is longer than
 * the 63 characters a label value may have, its beginning and a hash of the whole.
 */
export const labelValue = (name: string): string =>
  name.length <= LABEL_MAX
    ? name
    : `${name.slice(0, LABEL_MAX - 9).replace(/[^a-zA-Z0-9]+$/, '')}-${hash(name)}`;

/** A name for a child that fits a DNS label: `<owner>-<suffix>`, shortened with a hash if it must. */
export const childName = (owner: string, suffix: string): string => {
  const plain = `${owner}-${suffix}`;
  if (plain.length <= LABEL_MAX && !owner.includes('.')) return plain;
  const room = LABEL_MAX - suffix.length - 10;
  const start = owner.replaceAll('.', '-').slice(0, room).replace(/-+$/, '');
  return `${start}-${hash(owner)}-${suffix}`;
};

/** A short fingerprint that tells texts apart, safe in names and labels. */
export const shortHash = hash;
