/** What `${candidate.service}` and the like stand for in queries, addresses and Jobs. Pure. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { CANDIDATE, nameOfVariant, STABLE } from '../names.ts';

export type Placeholders = Readonly<Record<string, string>>;

/** Thrown where a text cannot be filled in as it stands; says why. */
export class Unfillable extends Error {
  override readonly name = 'Unfillable';
}

export const placeholdersOf = (
  { metadata: { name, namespace } }: Deployment,
  candidate: ModelVersion,
  stable: ModelVersion | undefined,
): Placeholders => ({
  'deployment.name': name,
  'deployment.namespace': namespace,
  ...ofVariant('candidate', nameOfVariant(name, CANDIDATE), candidate, { name, namespace }),
  ...(stable === undefined
    ? {}
    : ofVariant('stable', nameOfVariant(name, STABLE), stable, { name, namespace })),
});

const ofVariant = (
  role: string,
  service: string,
  { metadata, spec }: ModelVersion,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Placeholders => ({
  [`${role}.service`]: service,
  [`${role}.version`]: spec.version,
  [`${role}.modelVersion`]: metadata.name,
  [`${role}.url`]: `http://${service}.${namespace}.svc/v2/models/${name}`,
});

const PLACEHOLDER = /\$\{((?:deployment|candidate|stable)\.[^}]*)\}/g;

/** Other texts in `${…}`, as shells have them, stay. */
export const fill = (
  text: string,
  placeholders: Placeholders,
  written: (value: string) => string = (value) => value,
): string =>
  text.replaceAll(PLACEHOLDER, (whole, name: string) => {
    const value = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined;
    if (value !== undefined) return written(value);
    const known = Object.keys(placeholders).join(', ');
    throw new Unfillable(`${whole.slice(0, 100)} stands for nothing; known are ${known}`);
  });

/** An address with its placeholders filled in. Throws Unfillable. */
export const filledUrl = (text: string, placeholders: Placeholders): URL => {
  const filled = fill(text, placeholders, encodeURIComponent);
  if (!URL.canParse(filled)) {
    throw new Unfillable(`${JSON.stringify(filled.slice(0, 200))} is no URL; correct it`);
  }
  return new URL(filled);
};

/** Fills every text in a value of JSON. */
export const fillAll = (value: unknown, placeholders: Placeholders): unknown => {
  if (typeof value === 'string') return fill(value, placeholders);
  if (Array.isArray(value)) return value.map((each) => fillAll(each, placeholders));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, fillAll(each, placeholders)]),
  );
};
