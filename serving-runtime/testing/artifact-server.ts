import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { listen } from '../drain.ts';

/** What the storage does with one request: an HTTP status, or the connection cut half-way. */
type StorageTurn = number | 'cut' | 'without-length';

export type ArtifactServer = {
  /** The artifact endpoint's address. */
  readonly url: string;
  /** The stored object's address, without signature. */
  readonly objectUrl: string;
  bytes: Buffer;
  /** Laid before the endpoint's normal answer, one for each request. */
  readonly grantTurns: (number | { readonly body: string })[];
  /** Laid before the storage's normal answer, one for each request. */
  readonly storageTurns: StorageTurn[];
  readonly authorizations: (string | undefined)[];
  /** Paths and queries the storage was asked for. */
  readonly reads: string[];
  announcedDigest: string | undefined;
  announcedSize: number | undefined;
  close(): Promise<void>;
};

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An artifact endpoint and the storage behind it, on loopback; each grant is signed anew. */
export async function startArtifactServer(bytes: Buffer): Promise<ArtifactServer> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/artifact')) grant(state, request, response);
    else read(state, request, response);
  });
  const origin = `http://127.0.0.1:${String(await listen(server, 0))}`;
  const state: ArtifactServer = {
    url: `${origin}/artifact`,
    objectUrl: `${origin}/object`,
    bytes,
    grantTurns: [],
    storageTurns: [],
    authorizations: [],
    reads: [],
    announcedDigest: undefined,
    announcedSize: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
  return state;
}

function grant(state: ArtifactServer, request: IncomingMessage, response: ServerResponse): void {
  state.authorizations.push(request.headers.authorization);
  const turn = state.grantTurns.shift();
  if (typeof turn === 'number') {
    response.writeHead(turn, { location: '/object' });
    response.end(JSON.stringify({ title: 'Refused', detail: `refused with ${String(turn)}` }));
    return;
  }
  const signature = `?X-Amz-Signature=secret${String(state.authorizations.length)}`;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    turn?.body ??
      JSON.stringify({
        url: state.objectUrl + signature,
        digest: state.announcedDigest ?? sha256(state.bytes),
        sizeBytes: state.announcedSize ?? state.bytes.length,
      }),
  );
}

function read(state: ArtifactServer, request: IncomingMessage, response: ServerResponse): void {
  state.reads.push(request.url ?? '');
  const turn = state.storageTurns.shift();
  if (typeof turn === 'number') {
    response.writeHead(turn).end(`<Error><Code>Status${String(turn)}</Code></Error>`);
    return;
  }
  if (turn === 'without-length') {
    response.writeHead(200).write(state.bytes.subarray(0, 10));
    response.end(state.bytes.subarray(10));
    return;
  }
  response.writeHead(200, { 'content-length': state.bytes.length });
  if (turn === 'cut') {
    response.write(state.bytes.subarray(0, state.bytes.length / 2), () => {
      response.destroy();
    });
  } else response.end(state.bytes);
}
