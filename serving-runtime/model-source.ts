/** Opens a model's bytes, wherever they are: the artifact endpoint, a URL, a mounted file or folder. */
import { createReadStream } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { ModelSource } from './config.ts';
import type { ArtifactGrant } from './protocol/artifact-grant.ts';
import { parseArtifactGrant } from './protocol/artifact-grant.ts';
import { SourceError, sourceErrorOfStatus } from './source-error.ts';

export type SourceFile = {
  /** Relative to the model's folder, with `/`. */
  readonly path: string;
  readonly sizeBytes: number | undefined;
  open(): AsyncIterable<Uint8Array>;
};

export type OpenedSource = {
  readonly files: readonly SourceFile[];
  /** True when the digest is of the folder's manifest, not of its one file. */
  readonly isFolder: boolean;
  /** What the artifact endpoint says of the bytes; verified like any other digest. */
  readonly announcedDigest: string | undefined;
};

/** Throws SourceError. `signal` ends what is under way. */
export async function openSource(source: ModelSource, signal: AbortSignal): Promise<OpenedSource> {
  switch (source.kind) {
    case 'artifact': {
      const grant = await askForGrant(source.url, source.tokenFile, signal);
      return { ...(await openUrl(grant.url, signal, grant)), announcedDigest: grant.digest };
    }
    case 'url':
      return openUrl(source.url, signal);
    case 'path':
      return openPath(source.path);
  }
}

/** Time without an answer or without a byte after which a connection counts as lost. */
const idleMs = 30_000;

async function askForGrant(
  url: string,
  tokenFile: string,
  signal: AbortSignal,
): Promise<ArtifactGrant> {
  const token = await readToken(tokenFile);
  // A redirect would carry the token to whoever it names.
  const response = await request(url, 'the artifact endpoint', signal, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    redirect: 'error',
  });
  const text = await readText(response, 'the artifact endpoint');
  if (response.status !== 200) {
    throw sourceErrorOfStatus(response.status, 'the artifact endpoint', detailOf(text));
  }
  const grant = parseArtifactGrant(parsed(text));
  if (grant === undefined) {
    throw new SourceError(
      'ArtifactUnavailable',
      'unavailable',
      'the artifact endpoint answered 200 without url, digest and sizeBytes',
    );
  }
  return grant;
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

async function request(
  url: string,
  who: string,
  signal: AbortSignal,
  options: RequestInit = {},
): Promise<Response> {
  try {
    return await fetch(url, {
      ...options,
      signal: AbortSignal.any([signal, AbortSignal.timeout(idleMs)]),
    });
  } catch (error) {
    throw connectionLost(who, error);
  }
}

/** Error texts of fetch name hosts and codes, never the query that makes a presigned URL a secret. */
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

async function readText(response: Response, who: string): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw connectionLost(who, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The `detail` or `message` of a problem document, else the start of the text. */
function detailOf(text: string): string {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null) {
    const { detail, message, error } = value as Partial<Record<string, unknown>>;
    const said = detail ?? message ?? error;
    if (typeof said === 'string') return said.slice(0, 300);
  }
  return text.slice(0, 200).trim();
}

async function openUrl(
  url: string,
  signal: AbortSignal,
  announced?: ArtifactGrant,
): Promise<OpenedSource> {
  const who = `the storage at ${new URL(url).host}`;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error('no byte came for 30 s')), idleMs);
  let response: Response;
  try {
    response = await fetch(url, {
      signal: AbortSignal.any([signal, stop.signal]),
      // Compressed on the way, the bytes would not be those the digest is of.
      headers: { 'accept-encoding': 'identity' },
    });
  } catch (error) {
    clearTimeout(timer);
    throw connectionLost(who, error);
  }
  if (response.status !== 200) {
    clearTimeout(timer);
    const code = /<Code>([A-Za-z]+)<\/Code>/.exec(await readText(response, who))?.[1] ?? '';
    throw sourceErrorOfStatus(response.status, who, code);
  }
  const length = response.headers.get('content-length');
  const file: SourceFile = {
    path: 'model.onnx',
    sizeBytes: length === null ? announced?.sizeBytes : Number(length),
    open: () => readBody(response, timer, who),
  };
  return { files: [file], isFolder: false, announcedDigest: undefined };
}

async function* readBody(
  response: Response,
  timer: NodeJS.Timeout,
  who: string,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw connectionLost(who, error);
  } finally {
    clearTimeout(timer);
  }
}

async function openPath(path: string): Promise<OpenedSource> {
  try {
    const root = await realpath(path);
    if ((await stat(root)).isFile()) {
      return {
        files: [await localFile(root, 'model.onnx')],
        isFolder: false,
        announcedDigest: undefined,
      };
    }
    return { files: await listFolder(root), isFolder: true, announcedDigest: undefined };
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === 'EACCES' || code === 'EPERM' ? 'NotAuthorized' : 'ArtifactNotFound';
    throw new SourceError(
      reason,
      'refused',
      `${path} cannot be read (${code ?? String(error)}); check the volume and its subpath`,
      error,
    );
  }
}

async function localFile(absolute: string, path: string): Promise<SourceFile> {
  const { size } = await stat(absolute);
  return { path, sizeBytes: size, open: () => createReadStream(absolute) };
}

async function listFolder(root: string): Promise<readonly SourceFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: SourceFile[] = [];
  for (const entry of entries) {
    // `..data` and its kind are how Kubernetes swaps a projected volume's files: the same files twice.
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (path.startsWith('..') || entry.isDirectory()) continue;
    const target = await realpath(join(root, path));
    if (!target.startsWith(root + sep)) {
      throw new SourceError(
        'InvalidModel',
        'final',
        `${path} is a link that leaves the model's folder; put the file itself there`,
      );
    }
    if ((await stat(target)).isFile()) files.push(await localFile(target, path));
  }
  return files;
}
