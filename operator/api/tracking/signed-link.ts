import { createHmac, timingSafeEqual } from 'node:crypto';

/** What one link lets whoever has it do; times in ms since 1970. */
export type Link = {
  /** `part`: store one part of an upload; `file`: read one file. */
  readonly may: 'part' | 'file';
  readonly key: string;
  readonly expires: number;
  /** For parts: of which upload, which one, and how many bytes at most. */
  readonly uploadId?: string;
  readonly partNumber?: number;
  readonly maxBytes?: number;
};

/**
 * HMAC-SHA256 over all that the link says, in one fixed form, as base64url. Clients send parts and
 * read ranges without their token, so the link itself has to say who let them.
 */
export const linkSignature = (secret: Uint8Array, link: Link): string => {
  const { may, key, expires, uploadId = '', partNumber = 0, maxBytes = 0 } = link;
  const said = JSON.stringify(['mlflow-link', may, key, expires, uploadId, partNumber, maxBytes]);
  return createHmac('sha256', secret).update(said).digest('base64url');
};

/** Whether the link was made here, as it stands, and is still good at `now`. */
export const isGoodLink = (
  secret: Uint8Array,
  link: Link,
  signature: string,
  now: number,
): boolean => {
  const given = Buffer.from(signature);
  const right = Buffer.from(linkSignature(secret, link));
  return given.length === right.length && timingSafeEqual(given, right) && now < link.expires;
};
