import { createHash } from 'node:crypto';
import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';

/** What the names of a kind's objects are made of. */
export type NameRule = { readonly pattern: RegExp; readonly max: number };

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const EXPERIMENT_NAME: NameRule = { pattern: DNS_LABEL, max: 52 };
export const MODEL_NAME: NameRule = { pattern: DNS_SUBDOMAIN, max: 63 };
/** Words that read as a version are reserved, by MLflow and by ModelAlias. */
export const ALIAS_NAME: NameRule = {
  pattern: /^(?!v?[0-9]+$)(?!latest$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  max: 63,
};

const HASH_LENGTH = 10;

/**
 * The object's name for a name that a client chose: itself where it can be one, else as much of it
 * as fits and a hash, so that everybody who asks for the same name means the same object.
 */
export const objectNameFor = (name: string, rule: NameRule): string =>
  name.length <= rule.max && rule.pattern.test(name) ? name : hashedName(name, rule);

export const hashedName = (name: string, { max }: NameRule): string => {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, max - HASH_LENGTH - 1)
    .replaceAll(/^-|-$/g, '');
  return `${slug === '' ? 'x' : slug}-${hashOf(name).slice(0, HASH_LENGTH)}`;
};

/** By which name a client knows the object. */
export const clientNameOf = ({ metadata }: KubernetesObject): string =>
  metadata.annotations?.[ANNOTATIONS.mlflowName] ?? metadata.name;

/** Metadata that keeps a client's name; nothing where the object has that name itself. */
export const nameMarks = (
  name: string,
  objectName: string,
): Pick<KubernetesObject['metadata'], 'labels' | 'annotations'> =>
  name === objectName
    ? {}
    : {
        labels: { [LABELS.mlflowName]: nameLabel(name) },
        annotations: { [ANNOTATIONS.mlflowName]: name },
      };

export const nameLabel = (name: string): string => hashOf(name).slice(0, 32);

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');
