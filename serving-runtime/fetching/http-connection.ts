/** A request to where models or grants are, whose failures say who is at fault. */
// Node's own fetch dies of assert(!this.paused) when a server ends a connection whose body waits to be read.
import { fetch, type RequestInit, type Response } from 'undici';
import { SourceError } from './source-error.ts';

/** Time without an answer or without a byte after which a connection counts as lost. */
const idleMs = 30_000;

/** What is read of an answer that is no model; a refusal's text needs no more. */
const answerLimit = 65_536;

export type Connection = {
  readonly who: string;
  readonly response: Response;
  readonly bytes: AsyncIterable<Uint8Array>;
};

/** Connects and waits for the answer's headers; a silence of `idleMs` ends it, then or later. */
export async function connect(
  url: string,
  who: string,
  signal: AbortSignal,
  options: RequestInit,
): Promise<Connection> {
  const silence = new AbortController();
  const settle = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', settle);
  };
  const timer = setTimeout(() => {
    silence.abort(new Error(`nothing came for ${String(idleMs / 1000)} s`));
  }, idleMs);
  signal.addEventListener('abort', settle);
  try {
    const response = await fetch(url, {
      ...options,
      signal: AbortSignal.any([signal, silence.signal]),
    });
    timer.refresh();
    return { who, response, bytes: readBytes(response, who, { timer, settle }) };
  } catch (error) {
    settle();
    throw connectionLost(who, error);
  }
}

async function* readBytes(
  response: Response,
  who: string,
  { timer, settle }: { readonly timer: NodeJS.Timeout; readonly settle: () => void },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw connectionLost(who, error);
  } finally {
    settle();
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

export async function readText({ bytes }: Connection): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > answerLimit) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
