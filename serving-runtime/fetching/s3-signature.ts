/** Signature Version 4 for reading one object: AWS's "Authenticating Requests: Using Query Parameters". */
import { createHash, createHmac } from 'node:crypto';

export type S3Keys = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** With temporary credentials only. */
  readonly sessionToken: string | undefined;
};

export type SigningScope = {
  readonly region: string;
  readonly now: Date;
  readonly expiresSeconds: number;
};

const algorithm = 'AWS4-HMAC-SHA256';

/** `url` (no query) with a signature that lets its bearer GET it for a while; as secret as the keys. */
export function presignGet(url: string, keys: S3Keys, scope: SigningScope): string {
  const { host, pathname, origin } = new URL(url);
  const time = scope.now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const credentialScope = `${time.slice(0, 8)}/${scope.region}/s3/aws4_request`;
  const query = canonicalQuery({
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': `${keys.accessKeyId}/${credentialScope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(scope.expiresSeconds),
    ...(keys.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': keys.sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  });
  const request = ['GET', pathname, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'];
  const text = [algorithm, time, credentialScope, sha256(request.join('\n'))].join('\n');
  const signature = hmac(signingKey(keys.secretAccessKey, credentialScope), text).toString('hex');
  return `${origin}${pathname}?${query}&X-Amz-Signature=${signature}`;
}

/** A key as it stands in the path of a URL: everything but unreserved characters and `/` encoded. */
export function encodeKey(key: string): string {
  return key.split('/').map(encode).join('/');
}

function signingKey(secret: string, credentialScope: string): Buffer {
  return credentialScope
    .split('/')
    .reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`));
}

function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

/** RFC 3986, which encodes more than JavaScript does. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
