/** A model's bytes over HTTP: from a URL, or from the presigned one the artifact endpoint grants. */
import { readFile } from 'node:fs/promises';
import type { Connection } from './http-connection.ts';
import { connect, readText } from './http-connection.ts';
import type { OpenedSource } from './model-source.ts';
import type { ArtifactGrant } from '../protocol/artifact-grant.ts';
import { parseArtifactGrant } from '../protocol/artifact-grant.ts';
import { inRanges, rangeBytes, rangeOf, totalOf } from './ranges.ts';
import { SourceError, sourceErrorOfStatus } from './source-error.ts';

export async function openArtifact(
  url: string,
  tokenFile: string,
  signal: AbortSignal,
): Promise<OpenedSource> {
  const grant = await askForGrant(url, tokenFile, signal);
  return { ...(await openUrl(grant.url, signal, grant.sizeBytes)), announcedDigest: grant.digest };
}

async function askForGrant(
  url: string,
  tokenFile: string,
  signal: AbortSignal,
): Promise<ArtifactGrant> {
  const token = await readToken(tokenFile);
  const connection = await connect(url, 'the artifact endpoint', signal, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    // A redirect would carry the token to whoever it names.
    redirect: 'error',
  });
  const text = await readText(connection);
  const { who, response } = connection;
  if (response.status !== 200) throw sourceErrorOfStatus(response.status, who, detailOf(text));
  const grant = parseArtifactGrant(parsed(text));
  if (grant !== undefined) return grant;
  throw new SourceError(
    'ArtifactUnavailable',
    'unavailable',
    `${who} answered 200 without url, digest and sizeBytes`,
  );
}

async function readToken(tokenFile: string): Promise<string> {
  try {
    // Read each time: the kubelet replaces a projected token before it expires.
    return (await readFile(tokenFile, 'utf8')).trim();
  } catch (error) {
    throw new SourceError(
      'NotAuthorized',
      'refused',
      `the token file ${tokenFile} cannot be read; mount the projected token there`,
      error,
    );
  }
}

/**
 * In ranges, several at a time, where the storage knows them: one connection to S3 is slower than a disk.
 * `announcedBytes`: the size to expect where the answer does not tell it.
 */
export async function openUrl(
  url: string,
  signal: AbortSignal,
  announcedBytes?: number,
): Promise<OpenedSource> {
  const who = `the storage at ${new URL(url).host}`;
  const ask = (range: string | undefined, etag?: string) =>
    connect(url, who, signal, { headers: headersOf(range, etag) });
  const begun = await ask(rangeOf(0, rangeBytes));
  // Nothing at all has no first range.
  const connection = begun.response.status === 416 ? await ask(undefined) : begun;
  const { response, bytes } = connection;
  const total = totalOf(response);
  if (total !== undefined) {
    const etag = response.headers.get('etag') ?? undefined;
    const rest = (start: number, size: number) => openRange(ask, { start, size, etag });
    return fileOf(total, () => inRanges(bytes, total, rest));
  }
  if (response.status !== 200) throw await refusalOf(connection);
  const length = response.headers.get('content-length');
  return fileOf(length === null ? announcedBytes : Number(length), () => bytes);
}

const fileOf = (
  sizeBytes: number | undefined,
  open: () => AsyncIterable<Uint8Array>,
): OpenedSource => ({
  files: [{ path: 'model.onnx', sizeBytes, open }],
  isFolder: false,
  announcedDigest: undefined,
});

type Ask = (range: string, etag: string | undefined) => Promise<Connection>;
type Range = { readonly start: number; readonly size: number; readonly etag: string | undefined };

/** A later range, of the same object as the first. */
async function openRange(
  ask: Ask,
  { start, size, etag }: Range,
): Promise<AsyncIterable<Uint8Array>> {
  const connection = await ask(rangeOf(start, size), etag);
  if (connection.response.status === 206) return connection.bytes;
  const refusal = await refusalOf(connection);
  if (refusal.code !== 'NotAuthorized') throw refusal;
  // The first range was allowed.
  throw new SourceError(
    'ArtifactUnavailable',
    'unavailable',
    `${refusal.message}; the URL may have expired while the model was read: raise MLOPS_S3_PRESIGN_EXPIRY`,
  );
}

async function refusalOf(connection: Connection): Promise<SourceError> {
  const { who, response } = connection;
  const code = /<Code>([A-Za-z0-9]+)<\/Code>/.exec(await readText(connection))?.[1];
  return sourceErrorOfStatus(response.status, who, code ?? '');
}

const headersOf = (range: string | undefined, etag: string | undefined) => ({
  // Compressed on the way, the bytes would not be those the digest is of.
  'accept-encoding': 'identity',
  ...(range === undefined ? {} : { range }),
  // A weak one says nothing about bytes.
  ...(etag?.startsWith('"') === true ? { 'if-match': etag } : {}),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The `detail` of a problem document or its like, else the start of the text. */
function detailOf(text: string): string {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null) {
    const { detail, message, error } = value as Partial<Record<string, unknown>>;
    const said = detail ?? message ?? error;
    if (typeof said === 'string') return said.slice(0, 300);
  }
  return text.slice(0, 200).trim();
}
