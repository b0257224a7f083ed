/**
 * The artifact endpoint's answer: where the bytes can be had for a short while. The URL is a secret
 * for as long as it lives, so it is never logged.
 */
export type ArtifactGrant = {
  readonly url: string;
  readonly digest: string;
  readonly sizeBytes: number;
};

/** Reads the answer's JSON; `undefined` when it is not one. */
export function parseArtifactGrant(value: unknown): ArtifactGrant | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { url, digest, sizeBytes } = value as Partial<Record<string, unknown>>;
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined;
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    return undefined;
  }
  return { url, digest, sizeBytes };
}

/** `sha256:` and 64 lower-case hexadecimal digits. */
export function isDigest(value: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(value);
}
