/** A model's bytes over HTTP: from a URL, or from the presigned one the artifact endpoint grants. */
import { readFile } from 'node:fs/promises';
import type { OpenedSource } from './model-source.ts';
import type { ArtifactGrant } from './protocol/artifact-grant.ts';
import { parseArtifactGrant } from './protocol/artifact-grant.ts';
import { SourceError, sourceErrorOfStatus } from './source-error.ts';

/** Time without an answer or without a byte after which a connection counts as lost. */
const idleMs = 30_000;

/** What is read of an answer that is no model; a refusal's text needs no more. */
const answerLimit = 65_536;

type Connection = {
  readonly who: string;
  readonly response: Response;
  readonly bytes: AsyncIterable<Uint8Array>;
};

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

/** `announcedBytes`: the size to expect where the answer does not tell it. */
export async function openUrl(
  url: string,
  signal: AbortSignal,
  announcedBytes?: number,
): Promise<OpenedSource> {
  const connection = await connect(url, `the storage at ${new URL(url).host}`, signal, {
    // Compressed on the way, the bytes would not be those the digest is of.
    headers: { 'accept-encoding': 'identity' },
  });
  const { who, response, bytes } = connection;
  if (response.status !== 200) {
    const code = /<Code>([A-Za-z0-9]+)<\/Code>/.exec(await readText(connection))?.[1];
    throw sourceErrorOfStatus(response.status, who, code ?? '');
  }
  const length = response.headers.get('content-length');
  const sizeBytes = length === null ? announcedBytes : Number(length);
  return {
    files: [{ path: 'model.onnx', sizeBytes, open: () => bytes }],
    isFolder: false,
    announcedDigest: undefined,
  };
}

/** Connects and waits for the answer's headers; a silence of `idleMs` ends it, then or later. */
async function connect(
  url: string,
  who: string,
  signal: AbortSignal,
  options: RequestInit,
): Promise<Connection> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new Error(`nothing came for ${String(idleMs / 1000)} s`));
  }, idleMs);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
  });
  try {
    const response = await fetch(url, {
      ...options,
      signal: AbortSignal.any([signal, silence.signal]),
    });
    timer.refresh();
    return { who, response, bytes: readBytes(response, who, timer) };
  } catch (error) {
    throw connectionLost(who, error);
  }
}

async function* readBytes(
  response: Response,
  who: string,
  timer: NodeJS.Timeout,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw connectionLost(who, error);
  }
}

/** fetch's errors name hosts and codes, never the query that makes a presigned URL a secret. */
function connectionLost(who: string, error: unknown): SourceError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const detail = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new SourceError(
    'ArtifactUnavailable',
    'unavailable',
    `${who} cannot be reached or broke off: ${detail}`,
    error,
  );
}

async function readText({ bytes }: Connection): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > answerLimit) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

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
